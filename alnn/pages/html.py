"""What the HTML pages share: templates, their style, and figures inside the page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure on the page: its file's stem, caption, and PNG as base64."""

    name: str
    caption: str
    data: str


def picture(name: str, caption: str, figure: Figure, out: Path) -> Picture:
    """Write OUT/NAME.png and NAME.pdf, and return the figure for the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    (out / f"{name}.png").write_bytes(buffer.getvalue())
    figure.savefig(out / f"{name}.pdf", metadata={"CreationDate": None})
    return Picture(name, caption, base64.b64encode(buffer.getvalue()).decode())


def render(template: str, **values: Any) -> str:
    """A page from a file of alnn/pages/templates."""
    import jinja2

    def read(name: str) -> str:
        return resources.files("alnn.pages").joinpath(f"templates/{name}").read_text(encoding="utf-8")

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(read),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(**values)
