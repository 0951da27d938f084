"""The parts of a report: bins, shifts, the card, charts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.data.sampling import RowSample
from aedetect.tasks.report import charts
from aedetect.tasks.report.bins import MOST_BLOCKS, ScoreHistogram, Timeline
from aedetect.tasks.report.card import escaped, spark
from aedetect.tasks.report.page import as_high
from aedetect.tasks.report.shift import Shifts


@given(st.lists(st.floats(0, 1e12) | st.just(float("nan")), max_size=200), st.floats(0.01, 1e3))
def test_no_bar_holds_flagged_and_other_rows(values, threshold):
    histogram = ScoreHistogram(threshold)
    scores = np.array(values)
    histogram.add(scores)
    assert histogram.counts.sum() == (~np.isnan(scores)).sum()
    above = histogram.edges[:-1] >= threshold * (1 - 1e-9)
    assert histogram.counts[above].sum() == pytest.approx((scores > threshold).sum(), abs=0)


@given(st.lists(st.integers(0, 900), max_size=12))
def test_a_timeline_is_the_same_however_rows_arrive(cuts):
    random = np.random.default_rng(0)
    rows = sum(cuts)
    scores, flagged = random.random(rows), random.random(rows) < 0.05
    scores[::7] = np.nan
    pieces, whole = Timeline(), Timeline()
    start = 0
    for size in cuts:
        pieces.add(scores[start : start + size], flagged[start : start + size])
        start += size
    whole.add(scores, flagged)
    assert repr(pieces.blocks()) == repr(whole.blocks())
    assert len(whole.blocks()) <= MOST_BLOCKS
    assert sum(block.flagged for block in whole.blocks()) == flagged.sum()
    for block in whole.blocks():
        part = scores[block.first - 1 : block.last]
        assert np.isnan(part).all() or block.highest == np.nanmax(part)


@pytest.fixture(scope="module")
def detector():
    settings = {"training.epochs": 2, "training.folds": 2, "model.width": 16}
    return Detector(settings).fit(tiny_frame(2000))


def moved(detector, frame):
    import pyarrow as pa

    shifts = Shifts(detector.encoder)
    for batch in pa.Table.from_pandas(frame, preserve_index=False).to_batches(max_chunksize=300):
        shifts.add(detector.encoder.transform(batch).matrix)
    return {shift.column: shift for shift in shifts.found()}


def test_columns_that_moved_are_told_from_those_that_did_not(detector):
    same = moved(detector, tiny_frame(2000, seed=4))
    assert all(shift.words == "little" for shift in same.values())
    frame = tiny_frame(2000, seed=4)
    frame["temp"] += 6
    frame.loc[:1500, "site"] = "west"
    frame.loc[:400, "load"] = None
    found = moved(detector, frame)
    assert (found["temp"].words, found["site"].words) == ("much", "much")
    assert found["load"].missing_now == pytest.approx(401 / 2000)


def test_a_sample_is_uniform_and_bounded():
    sample = RowSample(100)
    matrix = np.zeros((1000, 1), np.float32)
    for batch in range(10):
        sample.add(1 + 1000 * batch, np.ones(1000), matrix, np.arange(1000))
    rows = [row for row, _, _ in sample.rows]
    assert len(rows) == len(set(rows)) == 100
    assert 3500 < np.mean(rows) < 6500


@given(st.text())
def test_text_in_markdown_has_no_markup(text):
    shown = escaped(text)
    assert "\n" not in shown
    assert not any(mark in shown.replace("\\" + mark, "") for mark in "|`*[")
    assert "<" not in shown


def test_a_curve_as_blocks():
    assert spark(tuple((step, 0.0, 8.0 - step) for step in range(8))) == "█▇▆▅▄▃▂▁"
    assert spark(((1, 0.5, 0.5),)) == "▁"


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e6), st.booleans())
def test_ticks_lie_on_the_axis(low, factor, logarithmic):
    axis = charts.Axis(low, low * factor, 0, 100, logarithmic)
    ticks = axis.ticks()
    assert len(ticks) <= 8
    assert all(low * (1 - 1e-6) <= tick <= low * factor * (1 + 1e-6) for tick in ticks)


def test_names_in_charts_are_escaped():
    drawn = str(charts.curves("<script>", [("first", [0, 1], [0, 1])], '"x"', "<y>"))
    assert "<script>" not in drawn
    assert "&lt;y&gt;" in drawn


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.05, "0.05"), (1500, "1,500"), (20_000, "20k"), (3_000_000, "3M"), (5e12, "5e12")],
)
def test_ticks_are_short(value, text):
    assert charts.tick(value) == text


def test_a_short_logarithmic_axis_has_ticks_between_powers_of_ten():
    assert charts.Axis(0.7, 30, 0, 100, logarithmic=True).ticks() == [1, 2, 5, 10, 20]


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (1e-16, "Fewer than one normal row in a million scores as high."),
        (0.000161, "About one normal row in 6,200 scores as high."),
        (0.03, "Of normal rows, 3% score as high."),
    ],
)
def test_p_values_in_words(p_value, said):
    assert as_high(p_value) == said
