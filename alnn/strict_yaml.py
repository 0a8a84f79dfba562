"""YAML files as strict models, with one readable line for each fault; campaign and properties files share it."""

import difflib
import re
import types
import typing
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alnn.errors import ConfigError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LARGEST = 2**63 - 1
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]  # LAMMPS counts no further
Atoms = Annotated[int, Field(ge=1, le=1_000_000)]
Runs = Annotated[int, Field(ge=1, le=1000)]
Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A part of a file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


def read_text(path: Path) -> str:
    """The text of a file. Raises ConfigError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error


def parse_model(model: type[Model], text: str, where: str, replaced: dict[str, Any] | None = None) -> Model:
    """A model from YAML text, some of its keys replaced. Raises ConfigError: one line that begins with `where`."""
    return validated(model, {**parse_values(text, where), **(replaced or {})}, where)


def validated(model: type[Model], values: dict[str, Any], where: str) -> Model:
    """A model from plain values. Raises ConfigError as `parse_model` does."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_reason(error, model)}") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: lists and mappings within one another are too deep") from error


def parse_values(text: str, where: str) -> dict[str, Any]:
    """Keys and plain values from YAML text. Raises ConfigError as `parse_model` does."""
    try:
        values = yaml.load(text, _StrictLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not YAML: {_yaml_reason(error)}") from error
    except (
        Exception
    ) as error:  # tags that do not fit their value, odd dates, bottomless nesting: nearly anything
        raise ConfigError(f"{where}: not YAML: {str(error) or type(error).__name__}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected keys and values, found {type(values).__name__}")
    return values


def dump_values(values: dict[str, Any]) -> str:
    """YAML text that `parse_values` reads as the same values: texts that it would take for numbers are quoted."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


_UNION_PARTS = (
    "float",
    "constrained-float",
    "tuple[",
    "list[",
    "literal[",
)  # pydantic names the branch it tried; users need not know


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key written twice, aliases, and integers beyond 64 bits, which nothing counts.

    Numbers are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2, section 10.3.2): 1e-4 is one and 12:00:00
    is a text, where YAML 1.1 has a text and a number of seconds. 1_000 and 0b11 stay numbers.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.composer.ComposerError(
                None, None, "aliases are not allowed", self.peek_event().start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                continue
            if key.value in seen:
                problem = f"key {key.value!r} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        value = int(node.value.replace("_", ""), 0 if _HAS_BASE.match(node.value) else 10)
        if abs(value) > LARGEST:
            raise yaml.constructor.ConstructorError(None, None, "integer is too large", node.start_mark)
        return value


_HAS_BASE = re.compile(r"[-+]?0[xob]")
_INTEGER = re.compile(r"^[-+]?(?:[0-9][0-9_]*|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+)$")
_FLOAT = re.compile(
    r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Dumper(yaml.SafeDumper):
    """Writes what `_StrictLoader` reads."""


for _kind in (_StrictLoader, _Dumper):
    _kind.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag not in _NUMBERS]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _kind.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
    _kind.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
_StrictLoader.add_constructor("tag:yaml.org,2002:int", _StrictLoader.construct_yaml_int)


def _yaml_reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def _reason(error: ValidationError, top: type[BaseModel]) -> str:
    """The first fault, an unknown key before anything else: a misspelt key also shows as a missing one."""
    faults = error.errors()
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    names = [str(part) for part in fault["loc"] if not str(part).startswith(_UNION_PARTS)]
    where = ".".join(names)
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggestion(names, top)}"
    if fault["type"] == "missing":
        return f"{where}: expected a value, found none"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return f"{where}: {message}" if where else message
    return f"{where}: {message[0].lower() + message[1:]}, found {_short(fault['input'])}"


def _suggestion(names: list[str], top: type[BaseModel]) -> str:
    model: Any = top
    for name in names[:-1]:
        if typing.get_origin(model) is dict:  # the name is the user's own, as that of a potential
            model = typing.get_args(model)[1]
            continue
        if not (_is_model(model) and name in model.model_fields):
            return ""
        model = _without_none(model.model_fields[name].annotation)
    if not _is_model(model):
        return ""
    close = difflib.get_close_matches(names[-1], model.model_fields, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(model.model_fields)}"


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _without_none(kind: Any) -> Any:
    parts = [part for part in typing.get_args(kind) if part is not type(None)]
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return parts[0] if union and len(parts) == 1 else kind


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
