"""Rules as people write them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.config import Config
from aedetect.config.rules import Rule, rule_of_text, rules_of_file
from aedetect.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temp above", {"columns": ("temp",), "direction": "above"}),
        ("temp above least=5", {"columns": ("temp",), "direction": "above", "least": 5.0}),
        ("least=20%", {"least": 0.2, "relative": True}),
        (
            "load,temp below least=20% where host=web-*",
            {
                "columns": ("load,temp",),
                "direction": "below",
                "least": 0.2,
                "relative": True,
                "where": (("host", ("web-*",)),),
            },
        ),
        ("load, temp below", {"columns": ("load, temp",), "direction": "below"}),
        ("'room temp' never", {"columns": ("room temp",), "direction": "never"}),
        ("least_duration=10m", {"least_duration": 600.0}),
        (
            "columns=above below name='too low'",
            {"columns": ("above",), "direction": "below", "name": "too low"},
        ),
        (
            "never where host=web-*,db-* and site=north",
            {"direction": "never", "where": (("host", ("web-*", "db-*")), ("site", ("north",)))},
        ),
    ],
)
def test_a_rule_in_one_line(text: str, expected: dict[str, object]) -> None:
    stated = {"name": "3", "origin": f"--rule {text!r}", **expected}
    assert rule_of_text(text, 3) == Rule(**stated)  # type: ignore[arg-type]


SIZE = 'no size of a change; write it like 5, or "20%" of what was expected'
FORM = (
    "[COLUMNS] [above|below|never] [least=N|N%] [least_duration=TIME] [name=NAME] [where COLUMN=PATTERN ...]"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"says nothing; write {FORM}"),
        (
            "temp",
            "says nothing of what counts; give a direction (above, below or never), least or least_duration",
        ),
        ("temp abov", "'abov' is no part of a rule; did you mean 'above'?"),
        ("temp xyz", f"'xyz' is no part of a rule (a name with spaces goes in quotes); write {FORM}"),
        ("temp leest=5", "unknown 'leest'; did you mean 'least'?"),
        ("temp q=5", f"unknown 'q'; write {FORM}"),
        ("temp above below", "direction is said twice"),
        ("temp direction=up", "direction = 'up': not one of above, below, either or never"),
        (
            "temp least=-5",
            "least = '-5': must be above 0; on which side of what was expected, direction says",
        ),
        ("temp least=0", "least = '0': must be above 0; on which side of what was expected, direction says"),
        ("temp least=5,5", "least = '5,5': has a decimal comma; write 5.5"),
        ("temp least=much", f"least = 'much': {SIZE}"),
        ("temp least=much%", f"least = 'much%': {SIZE}"),
        ("temp least_duration=x", "least_duration = 'x': not a duration; write it like 90s, 10m or 2h"),
        (
            "temp least_duration=0",
            "least_duration = '0': not a duration above 0; write it like 90s, 10m or 2h",
        ),
        ("temp never least=5", "of what never counts there is no least; leave out one of them"),
        ("temp above where", "nothing stands behind where; write it like where host=web-*"),
        ("temp above where host", "'host' is no condition; write it like where host=web-*"),
        ("temp above name=", "name = '': not a name; write it in quotes"),
        ("temp above 'x", "a quotation mark is not closed"),
    ],
)
def test_what_is_no_rule_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        rule_of_text(text, 1)
    assert str(error.value) == f"--rule {text!r}: {said}"


@given(st.text(max_size=40))
def test_no_text_ends_in_anything_but_a_rule_or_one_line(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert rule_of_text(text, 1).name


TOML = """
[[rules]]
name = "hot"
columns = ["temp", "load*"]
direction = "above"
least = 5

[[rules]]
least = "20%"
least_duration = "10m"
where = { host = "web-*", site = ["north", "south"] }
"""


def test_rules_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(TOML)
    assert rules_of_file(path, alone=True) == [
        Rule("hot", f"{path}: rule 1 ('hot')", ("temp", "load*"), "above", 5.0),
        Rule(
            "2",
            f"{path}: rule 2",
            (),
            "either",
            0.2,
            True,
            600.0,
            (("host", ("web-*",)), ("site", ("north", "south"))),
        ),
    ]


def test_rules_stand_beside_settings_and_are_none(tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    path.write_text(f"[threshold]\nalert_rate = 0.05\n{TOML}")
    config = Config.build(path)
    assert config.threshold.alert_rate == 0.05
    assert "rules" not in config.model_dump()
    assert [rule.name for rule in rules_of_file(path)] == ["hot", "2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rules]\nname = 'x'\n", "rules are tables of their own; write [[rules]] above each"),
        ("rules = 3\n", "rules are tables of their own; write [[rules]] above each"),
        ("[[rules]]\nleast = true\n", f"rule 1: least = True: {SIZE}"),
        (
            "[[rules]]\nname = 'x'\nhost = 'web-*'\nleast = 3\n",
            "rule 1 ('x'): unknown 'host'; a rule has: name, columns, direction, least, "
            "least_duration, where",
        ),
        ("[[rules]]\ndirektion = 'above'\n", "rule 1: unknown 'direktion'; did you mean 'direction'?"),
        (
            "[[rules]]\ncolumns = 3\nleast = 3\n",
            'rule 1: columns = 3: not a list of texts; write it like ["a", "b"]',
        ),
        (
            "[[rules]]\nwhere = 'x'\nleast = 3\n",
            "rule 1: where = 'x': write it like where = {host = \"web-*\"}",
        ),
        ("[[rule]]\nleast = 3\n", "'rule' stands outside a table; did you mean [[rules]]?"),
    ],
)
def test_what_is_no_rule_in_a_file_of_settings_is_said_by_every_command(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        Config.build(path)
    assert str(error.value) == f"{path}: {said}"


def test_a_file_of_rules_has_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("[rulez]\nx = 1\n")
    with pytest.raises(UsageError) as error:
        rules_of_file(path, alone=True)
    assert str(error.value) == (
        f"{path}: 'rulez' is no rule; a file of rules has [[rules]] alone; did you mean 'rules'?"
    )
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        rules_of_file(tmp_path / "none.toml")
    path.write_text("[[rules")
    with pytest.raises(UsageError, match="not a TOML file"):
        rules_of_file(path)
