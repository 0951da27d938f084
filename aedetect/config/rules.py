"""Rules on which alarms count, as people write them: in a TOML file, or in one line."""

from __future__ import annotations

import math
import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from aedetect.config.names import did_you_mean, split_names
from aedetect.config.refusals import one_of
from aedetect.config.typed import number, parse_duration, share
from aedetect.errors import UsageError

Direction = Literal["above", "below", "either", "never"]
DIRECTIONS: tuple[str, ...] = get_args(Direction)
TABLE = "rules"
_KEYS = ("name", "columns", "direction", "least", "least_duration", "where")
_WHERE = "where"
_FORM = (
    "[COLUMNS] [above|below|never] [least=N|N%] [least_duration=TIME] [name=NAME] [where COLUMN=PATTERN ...]"
)
_LEAST = 'no size of a change; write it like 5, or "20%" of what was expected'


@dataclass(frozen=True)
class Rule:
    """Of some columns, in some rows, which changes count: an alarm for others alone is none.

    `name`: where none was given, the number of the rule, from 1.
    `columns`: names, lists or patterns; all where empty. `direction`: on which side of what was expected a
    number counts; of 'never' nothing does. `least`: the smallest change that counts, a share of what was
    expected where `relative`. `least_duration`: seconds that an event of a series lasts at least. `where`:
    patterns by column, of each of which a row has one. `origin`: what messages call the rule.
    """

    name: str
    origin: str
    columns: tuple[str, ...] = ()
    direction: Direction = "either"
    least: float | None = None
    relative: bool = False
    least_duration: float | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def least_text(self) -> str:
        """The smallest change as it was written: '5', '20%'."""
        return f"{100 * (self.least or 0):.6g}%" if self.relative else f"{self.least:.12g}"

    @property
    def of_numbers(self) -> bool:
        """Whether it asks for the change of a number."""
        return self.direction in ("above", "below") or self.least is not None


def rules_of_file(path: str | os.PathLike[str], alone: bool = False) -> list[Rule]:
    """The [[rules]] of a TOML file; `alone`: one that has nothing else.

    Raises UsageError for a file that cannot be read and for what is no rule.
    """
    try:
        tree = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from None
    for other in (name for name in tree if alone and name != TABLE):
        hint = did_you_mean(other, [TABLE])
        raise UsageError(f"{path}: {other!r} is no rule; a file of rules has [[rules]] alone{hint}")
    return rules_of(tree.get(TABLE, []), os.fspath(path))


def rules_of(tables: object, path: str) -> list[Rule]:
    """Rules from the tables of a file. Raises UsageError for what is no rule."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path}: rules are tables of their own; write [[rules]] above each")
    rules = []
    for place, table in enumerate(tables, 1):
        name = table.get("name")
        shown = f" ({name!r})" if isinstance(name, str) else ""
        rules.append(_rule(table, str(place), f"{path}: rule {place}{shown}"))
    return rules


def rule_of_text(text: str, place: int) -> Rule:
    """A rule in one line, the one at that place, from 1: 'load,temp below least=20% where host=web-*'.

    Raises UsageError for what is none.
    """
    origin = f"--rule {text!r}"
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(f"{origin}: a quotation mark is not closed") from None
    if not words:
        raise UsageError(f"{origin}: says nothing; write {_FORM}")
    stated: dict[str, object] = {}
    columns: list[str] = []
    before, conditions = _split_at_where(words)
    for word in before:
        key, equals, value = word.partition("=")
        if word in DIRECTIONS:
            _state(stated, "direction", word, origin)
        elif equals and key in _KEYS:
            _state(stated, key, value, origin)
        elif equals:
            raise UsageError(f"{origin}: unknown {key!r}{_or_form(did_you_mean(key, _KEYS))}")
        elif not columns or columns[-1].endswith(",") or word.startswith(","):
            columns.append(word)
        else:
            hint = did_you_mean(word, (*DIRECTIONS, _WHERE))
            quotes = "" if hint else " (a name with spaces goes in quotes)"
            raise UsageError(f"{origin}: {word!r} is no part of a rule{quotes}{_or_form(hint)}")
    if columns:
        _state(stated, "columns", " ".join(columns), origin)
    if conditions is not None:
        stated[_WHERE] = _conditions(conditions, origin)
    return _rule(stated, str(place), origin)


def before_where(column: str) -> str:
    """The end of a message on a condition on no column: that it may be meant as a part of the rule."""
    return f"; {column}=… as a part of the rule itself goes before where" if column in _KEYS else ""


def _or_form(hint: str) -> str:
    """The end of a message on a word that is no part of a rule: which is meant, or how a rule is written."""
    return hint or f"; write {_FORM}"


def _split_at_where(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    if _WHERE not in words:
        return words, None
    place = words.index(_WHERE)
    return words[:place], words[place + 1 :]


def _state(stated: dict[str, object], key: str, value: str, origin: str) -> None:
    if key in stated:
        raise UsageError(f"{origin}: {key} is said twice")
    stated[key] = value


def _conditions(words: Sequence[str], origin: str) -> dict[str, list[str]]:
    conditions: dict[str, list[str]] = {}
    for word in words:
        column, equals, patterns = word.partition("=")
        if word == "and":
            continue
        if not equals or not column:
            raise UsageError(f"{origin}: {word!r} is no condition; write it like where host=web-*")
        conditions[column] = split_names(patterns)
    if not conditions:
        raise UsageError(f"{origin}: nothing stands behind where; write it like where host=web-*")
    return conditions


def _rule(table: Mapping[str, Any], usual: str, origin: str) -> Rule:
    for key in table:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise UsageError(f"{origin}: unknown {key!r}{hint or '; a rule has: ' + ', '.join(_KEYS)}")
    direction = table.get("direction", "either")
    if direction not in DIRECTIONS:
        raise UsageError(f"{origin}: direction = {direction!r}: {one_of(direction, list(DIRECTIONS))}")
    least, relative = _least(table.get("least"), origin)
    rule = Rule(
        _name(table.get("name", usual), origin),
        origin,
        tuple(_texts(table.get("columns", []), "columns", origin)),
        direction,
        least,
        relative,
        _duration(table.get("least_duration"), origin),
        tuple(_where(table.get(_WHERE, {}), origin)),
    )
    if direction == "never" and (least is not None or rule.least_duration is not None):
        raise UsageError(f"{origin}: of what never counts there is no least; leave out one of them")
    if direction == "either" and least is None and rule.least_duration is None:
        raise UsageError(
            f"{origin}: says nothing of what counts; give a direction (above, below or never), least or "
            "least_duration"
        )
    return rule


def _name(value: object, origin: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{origin}: name = {value!r}: not a name; write it in quotes")
    return value.strip()


def _texts(value: object, key: str, origin: str) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(text, str) and text.strip() for text in values):
        raise UsageError(f'{origin}: {key} = {value!r}: not a list of texts; write it like ["a", "b"]')
    return [text.strip() for text in values]


def _least(value: object, origin: str) -> tuple[float | None, bool]:
    if value is None:
        return None, False
    relative = isinstance(value, str) and value.strip().endswith(("%", "‰"))
    said = f"{origin}: least = {value!r}"
    try:
        size = share(value) if relative else number(value)
    except ValueError as error:
        raise UsageError(f"{said}: {error if 'comma' in str(error) else _LEAST}") from None
    if isinstance(size, bool) or not isinstance(size, (int, float)) or not math.isfinite(size):
        raise UsageError(f"{said}: {_LEAST}")
    if size <= 0:
        raise UsageError(f"{said}: must be above 0; on which side of what was expected, direction says")
    return float(size), relative


def _duration(value: object, origin: str) -> float | None:
    if value is None:
        return None
    said = f"{origin}: least_duration = {value!r}"
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise UsageError(f"{said}: {error}") from None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
        raise UsageError(f"{said}: not a duration above 0; write it like 90s, 10m or 2h")
    return float(seconds)


def _where(value: object, origin: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not isinstance(value, dict):
        raise UsageError(f'{origin}: where = {value!r}: write it like where = {{host = "web-*"}}')
    for column, patterns in value.items():
        yield column, tuple(_texts(patterns, f"where.{column}", origin))
