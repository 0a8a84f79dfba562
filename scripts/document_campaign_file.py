"""Write docs/campaign-file.md from the models that check a campaign file. A test compares the two."""

import types
import typing
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from alnn.campaign.settings import Campaign

DOCUMENT = Path(__file__).parents[1] / "docs" / "campaign-file.md"
HEAD = """# The campaign file

A YAML file tells `alnn run` everything. Unknown keys are refused, with the full path of the key. What is left out
has its default, which is the value of the cluster paper unless the description says otherwise; `DIR/config.yaml`
shows all values as they were used. Lengths in Å, energies in eV, temperatures in K. Files named in a campaign file
are relative to it; `directory` is relative to where `alnn` runs. `inputs/water_clusters/` holds five examples:
`campaign.yaml` and `few_calls.yaml`, which learn from energies alone, `forces.yaml` and `accurate.yaml`, which learn
from forces too, and `papers.yaml`, the published protocol.

<!-- Made by scripts/document_campaign_file.py: edit the models of the settings, not this file. -->
"""


def document() -> str:
    """The whole page."""
    return HEAD + "".join(_sections(Campaign, ""))


def _sections(model: type[BaseModel], path: str) -> list[str]:
    """A table for a model, then one for each of the models in it."""
    nested = {name: info for name, info in model.model_fields.items() if _model(info) is not None}
    lines = [f"\n## `{path}`\n\n{_first_paragraph(model)}\n" if path else "\n## Top level\n"]
    lines.append("\n| key | default | meaning |\n|---|---|---|\n")
    for name, info in model.model_fields.items():
        meaning = f"see [below](#{_anchor(path, name)})" if name in nested else _meaning(info)
        lines.append(f"| `{info.alias or name}` | {_default(info, name in nested)} | {meaning} |\n")
    for name, info in nested.items():
        lines += _sections(_model(info), f"{path}.{name}".lstrip("."))
    return lines


def _model(info: FieldInfo) -> type[BaseModel] | None:
    kind = info.annotation
    if typing.get_origin(kind) in (typing.Union, types.UnionType):  # a section that may be left out
        kind = next(iter(typing.get_args(kind)))
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _anchor(path: str, name: str) -> str:
    return f"{path}{name}".replace(".", "")


def _default(info: FieldInfo, nested: bool) -> str:
    if info.default is PydanticUndefined and info.default_factory is None:
        return "required"
    if nested:
        return ""
    value = info.get_default(call_default_factory=True)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


def _meaning(info: FieldInfo) -> str:
    parts = []
    if typing.get_origin(info.annotation) is typing.Literal:
        parts.append(" or ".join(f"`{choice}`" for choice in typing.get_args(info.annotation)))
    if info.description:
        parts.append(info.description.replace("|", "\\|"))
    return "; ".join(parts)


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
