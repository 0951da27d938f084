"""Numbers in the kind and the precision of their column."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from aedetect import Detector
from aedetect.tasks.explain.format import number_of
from aedetect.tasks.explain.units import Unit, Units

WHOLE = Unit(True, 0, 0.0, 90.0)
MONEY = Unit(False, 2, 0.5, 999.99)
SHARE = Unit(False, None, 0.0, 1.0)
DOLLARS = Unit(False, 2, 3.6, 14_289.0, before="$")
PERCENT = Unit(True, 0, 0.0, 20.0, behind="%")


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [(WHOLE, 106534.0, "106,534"), (WHOLE, 1234567890123.0, "1,234,567,890,123"), (WHOLE, 2.5, "2.5")]
    + [(MONEY, 12.5, "12.50"), (MONEY, 1234.56, "1,234.56"), (MONEY, 3.0, "3.00"), (MONEY, 3.14159, "3.142")]
    + [(SHARE, 0.123456, "0.1235"), (SHARE, 1.0, "1"), (SHARE, float("nan"), "missing")],
)
def test_numbers_are_written_as_their_column_has_them(unit: Unit, value: float, text: str) -> None:
    assert unit.text(value) == text


@pytest.mark.parametrize(
    ("unit", "beside", "bound", "text"),
    [(WHOLE, 91.0, 90.0, "90"), (SHARE, 1.00001, 1.0, "1"), (SHARE, 12345.9, 12345.67, "12,345.7")]
    + [(SHARE, 0.1234561, 0.123456, "0.123456"), (MONEY, 1000.0, 999.99, "999.99")],
)
def test_an_extreme_is_told_apart_from_what_is_beyond_it(
    unit: Unit, beside: float, bound: float, text: str
) -> None:
    assert unit.bound(beside, bound) == text


@pytest.mark.parametrize(
    ("unit", "values", "text"),
    [(WHOLE, (5.0, 3.0, 7.0), "5 ± 2"), (WHOLE, (3.0, 3.0, 4.0), "3 to 4"), (WHOLE, (4.0, 4.0, 4.0), "4")]
    + [(WHOLE, (1.0, 0.0, 8.0), "0 to 8"), (MONEY, (71.3, 67.1, 75.5), "71.30 ± 4.20")]
    + [(SHARE, (0.98, 0.9, 1.0), "0.9 to 1"), (SHARE, (0.5, 0.4, 0.6), "0.5 ± 0.1")],
)
def test_what_is_expected_stays_in_the_range_and_the_kind(
    unit: Unit, values: tuple[float, float, float], text: str
) -> None:
    assert unit.around(*values)[0] == text


def test_the_mark_of_the_cells_stands_at_every_number() -> None:
    assert DOLLARS.text(98_000.0) == "$98,000.00"
    assert DOLLARS.text(-12.5) == "-$12.50"
    assert DOLLARS.bound(98_000.0, 14_289.0) == "$14,289.00"
    assert DOLLARS.around(1259.64, 407.89, 2111.39)[0] == "$1,259.64 ± $851.75"
    assert DOLLARS.likely(71.3, 4.2) == "$71.30 ± $4.20"
    assert PERCENT.around(4.0, 0.0, 10.0)[0] == "0% to 10%"
    assert PERCENT.text(float("nan")) == "missing"


@pytest.mark.parametrize(
    ("text", "number"),
    [("$98,000.00", 98_000.0), ("-$12.50", -12.5), ("10%", 10.0), ("12 kWh", 12.0), ("CHF 1,234.5", 1234.5)]
    + [("1.2e+09", 1.2e9), ("-48,500", -48_500.0)],
)
def test_numbers_are_read_back_with_their_marks(text: str, number: float) -> None:
    assert number_of(text) == number


def test_what_a_model_expects_is_of_the_columns_kind() -> None:
    assert WHOLE.likely(-3.4, 0.3) == "0"
    assert WHOLE.likely(3.4, 1.8) == "3 ± 2"
    assert SHARE.likely(float("nan"), 1.0) == "missing"


def test_encoded_rows_come_back_without_what_float32_added() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "count": np.where(random.random(400) < 0.5, 0, random.poisson(30, 400)),
            "money": np.where(random.random(400) < 0.5, 0, random.gamma(2, 50, 400).round(2)),
            "share": np.where(random.random(400) < 0.3, 0, random.random(400)),
        }
    )
    fitted = Detector({"training.epochs": 1, "training.folds": 2, "model.width": 16}).fit(frame).fitted
    units = Units(fitted.encoder, fitted.normal_rows)
    values = {name: set(array.to_pylist()) for name, array in units.decoded(fitted.normal_rows).items()}
    assert values["count"] <= set(frame["count"].astype(float))
    assert values["money"] <= set(frame["money"])
    assert 0.0 in values["share"]
    assert min(values["share"]) == 0
    assert [units[name].decimals for name in ("count", "money", "share")] == [0, 2, None]


def test_digits_that_encoding_took_away_are_not_made_up() -> None:
    unit = Unit(True, 0, 0.0, 9e9, center=0.0, spread=10.0)
    assert unit.decoded(1.0) == "1"
    assert unit.decoded(123456000.0) == "about 123,456,000"
    assert unit.decoded(9e9) == "9,000,000,000"


def test_a_value_of_series_is_not_beyond_an_extreme_by_rounding_alone() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"level": random.gamma(2, 50, 400), "other": random.random(400)})
    encoder = Detector({"training.epochs": 1, "training.folds": 2}).fit(frame).fitted.encoder
    units = Units(encoder, np.empty((0, 2), np.float32))
    low = float(frame["level"].min())
    assert units.settled("level", low - 1e-6) == low
    assert units.settled("level", low - 1.0) == pytest.approx(low - 1.0, abs=1e-4)
    assert math.isnan(units.settled("level", float("nan")))


def test_prices_in_steps_of_ten_cents_have_two_decimals() -> None:
    prices = np.random.default_rng(0).choice([38.5, 60.0, 31.5, 264.0], 300)
    frame = pd.DataFrame({"price": [f"{value:.2f} €".replace(".", ",") for value in prices], "x": prices + 1})
    fitted = Detector({"training.epochs": 1, "training.folds": 2, "model.width": 16}).fit(frame).fitted
    units = Units(fitted.encoder, fitted.normal_rows)
    assert units["price"].text(72.0) == "72.00€"
