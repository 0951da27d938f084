"""The parts of an explanation: words, rarity, likeness."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.data.features import datetime
from aedetect.io.inputs import as_inputs
from aedetect.tasks.explain import ExplainRequest, explain
from aedetect.tasks.explain.counterfactual import chance
from aedetect.tasks.explain.expectation import Expectations, Expected
from aedetect.tasks.explain.format import apart, grouped, percent_down, quantity, share, with_spread
from aedetect.tasks.explain.normal_rows import NormalRows
from aedetect.tasks.explain.rarity import Rarities
from aedetect.tasks.explain.rows import _written
from aedetect.tasks.explain.time_of_day import in_common
from aedetect.tasks.explain.units import Unit


@pytest.mark.parametrize(
    ("value", "text"),
    [(106534.0, "106,534"), (98.214, "98.21"), (1234.5, "1,234"), (1.5e12, "1.5e+12"), (0.00012, "0.00012")]
    + [(float("inf"), "infinite"), (float("nan"), "missing"), (-3.0, "-3")],
)
def test_numbers_are_short(value, text):
    assert quantity(value) == text


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [(71.3, 4.2, "71.3 ± 4.2"), (1030.4, 400.0, "1,030 ± 400"), (0.5312, 0.0123, "0.531 ± 0.012")]
    + [(5.0, 0.0, "5"), (3e12, 2e11, "3e+12 ± 2e+11"), (3.0, 1.0, "3 ± 1"), (4.0, 0.9999, "4 ± 1")]
    + [(4.0, 1.3, "4.0 ± 1.3"), (1000.0, 100.0, "1,000 ± 100")],
)
def test_spreads_set_the_digits(value, spread, text):
    assert with_spread(value, spread) == text


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(min_value=0, allow_nan=False))
def test_any_number_can_be_written(value, spread):
    assert quantity(value)
    assert with_spread(value, spread)


@pytest.mark.parametrize(
    ("written", "told"),
    [("54540", "54,540"), ("-2091.60", "-2,091.60"), ("98.2", "98.2"), ("0.5", "0.5"), ("7", "7")]
    + [("2824.7999999999997", "2,824.8"), ("0.30000000000000004", "0.3"), ("007", "007"), ("1e5", "1e5")]
    + [("2026-01-05", "2026-01-05"), ("missing", "missing"), ("123456789012345678", "123456789012345678")]
    + [("110007315000.0", "110,007,315,000"), ("-123456789012.25", "-123,456,789,012.2")],
)
def test_numbers_are_told_with_their_thousands_apart(written, told):
    assert grouped(written) == told


@pytest.mark.parametrize(
    ("cell", "number", "unit", "written"),
    [("-48.500,00", -48_500.0, Unit(False, 2, -456.86, 3270.04), "-48,500.00")]
    + [("3.312,00", 3312.0, Unit(False, 2, -456.86, 3270.04), "3,312.00")]
    + [("55.0", 55.0, Unit(True, 0, 1.0, 5.0), "55"), ("2.5", 2.5, Unit(True, 0, 1.0, 5.0), "2.5")]
    + [("(45.001)", -45.001, Unit(False, 2, 0.0, 9.0), "-45.001")]
    + [("$98,000.00", 98_000.0, Unit(False, 2, 3.6, 9.0, before="$"), "$98,000.00")],
)
def test_a_cell_is_written_as_the_numbers_beside_it(cell, number, unit, written):
    assert _written(cell, number, unit) == written


def test_shares():
    assert [share(part) for part in (0, 0.0001, 0.032, 0.32, 0.9997, 1)] == [
        *["none", "less than 0.1%", "3.2%", "32%", "more than 99.9%", "all"]
    ]
    assert [percent_down(part) for part in (0.9739, 0.99999, 0.95)] == ["97.3%", "99.9%", "95%"]


@pytest.mark.parametrize(
    ("value", "beside", "text"),
    [
        (51.331234, 40.0, "51.33"),
        (12345.67, 12345.9, "12,345.7"),
        (0.0, -7e-6, "0"),
        (1e30, 1.00001e30, "1e+30"),
    ],
)
def test_numbers_are_told_apart(value, beside, text):
    assert apart(value, beside) == text


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / "normal.csv"
    tiny_frame(1000).to_csv(path, index=False)
    settings = {"training.epochs": 2, "training.folds": 2, "model.width": 16}
    return Detector(settings).fit(path)


@given(st.floats(-20, 60))
def test_rarity_is_the_share_of_normal_rows_as_far_out(detector, value):
    values = tiny_frame(1000).temp
    found = Rarities(detector.fitted.encoder).of("temp", np.zeros(4, np.float32), value)
    tail = min((values >= value).mean(), (values <= value).mean())
    assert found.share == pytest.approx(tail, abs=0.012)
    assert (found.direction is None) == (found.share > 0.05)


def test_rarity_of_categories_is_their_share(detector):
    names = detector.fitted.encoder.owners
    vocabulary = detector.fitted.encoder.state.categorical[0]
    row = np.zeros(4, np.float32)
    row[names.index("site")] = 2
    found = Rarities(detector.fitted.encoder).of("site", row, 0.0)
    assert found.share == pytest.approx((tiny_frame(1000).site == vocabulary.values[0]).mean())


def test_rarity_of_truth_values_is_their_share(detector):
    for word in ("true", "false"):
        row = np.zeros(4, np.float32)
        found = Rarities(detector.fitted.encoder).of("open", row, float(word == "true"))
        assert found.share == pytest.approx((tiny_frame(1000).open == word).mean(), abs=1e-6)


def test_a_normal_row_is_nearest_to_itself(detector):
    normal = NormalRows(detector.fitted)
    assert 0 < len(normal) <= len(detector.fitted.normal_rows)
    for place in (0, 7):
        away = normal.apart(normal.matrix[place]).sum(axis=1)
        assert normal.nearest(away, 3)[0] == place


def test_one_odd_column_does_not_decide_what_a_row_is_like(detector):
    normal = NormalRows(detector.fitted)
    row = normal.matrix[0].copy()
    row[0] = 500.0
    assert normal.apart(row)[:, 0].max() <= 4


def test_normal_rows_survive_the_model_file(detector, tmp_path):
    from aedetect import load

    detector.save(tmp_path / "m.aed")
    np.testing.assert_array_equal(load(tmp_path / "m.aed").fitted.normal_rows, detector.fitted.normal_rows)


def instants(*texts):
    seconds = np.array(texts, dtype="datetime64[s]").astype(float)
    return datetime.encode(seconds, ("day", "week", "year"))


def test_what_instants_have_in_common():
    cycles = ("day", "week", "year")
    same = instants("2026-03-02T14:20", "2026-03-09T14:40", "2027-03-15T13:50")
    assert in_common(same, cycles) == "Mondays, about 14:15, in March"
    night = instants("2026-03-02T23:50", "2026-06-17T00:10", "2026-11-20T00:05")
    assert in_common(night, cycles) == "about 00:00"
    apart = instants("2026-03-02T02:00", "2026-06-17T10:00", "2026-11-20T18:00")
    assert in_common(apart, cycles) == "any time"
    assert in_common(np.full((3, 6), np.nan), cycles) == "no value"


def test_what_is_expected_is_no_surprise():
    number = Expected(71.0, 4.0, None, "71 ± 4")
    assert number.holds("75", 75.0)
    assert not number.holds("98.2", 98.2)
    assert not number.holds("missing", float("nan"))
    site = Expected("north", None, 0.9, "north (90%)", options=("north",))
    assert site.holds("north", float("nan"))
    assert not site.holds("south", float("nan"))
    assert Expected(None, None, None, "any time", "are from").holds("2026-03-02 14:20", float("nan"))


def test_truth_values_are_expected_in_the_users_words(tmp_path):
    frame = tiny_frame(300)
    frame["open"] = frame.open.map({"true": "yes", "false": "no"})
    detector = Detector({"training.epochs": 1, "training.folds": 2, "model.width": 16}).fit(frame)
    normal = NormalRows(detector.fitted)
    expected = Expectations(detector.fitted.encoder, normal).of("open", np.arange(16))
    assert set(expected.options) <= {"yes", "no"}
    assert expected.value in ("yes", "no")


def test_density_is_the_share_of_rows_with_the_value(detector):
    normal = NormalRows(detector.fitted)
    place = detector.fitted.encoder.owners.index("site")
    away = normal.apart(normal.matrix[0])[:, place]
    same = (normal.matrix[:, place] == normal.matrix[0, place]).mean()
    assert normal.density(away) == pytest.approx(same)
    assert normal.density(np.full(5, 4.0)) == pytest.approx(0)


@pytest.fixture(scope="module")
def pair():
    """A model of two numbers that are the same."""
    number = np.random.default_rng(0).normal(size=2500)
    return Detector({"training.epochs": 10, "model.width": 32}).fit(pd.DataFrame({"a": number, "b": number}))


def attributed_first(detector, frame):
    """The column with the largest share, row by row."""
    request = ExplainRequest(rows=range(1, len(frame) + 1))
    found = explain(detector.fitted, as_inputs(frame, detector.config.data), request)
    return [one.columns[0].column for one in found.explained]


def test_a_usual_value_is_the_likelier_mistake_within_bounds():
    """A rare value is there for a reason; a mistake puts a usual one in its place most often."""
    assert chance(0.9, 1.0) > chance(0.1, 1.0) > chance(0.0, 1.0)
    assert chance(1.0, 1.0) < 5 * chance(0.0, 1.0)
    assert chance(0.5, 0.1) > chance(0.5, 1.0)
    assert np.isfinite([chance(0.0, 0.0), chance(1.0, -1e-9)]).all()


def test_a_score_is_attributed_to_a_value_that_no_normal_row_has(pair):
    wild, usual = np.array([-60.0, -20.0, 30.0, 60.0, 1e6]), np.linspace(-1, 1, 5)
    assert set(attributed_first(pair, pd.DataFrame({"a": usual, "b": wild}))) == {"b"}
    assert set(attributed_first(pair, pd.DataFrame({"a": wild, "b": usual}))) == {"a"}
