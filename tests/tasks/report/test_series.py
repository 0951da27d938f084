"""The parts of a report on time series."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sensors import DAY, broken, readings

from aedetect import Config, Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.drift.measure import measure
from aedetect.tasks.report import Report, ReportRequest, report
from aedetect.tasks.report.series import SCORE, EventsPart, thinned
from aedetect.tasks.report.series_html import HEIGHT, WIDTH, _fine, _Scale, _tick, drawn, place

HOSTILE = "<script>m0</script>"


@cache
def detector() -> Detector:
    frame = readings(8, 2).replace({"machine": {"m0": HOSTILE}})
    frame["mode"] = np.where(frame["open"], "busy", "idle")
    settings = {"series.time": "time", "series.entity": ["machine"], "series.window": 24}
    return Detector({**settings, "threshold.alert_rate": 0.001}).fit(frame)


def new() -> pd.DataFrame:
    frame = broken(readings(3, 2, seed=5, start="2026-02-01"), 200, 260).replace({"machine": {"m0": HOSTILE}})
    frame["mode"] = np.where(frame["open"], "busy", "idle")
    return frame.assign(fault=[200 <= row < 260 for row in range(len(frame))])


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1012.46, 1013.97, ("1,012.5", "1,014.0")),
        (13.52, 23.31, ("13.5", "23.3")),
        (61.34, 78.81, ("61.3", "78.8")),
    ]
    + [(0.0, 5000.0, ("0", "5,000")), (4.0, 4.0, ("4", "4")), (1e9, 2e9, ("1e9", "2e9"))],
)
def test_the_ends_of_a_channel_are_told_apart(low: float, high: float, said: tuple[str, str]) -> None:
    assert (_fine(low, high - low), _fine(high, high - low)) == said


def test_what_float32_leaves_at_an_end_of_0_is_not_shown() -> None:
    pad = 0.06 * 190
    assert _Scale(-1.08e-6 - pad, 190 + pad).ends() == ("0", "190")
    assert _Scale(0.02 - 0.06 * 0.98, 1 + 0.06 * 0.98).ends() == ("0.02", "1")


def test_ticks_are_told_apart() -> None:
    assert [_tick(value, 1.0) for value in (1012.5, 1013.0, 1013.5)] == ["1,012.5", "1,013.0", "1,013.5"]
    assert [_tick(value, 1000.0) for value in (0.0, 500.0, 1000.0)] == ["0", "500", "1,000"]


def reported(frame: pd.DataFrame, label: str | None = None) -> Report:
    model = detector()
    return report(model.fitted, as_inputs(frame, model.config.data), ReportRequest(label), "plant")


@cache
def made() -> Report:
    return reported(new(), "fault")


def events() -> EventsPart:
    assert made().findings.events is not None
    return made().findings.events


@cache
def page() -> str:
    return made().html()


def test_events_are_told_and_rows_are_not() -> None:
    found = made().findings
    assert (events().events, events().series, len(events().panels)) == (1, 2, 2)
    assert found.strangest == []
    assert found.points == []
    assert {column.name for column in found.drifting} == {"temp", "load", "mode", "open"}
    assert made().verdict.startswith(f"1 event on 2 series in 2 d 23 h. The strangest, on {HOSTILE}, began")
    assert "too early" not in made().verdict


def test_rows_that_come_too_early_are_counted() -> None:
    few = pd.concat([new(), new()[:20].assign(time=new()["time"][:20] + pd.Timedelta("90D"))])
    found = reported(few)
    assert found.verdict.endswith("20 warm-up rows come too early in their series to have a score.")
    assert found.as_dict()["warmup"] == found.as_dict()["unscorable"] == 20
    page = found.html()
    assert "<li><b>20</b>warm-up</li>" in page
    assert "</b>unscorable</li>" not in page


def test_the_series_with_the_strangest_event_comes_first() -> None:
    first = events().panels[0]
    assert first.name == HOSTILE
    assert [line.name for line in first.lines][:2] == [SCORE, "temp"]
    (mark,) = first.marks
    start = pd.Timestamp("2026-02-01", tz="UTC").timestamp()
    assert mark.start <= start + 200 * 600
    assert mark.end >= start + 259 * 600
    assert mark.clear == (start + 200 * 600, start + 259 * 600)
    assert first.end - first.start == (3 * DAY - 1) * 600


def test_the_band_is_about_what_was_expected() -> None:
    line = next(line for line in events().panels[0].lines if line.name == "load")
    assert (line.low[:, 1] < line.high[:, 1]).all()
    low, high = (np.interp(line.seconds, edge[:, 0], edge[:, 1]) for edge in (line.low, line.high))
    calm = np.arange(len(line.seen)) > 300
    assert 0.85 < ((low <= line.seen) & (line.seen <= high))[calm].mean() < 1


def test_words_are_steps_among_those_that_occur() -> None:
    line = next(line for line in events().panels[0].lines if line.name == "mode")
    assert set(line.names) == {"idle", "busy"}
    assert set(np.unique(line.seen)) <= {0.0, 1.0}
    track = next(track for track in drawn(events().panels[0]) if track.name == "mode")
    assert track.bottom == f"from below: {', '.join(line.names)}"
    assert "V" in track.svg


def test_drawings_stay_within_their_frame() -> None:
    for panel in events().panels:
        assert place(panel, panel.start) == 0
        assert place(panel, panel.end) == WIDTH
        for track in drawn(panel):
            for path in re.findall(r' d="([^"]+)"', track.svg):
                ups = [float(up) for _, up in re.findall(r"[ML]([-\d.e]+) ([-\d.e]+)", path)]
                assert ups
                assert min(ups) >= 0
                assert max(ups) <= HEIGHT


def test_the_second_of_a_row_can_be_read_off_a_plot_of_months() -> None:
    panel = replace(events().panels[0], end=events().panels[0].start + 200 * 86_400)
    for row in (1, 777, 20_001):
        seconds = panel.start + 600 * row
        read = panel.start + place(panel, seconds) / WIDTH * (panel.end - panel.start)
        assert round(read) == seconds


def test_a_pause_is_drawn_as_one() -> None:
    frame = new()
    frame.loc[frame.index >= 100, "time"] += pd.Timedelta(days=2)
    found = reported(frame).findings.events
    assert found is not None
    track = next(track for track in drawn(found.panels[0]) if track.name == "temp")
    path = re.search(r'class="seen" d="([^"]+)"', track.svg)
    assert path is not None
    assert path.group(1).count("M") == 2


def test_the_page_shows_text_of_the_data_as_text() -> None:
    assert "&lt;script&gt;m0&lt;/script&gt;" in page()
    assert HOSTILE not in page()
    assert page().count("<script>") == 1
    assert '<section id="events"' in page()
    assert '<section id="rows"' not in page()
    assert "events caught, of 1" in page()


def test_a_message_names_the_events() -> None:
    told = made().markdown()
    assert "| event | from | for | score | why |" in told
    assert "&lt;script>m0&lt;/script> 1" in told
    assert "Columns to blame: temp" in told


def test_nothing_odd_is_said_so() -> None:
    quiet = readings(2, 1, seed=8, start="2026-02-01").assign(machine=HOSTILE)
    quiet["mode"] = np.where(quiet["open"], "busy", "idle")
    calm = reported(quiet)
    assert calm.findings.events is not None
    assert calm.findings.events.explanations == []
    assert calm.verdict.startswith("No event in 1 d 23 h: none of 288 rows looks out of the ordinary.")
    assert "| event |" not in calm.markdown()


def test_rows_without_a_time_are_no_reason_to_fail() -> None:
    frame = new()[:5].astype({"time": object}).assign(time="yesterday")
    frame.loc[0, "time"] = "2026-02-01 00:00"
    found = reported(frame).findings.events
    assert found is not None
    assert len(found.panels) == 1


def test_pictures_of_the_channels(tmp_path: object) -> None:
    pytest.importorskip("matplotlib")
    written = made().plots(str(tmp_path))
    names = {path.rpartition("/")[2] for path in written}
    assert {"scores-over-time.png", "channel-1.png", "columns.png"} <= names


@given(st.lists(st.one_of(st.floats(-5, 5), st.just(float("nan"))), min_size=1, max_size=300))
def test_thinned_lines_keep_the_lowest_and_the_highest(values: list[float]) -> None:
    array = np.array(values)
    kept = thinned(array, 20)
    assert len(kept) <= max(22, len(values) if len(values) <= 20 else 22)
    if not np.isnan(array).all():
        assert np.nanmin(array[kept]) == np.nanmin(array)
        assert np.nanmax(array[kept]) == np.nanmax(array)
    assert (np.diff(kept) > 0).all()


def test_false_events_a_day_are_what_was_accepted() -> None:
    model = detector().adjusted(Config.build(overrides={"threshold.alarms_per_day": 0.01}))
    made = report(model.fitted, as_inputs(new(), model.config.data), ReportRequest(), "plant")
    policy = model.fitted.threshold_policy
    assert policy.value > detector().threshold
    assert made.as_dict()["threshold"] == policy.value
    assert (
        " Accepted: at most 0.01 false events a day on each series, and at most 0.1% of normal rows."
        in made.verdict
    )
    assert "false alarms accepted" not in made.html()
    assert (
        f"rows with a p-value of at most {policy.flagging_rate:.3g} (at most 0.01 false events a day, alert "
        "rate at most 0.001)"
    ) in made.html()
    scores = next(line for line in made.findings.events.panels[0].lines if line.name == SCORE)  # type: ignore[union-attr]
    assert (scores.limit, scores.logarithmic) == (None, True)


def test_a_threshold_set_by_hand_is_drawn_that_of_p_values_is_not() -> None:
    model = detector().adjusted(Config.build(overrides={"threshold.value": 3.0}))
    by_hand = report(model.fitted, as_inputs(new(), model.config.data), ReportRequest(), "plant")
    by_p_value = report(detector().fitted, as_inputs(new(), model.config.data), ReportRequest(), "plant")
    limits = [
        next(line for line in made.findings.events.panels[0].lines if line.name == SCORE).limit  # type: ignore[union-attr]
        for made in (by_hand, by_p_value)
    ]
    assert limits == [3.0, None]
    assert '<span class="key limit"></span>threshold</span>' in by_hand.html()
    assert "rows right of the line are flagged" in by_hand.html()
    assert 'class="limit"' in by_hand.html()
    assert "</span>threshold</span>" not in by_p_value.html()
    assert "rows right of the line are flagged" not in by_p_value.html()
    assert 'class="limit"' not in by_p_value.html()
    assert "</b>highest p-value flagged</li>" in by_p_value.html()
    assert by_p_value.as_dict()["p_value_limit"] == 0.001


def test_a_series_report_finds_the_drift_that_drift_finds() -> None:
    moved = new().assign(load=lambda frame: frame["load"] + 40)
    for settings in ({}, {"drift.psi": 100.0, "drift.share": 0.99}):
        model = detector().adjusted(Config.build(overrides=settings))
        inputs = as_inputs(moved, model.config.data)
        found = measure(model.fitted, inputs)
        made = report(model.fitted, inputs, ReportRequest(), "plant")
        assert made.findings.drift is not None
        assert made.findings.drift.as_dict() == found.as_dict()
        assert ("load" in found.drifted) == (not settings)
