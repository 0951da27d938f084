"""Columns that settings name, found among those of the data."""

from __future__ import annotations

from typing import Any

import pytest

from aedetect.config import Config
from aedetect.data.named_columns import OF_CHANNELS, are_named, check_names, named_columns
from aedetect.errors import UsageError

COLUMNS = ["at", "temp_in", "temp_out", "Amount, EUR", "site", "a", "b", "a,b"]


def named(later: frozenset[str] = frozenset(), **overrides: Any) -> Config:
    config = Config.build(overrides={name.replace("__", "."): value for name, value in overrides.items()})
    return named_columns(config, COLUMNS, later)


@pytest.mark.parametrize("setting", ["columns", "exclude", "id"])
@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["temp*", "site"], ["temp_in", "temp_out", "site"]),
        (["Amount, EUR"], ["Amount, EUR"]),
        ("Amount, EUR", ["Amount, EUR"]),
        ("Amount, EUR,site", ["Amount, EUR", "site"]),
        (['"Amount, EUR",site'], ["Amount, EUR", "site"]),
        (["a,b"], ["a,b"]),
        (["a", "b"], ["a", "b"]),
        (["site,temp_in", "site"], ["site", "temp_in"]),
        ([""], []),
    ],
)
def test_lists_patterns_and_names_with_commas(setting: str, typed: Any, names: list[str]) -> None:
    assert getattr(named(**{f"data__{setting}": typed}).data, setting) == names


def test_entities_and_roles() -> None:
    config = named(
        series__time="at",
        series__entity="site",
        data__roles={"temp*": "numeric", "temp_out": "ignored", "Amount, EUR": "categorical"},
    )
    assert config.series.entity == ["site"]
    assert config.data.roles == {
        "temp_in": "numeric",
        "temp_out": "ignored",
        "Amount, EUR": "categorical",
    }


def test_settings_without_names_are_as_they_were() -> None:
    assert named() == Config()
    assert not are_named(Config())
    assert are_named(Config.build(overrides={"data.label": "x"}))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"series__time": "AT"}, "--time: no column named 'AT' in the data; did you mean 'at'?"),
        ({"series__entity": ["Site"]}, "--entity: no column named 'Site' in the data; did you mean 'site'?"),
        ({"data__label": "Site"}, "--label: no column named 'Site' in the data; did you mean 'site'?"),
        ({"data__id": ["site,tmp_in"]},
         "--id: no column named 'tmp_in' in the data; did you mean 'temp_in'?"),
        ({"data__exclude": ["Temp*"]},
         "--exclude: no column in the data matches 'Temp*'; did you mean 'temp_in'?"),
        ({"data__roles": {"Site": "id"}}, "--role: no column named 'Site' in the data; did you mean 'site'?"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_with_what_may_be_meant(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        named(**overrides)
    assert str(caught.value) == (f'{said} There are: at, temp_in, temp_out, "Amount, EUR", site, a, b, "a,b"')


def test_channels_of_a_long_table_are_still_to_come() -> None:
    config = named(OF_CHANNELS, data__exclude=["temp*,pressure"], data__roles={"pressure": "numeric"})
    assert config.data.exclude == ["temp*", "pressure"]
    assert config.data.roles == {"pressure": "numeric"}


def test_names_are_checked_where_they_are_spelled_out() -> None:
    config = Config.build(overrides={"data.id": ["Site"]})
    with pytest.raises(UsageError, match="^--id: no column named 'Site' in the data; did you mean 'site'"):
        check_names(config.data, config.series, COLUMNS)
