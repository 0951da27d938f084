"""From a column's profile to its role, with the reason in one plain phrase."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from aedetect.config import DataConfig, SeriesConfig
from aedetect.data import cells
from aedetect.data.bad_numbers import bad_numbers
from aedetect.data.column_writings import example_of, writings_of
from aedetect.data.date_columns import role_of_dates, rules_of, settle_dates
from aedetect.data.decision import Decision, role_flag
from aedetect.data.figures import in_full
from aedetect.data.label_names import LABEL_REASON, looks_like_label
from aedetect.data.moving import moving_columns
from aedetect.data.named_columns import check_names
from aedetect.data.profile import ColumnProfile
from aedetect.data.row_sample import RowSample
from aedetect.data.schema import EMPTY_REASON, LEARNED_ROLES, Column, Schema
from aedetect.data.written_numbers import Writing
from aedetect.errors import DataError, UsageError

# Below this share of unreadable cells a text column is a numeric one with faults in it, which
# the user must settle; above it, it holds codes.
MAX_BAD_NUMBERS = 0.1
# Text in which more than half of the values are distinct says nothing about the next row.
MAX_DISTINCT_SHARE = 0.5
_FEW_DISTINCT = 50
LARGEST_CODE = 12
# Wider tables of codes alone are indicators that somebody made of categories; they stay numbers.
_MOST_CODES = 100
_ID_ROWS = 20
_CODE_OF_A_ROW = re.compile(r"^(?=.*[0-9])[^\s]{1,40}$")
_ID_NAME = re.compile(
    r"(?i)^(?:row|index|idx|key|uuid|guid|unnamed: 0|)$"
    r"|(?:^|[_\s-])(?:id|no|nr|uuid|guid|key|number)$"
    r"|(?-i:[a-z]Id)$"
)
# What is written in groups of digits and is no number.
_NUMBERED = re.compile(
    r"(?i)(?:^|[_\s-])(?:zip|plz|postcode|postal|phone|tel|telephone|mobile|fax|iban|account)"
)
# Of the marks for thousands not the full stop, which stands in addresses and versions too.
_MARKED_NUMBER = re.compile(r"^[\s$€£¥(+-]*(?:\d{1,3}(?:[,'_\s]\d{3})+|\d+)(?:[.,]\d+)?[\s$€£¥%‰)]*$")
# How reasons end that say why a column of numbers is none.
UNREAD = (" would be a number without its marks", ", which cannot be told in one unit", " is none")
_CENTS = re.compile(r"[.,]\d\d\D*$")
# One without a name: of tables put together, or sorted, it does not count all rows from 0 on.
_PANDAS_INDEX = re.compile(r"^__index_level_\d+__$")


def infer_schema(
    profiles: Mapping[str, ColumnProfile],
    config: DataConfig,
    name: str,
    series: SeriesConfig | None = None,
    sample: RowSample | None = None,
) -> Schema:
    """Decide the role of every profiled column of the input called `name`; `sample` shows which move on.

    Raises UsageError for settings that name unknown columns, DataError for a numeric column
    with unreadable cells, for columns asked for that cannot be used, and where none is left.
    """
    series = series or SeriesConfig()
    _check_names(profiles, config, series)
    settle_dates(profiles, config, series, name)
    set_by_hand = {
        column: decision
        for column, profile in profiles.items()
        if (decision := _of_series(column, profile, series, name) or _override(column, profile, config, name))
    }
    decide = _decide if series.series_name is None else _channel
    inferred = {
        column: (None if config.columns else _label(column, profile, profiles))
        or decide(column, profile, name)
        for column, profile in profiles.items()
        if column not in set_by_hand
    }
    inferred |= dict(_of_groups(inferred, config))
    if sample is not None and not series.time:
        rules = {column: rules_of(profile) for column, profile in profiles.items()}
        inferred |= moving_columns(sample, set_by_hand | inferred, rules, set(inferred))
    decisions = set_by_hand | (inferred if series.time else dict(_codes_as_categories(inferred, profiles)))
    columns = [
        Column(
            name=column,
            role=decisions[column].role,
            reason=decisions[column].reason,
            type=str(profile.field.type),
            constant=decisions[column].constant,
        )
        for column, profile in profiles.items()
    ]
    schema = Schema(
        columns=tuple(columns),
        decimal=config.decimal,
        na_values=tuple(config.na_values),
        na_rule="pandas",
        dates={
            column.name: profile.date.clock
            for column, profile in zip(columns, profiles.values(), strict=True)
            if column.role == "datetime" and profile.date is not None and profile.date.clock is not None
        },
        writings={
            column: profile.rules.writing for column, profile in profiles.items() if profile.rules.writing
        },
        groups=tuple(config.group),
    )
    # A series of one constant is worth watching: that it moves is an anomaly.
    watched = LEARNED_ROLES + (("constant",) if series.time else ())
    if not any(column.role in watched for column in columns):
        reasons = "; ".join(f"{column.name}: {column.reason}" for column in columns[:5])
        raise DataError(f"{name}: no column can be learned from ({reasons})")
    return schema


def number_writings(
    profiles: Mapping[str, ColumnProfile], config: DataConfig, name: str, series: SeriesConfig
) -> dict[str, Writing]:
    """How the numbers of those columns are written that have others than plain ones.

    Identifiers stay as they are. Raises DataError for a column that can be read in two ways.
    """
    settled = {*series.time_columns, *series.entity, *config.id, *config.exclude, config.label or ""}
    for column in profiles:
        role = config.roles.get(column)
        left_out = bool(config.columns) and column not in config.columns
        named = bool(_ID_NAME.search(column) or _NUMBERED.search(column))
        if role not in (None, "numeric") or (role is None and (left_out or named)):
            settled.add(column)
    return writings_of(profiles, config, name, settled)


def uncounted(profiles: Mapping[str, ColumnProfile], schema: Schema) -> set[str]:
    """Columns whose role needs category counts that the first pass did not take in full."""
    return {
        column.name
        for column in schema.columns
        if column.role == "categorical" and not profiles[column.name].is_counted
    }


def _codes_as_categories(
    decisions: Mapping[str, Decision], profiles: Mapping[str, ColumnProfile]
) -> Mapping[str, Decision]:
    """Small whole numbers and booleans as categories, where there are no other numbers or dates."""
    numbers = [name for name, decision in decisions.items() if decision.role in ("numeric", "boolean")]
    text = any(decision.role == "categorical" for decision in decisions.values())
    dates = any(decision.role == "datetime" for decision in decisions.values())
    if dates or not all(_may_be_codes(decisions[name], profiles[name]) for name in numbers):
        return decisions
    if not text and len(numbers) > _MOST_CODES:
        return decisions
    return {
        name: Decision("categorical", f"{decision.reason}, in a table of codes")
        if name in numbers
        else decision
        for name, decision in decisions.items()
    }


def _of_groups(decisions: Mapping[str, Decision], config: DataConfig) -> Iterator[tuple[str, Decision]]:
    """Columns that tell groups apart are learned where asked for alone: rows of rare groups are normal."""
    for name in config.group:
        decision = decisions.get(name)
        if decision is None:
            continue
        if name not in config.columns:
            yield name, Decision("id", "not learned")
        elif decision.role == "numeric":
            # Such as those of stores, which are names.
            yield name, Decision("categorical", decision.reason)


def _may_be_codes(decision: Decision, profile: ColumnProfile) -> bool:
    numbers = profile.numbers
    return decision.role == "boolean" or (
        numbers.all_integer and numbers.minimum >= 0 and numbers.maximum <= LARGEST_CODE
    )


def _check_names(profiles: Mapping[str, ColumnProfile], config: DataConfig, series: SeriesConfig) -> None:
    check_names(config, series, list(profiles))
    if config.label is not None and config.label in config.group:
        raise UsageError(f"--group {config.label}: the labels (--label) do not tell groups apart")
    for column in series.time_columns:
        if series.time_columns.count(column) > 1:
            raise UsageError(f"--time {column}: given twice")
        if column in series.entity:
            raise UsageError(f"--entity {column}: the timestamps (--time) do not tell series apart")


def _of_series(column: str, profile: ColumnProfile, series: SeriesConfig, name: str) -> Decision | None:
    if column not in (*series.time_columns, *series.entity):
        return None
    if not profile.readable:
        raise DataError(f"{name}: column {column!r} holds {profile.kind} values, which tell no series apart")
    if column in series.time_columns:
        return Decision("time", "when; not learned")
    return Decision("entity", "whose; tells series apart")


def _override(column: str, profile: ColumnProfile, config: DataConfig, name: str) -> Decision | None:
    if column == config.label:
        return Decision("label", "marks known anomalies; never learned")
    if column in config.id:
        return Decision("id", "named as id; carried through, never learned")
    if column in config.exclude:
        return Decision("ignored", "excluded")
    asked = column in config.columns or column in config.roles
    if asked and not profile.readable:
        raise DataError(f"{name}: column {column!r} holds {profile.kind} values, which cannot be learned")
    if config.columns and not asked:
        return Decision("ignored", "not among the columns asked for")
    if column not in config.roles:
        return None
    role = config.roles[column]
    _check_role(column, role, profile, name)
    return Decision(role, "set by hand")


def _check_role(column: str, role: str, profile: ColumnProfile, name: str) -> None:
    if role == "numeric" and profile.first_bad and profile.is_text:
        raise DataError(bad_numbers(column, *profile.first_bad, profile.bad_texts))
    readable = {
        "numeric": profile.numbers.count or profile.numbers.infinite,
        "boolean": profile.numbers.only_zero_one and profile.filled,
        "datetime": profile.first_instant <= profile.last_instant,
    }
    if profile.is_text and role == "boolean":
        readable["boolean"] = profile.not_boolean == 0
    if role == "datetime" and profile.date is not None:
        return
    if not readable.get(role, True):
        raise DataError(f"{name}: column {column!r} cannot be read as {role}")


def _label(column: str, profile: ColumnProfile, columns: Collection[str]) -> Decision | None:
    return Decision("ignored", LABEL_REASON) if looks_like_label(column, profile, columns) else None


def _channel(column: str, profile: ColumnProfile, name: str) -> Decision:
    """Of a long table: readings are numbers, also where all are equal, or are 0 and 1."""
    decision = _decide(column, profile, name)
    numbers = profile.numbers
    if decision.role == "ignored" or not numbers.count:
        return decision
    return Decision("numeric", f"a channel, from {in_full(numbers.minimum)} to {in_full(numbers.maximum)}")


def _decide(column: str, profile: ColumnProfile, name: str) -> Decision:
    if not profile.readable:
        return Decision("ignored", f"{profile.kind} values cannot be learned")
    if profile.left_out:
        return Decision("ignored", f"left out, {profile.left_out.partition('; ')[0]}")
    if _PANDAS_INDEX.match(column):
        return Decision("id", "the index of a pandas table")
    if profile.filled == 0:
        return Decision("ignored", EMPTY_REASON)
    if cells.is_datetime(profile.field.type) or profile.date is not None:
        return _datetime(profile)
    if profile.is_text:
        return _decide_text(column, profile, name)
    if cells.is_text(profile.kind_type):
        if profile.holds_boolean_words:
            return _constant(profile) or Decision("boolean", "two boolean words")
        if not profile.not_datetime and profile.first_instant < float("inf"):
            return _datetime(profile)
        return _decide_categories(column, profile)
    if str(profile.kind_type) == "bool":
        return _constant(profile) or Decision("boolean", "true or false")
    return _decide_numbers(column, profile)


def _decide_text(column: str, profile: ColumnProfile, name: str) -> Decision:
    bad = profile.bad_numbers
    if profile.codes.are_codes:
        return _decide_categories(column, profile)
    if bad == 0 and not profile.leading_zeros:
        return _decide_numbers(column, profile)
    if profile.holds_boolean_words:
        return _constant(profile) or Decision("boolean", "two boolean words")
    if (
        profile.first_bad
        and profile.decimal_commas > (1 - MAX_BAD_NUMBERS) * bad
        and profile.rules.decimal == "."
        and bad > profile.filled / 2
    ):
        where, text = profile.first_bad
        raise DataError(
            f"{where}, column {column!r}: {text!r} seems to have a decimal comma; "
            f"give --decimal , to read it so, or {role_flag(column, 'categorical')} if it is no number"
        )
    if 0 < bad <= MAX_BAD_NUMBERS * profile.filled and not profile.leading_zeros and profile.first_bad:
        raise DataError(bad_numbers(column, *profile.first_bad, profile.bad_texts))
    if bad and not profile.not_datetime and profile.first_instant < float("inf"):
        return _datetime(profile)
    return _decide_categories(column, profile)


def _decide_numbers(column: str, profile: ColumnProfile) -> Decision:
    numbers = profile.numbers
    if not numbers.count:
        return Decision("ignored", "no finite value")
    constant = _constant(profile)
    if constant:
        return constant
    integer_id = numbers.all_integer and numbers.unique_head and numbers.count >= _ID_ROWS
    if integer_id and numbers.consecutive:
        return Decision("id", "counts the rows")
    if integer_id and _ID_NAME.search(column):
        return Decision("id", "a different whole number in every row")
    if numbers.only_zero_one:
        return Decision("boolean", "only 0 and 1")
    kind = "whole numbers" if numbers.all_integer else "numbers"
    read = example_of(profile)
    written = f"; {read[0]!r} is read as {read[1]:.10g}" if read else ""
    # As many decimals as the cell has that is shown, such as amounts of money.
    decimals = _decimals_of(*read) if read else 0
    low, high = in_full(numbers.minimum, decimals), in_full(numbers.maximum, decimals)
    return Decision("numeric", f"{kind} from {low} to {high}{written}")


def _decimals_of(text: str, value: float) -> int:
    """How many decimals a cell has that is read as `value`, where it has two, as money has; else 0."""
    return 2 if _CENTS.search(text) and round(value, 2) == value else 0


def _decide_categories(column: str, profile: ColumnProfile) -> Decision:
    if not (profile.is_counted or profile.overflowed):
        return Decision("categorical", "to be counted")
    filled = max(sum(profile.counts.values()), 1)
    distinct = len(profile.counts)
    share = distinct / filled
    if _are_codes_of_rows(column, profile, filled):
        return Decision("id", f"left out, a different text in every row{_marked(profile)}")
    if profile.overflowed or (distinct > _FEW_DISTINCT and share > MAX_DISTINCT_SHARE):
        how_many = "100%" if distinct == filled else f"{min(share, 0.999):.1%}".replace(".0%", "%")
        return Decision("text", f"left out, {how_many} distinct text{_marked(profile)}")
    if distinct == filled and filled >= _ID_ROWS:
        return Decision("id", f"left out, a different text in every row{_marked(profile)}")
    values = "1 value, else missing" if distinct == 1 else f"{distinct:,} distinct values"
    return _constant(profile) or Decision("categorical", f"{values}{_marked(profile)}")


def _are_codes_of_rows(column: str, profile: ColumnProfile, filled: int) -> bool:
    """Whether each row has a code of its own, one word with a digit in it, and no words of people."""
    if profile.overflowed or len(profile.counts) != filled or filled < _ID_ROWS:
        return False
    return bool(_ID_NAME.search(column)) or all(_CODE_OF_A_ROW.match(str(text)) for text in profile.counts)


def _marked(profile: ColumnProfile) -> str:
    """Said of text that was meant as numbers, as spreadsheets write amounts of money and shares."""
    if profile.first_bad is None or profile.leading_zeros:
        return ""
    text = profile.first_bad[1].strip()
    units = profile.written.units
    if len(units) > 1:
        return f"; it holds numbers in {' and '.join(units)}{UNREAD[1]}"
    if _MARKED_NUMBER.match(text) and not profile.written.hopeless:
        return f"; {text!r}{UNREAD[0]}"
    share = profile.numbers.count / max(profile.filled, 1)
    return (
        f"; {min(share, 0.999):.0%} of its cells are numbers, but {text!r}{UNREAD[2]}" if share >= 0.5 else ""
    )


def _datetime(profile: ColumnProfile) -> Decision:
    role, reason = role_of_dates(profile)
    return Decision(role, reason)


def _constant(profile: ColumnProfile) -> Decision | None:
    """A column of one value without gaps; what it holds is watched at scoring."""
    if profile.missing:
        return None
    numbers = profile.numbers
    are_numbers = numbers.count == profile.rows and not profile.leading_zeros and not profile.is_boolean_type
    if profile.counts and profile.is_counted and not are_numbers:
        value = next(iter(profile.counts)) if len(profile.counts) == 1 else None
    elif not numbers.count or numbers.minimum != numbers.maximum:
        value = None
    elif str(profile.kind_type) == "bool":
        value = "true" if numbers.minimum else "false"
    elif numbers.is_one_inexact:
        value = next(iter(profile.exact)) if len(profile.exact) == 1 else None
    else:
        value = repr(numbers.minimum)
    return Decision("constant", f"always {cells.spelled(value)}", value) if value is not None else None
