"""The settings as they are, each with where it came from; keys are never among them."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_settings import BaseSettings

from .....envs.secrets import without_secrets
from .....envs.types import Record
from ....config import AgentConfig

PREFIX = "LICHEN_"
_HIDDEN = ("env", "headers", "args", "api_key", "url")
"""Parts of an MCP server's settings that may hold keys."""


class SettingLine(Record):
    """One setting."""

    name: str
    value: str
    source: str
    """`default`, `file`, `environment` or `option`."""
    usual: str
    """The default."""
    says: str
    """What it is, from its docstring; empty where it has none."""


def setting_lines(config: AgentConfig) -> list[SettingLine]:
    """Return every setting of a configuration, in the order of the class."""
    file = Path(str(AgentConfig.model_config.get("toml_file") or "lichen.toml"))
    given: dict[str, Any] = {}
    if file.is_file():
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            given = {}
    return list(_lines(config, type(config), given, ""))


def _lines(
    held: BaseModel, kind: type[BaseModel], file: Mapping[str, Any], above: str
) -> Iterator[SettingLine]:
    for name, field in kind.model_fields.items():
        value, path = getattr(held, name), f"{above}{name}"
        usual = field.get_default(call_default_factory=True)
        if isinstance(value, BaseModel) and not isinstance(value, BaseSettings):
            part = file.get(name)
            yield from _lines(
                value, type(value), part if isinstance(part, dict) else {}, f"{path}."
            )
            continue
        yield SettingLine(
            name=path,
            value=_said(value),
            source=_source(path, value, usual, name in file),
            usual=_said(usual),
            says=" ".join((field.description or "").split()),
        )


def _source(path: str, value: Any, usual: Any, in_file: bool) -> str:
    if PREFIX + path.upper().replace(".", "__") in os.environ:
        return "environment"
    if in_file:
        return "file"
    return "default" if value == usual else "option"


def _said(value: Any) -> str:
    return without_secrets(str(_plain(value)))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {k: "[hidden]" if k in _HIDDEN and v else _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
