"""The ready configuration files load, say what they should, and cover every setting."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from aedetect.config import Config, setting_names

CONFIGS = Path(__file__).parent.parent / "configs"
FILES = sorted(CONFIGS.glob("*.toml"))


def mentioned(text: str) -> dict[str, str]:
    """Settings that stand in a file, commented out or not, with the line above each."""
    found, section, above = {}, "", ""
    for line in text.splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif section and (setting := re.match(r"(?:# )?(\w+) = \S", line)):
            found[f"{section}.{setting[1]}"] = above
        above = line
    return found


def test_there_are_configs() -> None:
    assert {path.stem for path in FILES} == {"default", "fast", "thorough", "contaminated", "sensors", "live"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_loads_and_every_line_is_used(path: Path) -> None:
    loaded = Config.build(path).model_dump(exclude_unset=True)
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert {name: set(table) for name, table in loaded.items()} == {
        name: set(table) for name, table in written.items()
    }


def test_default_is_the_default() -> None:
    assert Config.build(CONFIGS / "default.toml").model_dump() == Config().model_dump()


def test_default_mentions_every_setting_in_order_with_a_comment() -> None:
    found = mentioned((CONFIGS / "default.toml").read_text(encoding="utf-8"))
    assert list(found) == setting_names()
    assert [name for name, above in found.items() if not above.startswith("# ")] == []


def test_examples_of_unset_settings_are_valid(tmp_path: Path) -> None:
    text = (CONFIGS / "default.toml").read_text(encoding="utf-8")
    everything = tmp_path / "everything.toml"
    everything.write_text(re.sub(r"(?m)^# (?=\w+ = \S)", "", text), encoding="utf-8")
    loaded = Config.build(everything)
    unset = [
        f"{section}.{name}"
        for section, settings in loaded.model_dump().items()
        for name, value in settings.items()
        if value is None
    ]
    assert unset == []


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem != "default"], ids=lambda path: path.stem
)
def test_others_differ_from_the_default_in_all_they_say(path: Path) -> None:
    default = Config().model_dump()
    for section, settings in Config.build(path).model_dump(exclude_unset=True).items():
        for name, value in settings.items():
            assert value != default[section][name], f"{section}.{name}"
