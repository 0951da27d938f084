"""The parts of a report: bins, drift, the card, charts."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import tiny_frame

from aedetect import Config, Detector
from aedetect.config import DriftConfig
from aedetect.data.sampling import RowSample
from aedetect.io.inputs import as_inputs
from aedetect.tasks.drift.measure import measure
from aedetect.tasks.report import ReportRequest, charts, report
from aedetect.tasks.report.bins import MOST_BLOCKS, MOST_ROWS, ScoreHistogram, ScoreTimeline
from aedetect.tasks.report.card import escaped, spark
from aedetect.tasks.report.collect import headline, remark
from aedetect.tasks.report.outcomes import FLAGGED, OutcomeCounts
from aedetect.tasks.report.page import as_high
from aedetect.tasks.score_counts import RowCounts


@given(st.lists(st.floats(0, 1e12) | st.just(float("nan")), max_size=200), st.floats(0.01, 1e3))
def test_no_bar_holds_flagged_and_other_rows(values, threshold):
    histogram = ScoreHistogram(threshold)
    scores = np.array(values)
    histogram.add(scores)
    assert histogram.counts.sum() == (~np.isnan(scores)).sum()
    above = histogram.edges[:-1] >= threshold * (1 - 1e-9)
    assert histogram.counts[above].sum() == pytest.approx((scores > threshold).sum(), abs=0)


@given(st.lists(st.integers(0, 4000), max_size=8))
def test_a_timeline_is_the_same_however_rows_arrive(cuts):
    random = np.random.default_rng(0)
    rows = sum(cuts)
    scores, flagged = random.random(rows), FLAGGED * (random.random(rows) < 0.05).astype(np.int8)
    scores[::7] = np.nan
    pieces, whole = ScoreTimeline(), ScoreTimeline()
    start = 0
    for size in cuts:
        pieces.add(scores[start : start + size], flagged[start : start + size])
        start += size
    whole.add(scores, flagged)
    assert repr(pieces.blocks()) == repr(whole.blocks())
    assert len(whole.blocks()) <= (MOST_BLOCKS if rows > MOST_ROWS else MOST_ROWS)
    assert str(whole.size).rstrip("0") in {"1", "2", "5"}
    assert sum(sum(block.outcomes) for block in whole.blocks()) == rows
    assert sum(block.flagged for block in whole.blocks()) == flagged.sum()
    for block in whole.blocks():
        part = scores[block.first - 1 : block.last]
        assert np.isnan(part).all() or block.highest == np.nanmax(part)


@pytest.fixture(scope="module")
def detector():
    settings = {"training.epochs": 2, "training.folds": 2, "model.width": 16}
    return Detector(settings).fit(tiny_frame(2000))


def moved_frame():
    frame = tiny_frame(2000, seed=4)
    frame["temp"] += 6
    frame.loc[:1500, "site"] = "west"
    frame.loc[:400, "load"] = None
    frame["open"] = "true"
    return frame


def both(detector, frame, **drift):
    """What drift finds in a table, and what a report says of it, under the same settings."""
    settings = Config(drift=DriftConfig(**drift))
    fitted, inputs = detector.fitted.adjusted(settings), as_inputs(frame, detector.config.data)
    return measure(fitted, inputs), report(fitted, inputs, ReportRequest(), "plant")


@pytest.mark.parametrize(
    "drift",
    [
        {},
        {"psi": 100.0, "share": 0.99},
        pytest.param({"least_rows": 5000}, marks=pytest.mark.slow),
        pytest.param({"psi": 0.001}, marks=pytest.mark.slow),
    ],
)
def test_a_report_finds_the_drift_that_drift_finds(detector, drift):
    for frame in (moved_frame(), tiny_frame(2000, seed=4)):
        found, made = both(detector, frame, **drift)
        assert made.findings.drift.as_dict() == found.as_dict()
        assert {column.name for column in made.findings.drifting} == {column.name for column in found.columns}
        assert f"<p>{found.text[0].upper()}{found.text[1:]}.</p>" in unescape(made.html())


@pytest.mark.slow
def test_settings_decide_what_a_report_calls_drift(detector):
    strict = both(detector, moved_frame())[1].findings.drift
    assert (strict.verdict, set(strict.drifted)) == ("drifted", {"temp", "load", "site", "open"})
    lax, made = both(detector, moved_frame(), psi=100.0, share=0.99)
    assert (made.findings.drift.verdict, made.findings.drift.drifted) == ("steady", [])
    assert lax.text == made.findings.drift.text == "the 2,000 rows are spread as in training"
    page = made.html()
    assert (
        "from 100 on, or where 99% more cells are missing, new or out of range, a column has drifted" in page
    )
    assert "Drift: " not in made.markdown()


def test_columns_that_drifted_come_first_and_missing_cells_are_told(detector):
    _, made = both(detector, moved_frame().assign(open=tiny_frame(2000, seed=4)["open"]))
    assert [column.drifted for column in made.findings.drifting] == [True, True, True, False]
    assert '<td title="load">load</td>' in made.html()
    assert "0.0% → 20.1%" in made.html()
    assert "Drift: 3 of 4 columns ('temp', 'load', 'site') and the scores have drifted since training" in (
        made.markdown()
    )


def test_a_model_that_kept_no_training_values_says_so(detector):
    fitted = replace(detector.fitted, sketch=None)
    made = report(fitted, as_inputs(tiny_frame(50), detector.config.data), ReportRequest(), "plant")
    assert made.findings.drift is None
    assert (
        '<p class="note">The model file does not hold how its training data were spread, as it was made by '
        "an older version; retrain to see what has moved.</p>"
    ) in made.html()


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
    assert 1 <= len(ticks) <= 8
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


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_rows_have_whole_numbers_on_an_axis(low, span):
    ticks = charts.Axis(low, low + span, 0, 100, whole=True).ticks()
    assert all(tick == int(tick) for tick in ticks)
    assert 1 <= len(ticks) <= 8


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


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"rows": 500}, "None of 500 rows looks out of the ordinary."),
        ({"rows": 3, "unscorable": 1}, "None of 2 rows with a score looks out of the ordinary."),
        ({"rows": 1}, "The one row does not look out of the ordinary."),
        ({"rows": 2, "unscorable": 1}, "The one row with a score does not look out of the ordinary."),
        ({"rows": 2, "unscorable": 2, "warmup": 2}, "None of 2 rows has a score."),
        ({"rows": 1, "unscorable": 1}, "The one row has no score."),
        ({}, "There are no rows."),
        ({"rows": 4, "anomalies": 1}, "1 of 4 rows (25.00%) does not look like the training data."),
    ],
)
def test_the_headline_speaks_of_rows_with_a_score(detector, counts, said):
    made = report(detector.fitted, as_inputs(tiny_frame(5), detector.config.data), ReportRequest(), "plant")
    assert headline(replace(made.findings, counts=RowCounts(**counts))) == said


@pytest.mark.parametrize(
    ("p_values", "anomalies", "said"),
    [
        ((0.004, 0.006), 2, ", so that many may well be chance."),
        ((3e-9, 0.006), 2, ", so that many may well be chance, but 1 of them scores too high for that."),
        ((3e-9, 1e-6), 5, ", so that many may well be chance, but 2 of them score too high for that."),
        ((3e-9, 1e-6), 2, ", but hardly ever a score as high as these."),
        ((3e-9,), 1, ", but hardly ever a score as high as this."),
    ],
)
def test_no_score_that_no_chance_explains_is_called_chance(detector, p_values, anomalies, said):
    frame = tiny_frame(60)
    frame.loc[: len(p_values) - 1, "temp"] = 1e6
    made = report(detector.fitted, as_inputs(frame, detector.config.data), ReportRequest(), "plant")
    explained = [replace(one, p_value=p) for one, p in zip(made.findings.strangest, p_values, strict=False)]
    findings = replace(made.findings, counts=RowCounts(rows=600, anomalies=anomalies))
    findings.__dict__["strangest"] = explained
    assert remark(findings) == f"Normal rows alone would give about {findings.policy.promised_rate:.2%}{said}"


@pytest.mark.parametrize(
    ("rows", "lost", "said"),
    [
        ((9, 0, 3, 2, 1), 0, "3 of the flagged rows are hits and 2 false alarms; 1 labelled row was missed."),
        (
            (9, 1, 1, 1, 0),
            0,
            "1 of the flagged rows is a hit, 1 a false alarm and 1 has no label; "
            "0 labelled rows were missed.",
        ),
        (
            (9, 2, 0, 0, 2),
            1,
            "0 of the flagged rows are hits, 0 false alarms and 2 have no label; "
            "2 labelled rows were missed and 1 could not be scored.",
        ),
        ((9, 0, 0, 0, 2), 0, "2 labelled rows were missed."),
        ((9, 0, 0, 0, 0), 0, "no row is an anomaly."),
        ((9, 0, 0, 4, 0), 0, "no row is an anomaly; 4 false alarms."),
    ],
)
def test_what_labels_say_is_one_sentence(detector, rows, lost, said):
    inputs = as_inputs(tiny_frame(5).assign(odd=0), detector.config.data)
    made = report(detector.fitted, inputs, ReportRequest("odd"), "plant")
    assert remark(replace(made.findings, outcomes=OutcomeCounts(rows, lost))) == f"By the labels, {said}"
