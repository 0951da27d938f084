"""Settings as a TOML file that `aedetect train --config` takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from aedetect.config import Config

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def settings_text(config: Config, comments: Iterable[str]) -> str:
    """The settings that `config` sets, below lines of comment; settings of no value are left out."""
    lines = [f"# {_printable(text)}".rstrip() for text in comments]
    for section in type(config).model_fields:
        table = getattr(config, section)
        entries = [
            f"{name} = {_value(value)}"
            for name in type(table).model_fields
            if name in table.model_fields_set and (value := getattr(table, name)) is not None
        ]
        if entries:
            lines += ["", f"[{section}]", *entries]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(name)} = {_value(one)}' for name, one in value.items())} }}"
    return f"[{', '.join(map(_value, value))}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A basic string: as in JSON, but that DEL is escaped as well."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _printable(text: str) -> str:
    """Names of files may hold line ends, which would end the comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
