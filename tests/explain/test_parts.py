"""The parts of an explanation: words, rarity, likeness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.explain.like import NormalRows
from aedetect.explain.rarity import Rarities
from aedetect.explain.words import quantity, share, with_spread


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
    + [(5.0, 0.0, "5"), (3e12, 2e11, "3e+12 ± 2e+11")],
)
def test_spreads_set_the_digits(value, spread, text):
    assert with_spread(value, spread) == text


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(min_value=0, allow_nan=False))
def test_any_number_can_be_written(value, spread):
    assert quantity(value)
    assert with_spread(value, spread)


def test_shares():
    assert [share(part) for part in (0, 0.0001, 0.032, 0.32, 1)] == [
        *["none", "less than 0.1%", "3.2%", "32%", "all"]
    ]


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / "normal.csv"
    tiny_frame(1000).to_csv(path, index=False)
    settings = {"training.epochs": 2, "training.folds": 2, "model.width": 16}
    return Detector(settings).fit(path)


@given(st.floats(-20, 60))
def test_rarity_is_the_share_of_normal_rows_as_far_out(detector, value):
    values = tiny_frame(1000).temp
    found = Rarities(detector.encoder).of("temp", np.zeros(4, np.float32), value)
    tail = min((values >= value).mean(), (values <= value).mean())
    assert found.share == pytest.approx(tail, abs=0.012)
    assert (found.direction is None) == (found.share > 0.05)


def test_rarity_of_categories_is_their_share(detector):
    names = detector.encoder.owners
    vocabulary = detector.encoder.state.categorical[0]
    row = np.zeros(4, np.float32)
    row[names.index("site")] = 2
    found = Rarities(detector.encoder).of("site", row, 0.0)
    assert found.share == pytest.approx((tiny_frame(1000).site == vocabulary.values[0]).mean())


def test_rarity_of_truth_values_is_their_share(detector):
    for word in ("true", "false"):
        row = np.zeros(4, np.float32)
        found = Rarities(detector.encoder).of("open", row, float(word == "true"))
        assert found.share == pytest.approx((tiny_frame(1000).open == word).mean(), abs=1e-6)


def test_a_normal_row_is_nearest_to_itself(detector):
    normal = NormalRows(detector)
    assert 0 < len(normal) <= len(detector.normal_rows)
    for place in (0, 7):
        away = normal.apart(normal.matrix[place]).sum(axis=1)
        assert normal.nearest(away, 3)[0] == place


def test_one_odd_column_does_not_decide_what_a_row_is_like(detector):
    normal = NormalRows(detector)
    row = normal.matrix[0].copy()
    row[0] = 500.0
    assert normal.apart(row)[:, 0].max() <= 4


def test_normal_rows_survive_the_model_file(detector, tmp_path):
    from aedetect import load

    detector.save(tmp_path / "m.aed")
    np.testing.assert_array_equal(load(tmp_path / "m.aed").normal_rows, detector.normal_rows)
