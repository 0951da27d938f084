"""The columns that settings name, found among those of the data: lists and patterns become names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from aedetect.config import Config, DataConfig, SeriesConfig
from aedetect.config.names import matching, no_column, rejoined, split_names, unmatched
from aedetect.errors import UsageError

# Of a long table these may name channels, which are no columns yet.
OF_CHANNELS = frozenset({"--columns", "--exclude", "--role"})


def named_columns(config: Config, columns: Sequence[str], later: Collection[str] = ()) -> Config:
    """The settings with the names of `columns` in place of lists and patterns such as 'temp*'.

    Options among `later` may name columns that are still to come, and keep what is not there. Raises
    UsageError for a name or a pattern that no column has.
    """
    data, series = config.data, config.series
    lists = {
        option: _names(option, typed, columns, option in later) for option, typed in _lists(data, series)
    }
    roles = {
        column: role
        for typed, role in data.roles.items()
        for column in _names("--role", [typed], columns, "--role" in later)
    }
    # What is named in full has the last word, whatever patterns say before or behind it.
    roles |= {name: role for name, role in data.roles.items() if name in columns}
    resolved = config.model_copy(
        update={
            "data": data.model_copy(
                update={
                    "columns": lists["--columns"],
                    "exclude": lists["--exclude"],
                    "id": lists["--id"],
                    "group": lists["--group"],
                    "roles": roles,
                }
            ),
            "series": series.model_copy(update={"entity": lists["--entity"]}),
        }
    )
    check_names(resolved.data, resolved.series, columns, later)
    return resolved


def check_names(
    data: DataConfig, series: SeriesConfig, columns: Sequence[str], later: Collection[str] = ()
) -> None:
    """Raises UsageError where a setting, but for the options `later`, names none of `columns`."""
    for option, names in (
        ("--time", series.time_columns),
        *_lists(data, series),
        ("--label", [] if data.label is None else [data.label]),
        ("--role", list(data.roles)),
    ):
        for name in names if option not in later else ():
            if name not in columns:
                raise UsageError(no_column(option, name, columns))


def are_named(config: Config) -> bool:
    """Whether the settings name any column."""
    data, series = config.data, config.series
    named = any(names for _, names in _lists(data, series))
    return named or bool(series.time_columns or data.roles) or data.label is not None


def _lists(data: DataConfig, series: SeriesConfig) -> Iterator[tuple[str, list[str]]]:
    yield "--entity", series.entity
    yield "--columns", data.columns
    yield "--exclude", data.exclude
    yield "--id", data.id
    yield "--group", data.group


def _names(option: str, typed: Sequence[str], columns: Sequence[str], lax: bool) -> list[str]:
    names: dict[str, None] = {}
    for text in rejoined(typed, columns):
        matched = matching(text, columns)
        if matched is None and lax:
            matched = split_names(text)
        if matched is None and text.strip():
            raise UsageError(no_column(option, unmatched(text, columns), columns))
        names |= dict.fromkeys(matched or ())
    return list(names)
