"""Rows that are muted: a stage after the threshold, which counts apart and changes no score."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.sensors import broken, readings
from support.tables import tiny_frame

from aedetect import Detector, load
from aedetect.engine.callbacks import Callback
from aedetect.engine.stream import run_to_table
from aedetect.io.inputs import as_inputs
from aedetect.scoring.events import Event
from aedetect.scoring.series import SeriesScorer
from aedetect.scoring.suppression import FlaggedRows, Reason, SeenRows, Suppression, without_muted
from aedetect.tasks.score import ScoreTask, Shape, counted
from aedetect.tasks.scored_rows import ScoredBatch, score_inputs

FINE = Reason("rule", "north", "north is always odd")
SEEN = ["anomaly_score", "anomaly_p_value", "anomaly_features"]


class North:
    """Mutes rows of a site; remembers how many rows it was asked about, and which sources it saw."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.seen: list[tuple[str, int, int]] = []

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        self.asked.append(len(flagged))
        assert flagged.cells is not None
        assert flagged.encoded is not None
        assert flagged.source is not None
        assert len(flagged.cells) == len(flagged.encoded) == len(flagged.attribution) == len(flagged)
        return [FINE if site == "north" else None for site in flagged.cells.column("site").to_pylist()]

    def watch(self, rows: SeenRows) -> None:
        assert rows.cells is not None
        self.seen.append((rows.source.name, rows.first, len(rows.cells)))

    def notices(self, source: object) -> list[str]:
        return ["seen"]


class Hours:
    """Mutes the rows of series between two instants."""

    def __init__(self, first: str, last: str):
        self.ends = pd.Timestamp(first).timestamp(), pd.Timestamp(last).timestamp()

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        series = flagged.series
        assert series is not None
        assert len(series.places) == len(series.event) == len(series.lasted) == len(flagged)
        assert series.flagged[series.places].all()
        inside = (series.seconds >= self.ends[0]) & (series.seconds < self.ends[1])
        return [Reason("calendar", "night", "at night") if one else None for one in inside.tolist()]


def odd_rows(rows: int = 200) -> pd.DataFrame:
    """Rows of the tiny table, every fifth of which is far off."""
    frame = tiny_frame(rows, seed=7)
    frame.loc[::5, "load"] = -900.0
    return frame


@pytest.fixture(scope="module")
def table(tiny_model: Path) -> Detector:
    return load(tiny_model, device="cpu")


def scored(detector: Detector, frame: pd.DataFrame, suppression: Suppression | None) -> pd.DataFrame:
    inputs = as_inputs(pa.Table.from_pandas(frame, preserve_index=False), detector.config.data)
    task = ScoreTask(detector.fitted, inputs, Shape(), suppression=suppression)
    return run_to_table(task, inputs, Callback())[0].to_pandas()


def test_a_muted_row_keeps_its_score_and_is_not_flagged(table: Detector) -> None:
    frame = odd_rows()
    before, after = scored(table, frame, None), scored(table, frame, Suppression([North()]))
    muted = before["is_anomaly"].astype(bool) & (frame["site"] == "north")
    assert 0 < muted.sum() < before["is_anomaly"].sum()
    pd.testing.assert_frame_equal(before[SEEN], after[SEEN])
    assert after["is_anomaly"].tolist() == (before["is_anomaly"].astype(bool) & ~muted).tolist()
    assert after["anomaly_status"].tolist() == np.where(muted, "muted", "ok").tolist()
    assert after["anomaly_muted_by"].fillna("").tolist() == np.where(muted, "rule: north", "").tolist()
    assert json.loads(after["anomaly_features"][muted].iloc[0])


def test_the_column_of_what_muted_is_there_only_where_something_may(table: Detector) -> None:
    assert "anomaly_muted_by" not in scored(table, odd_rows(), None)
    assert scored(table, tiny_frame(20), Suppression([North()]))["anomaly_muted_by"].isna().all()


def test_every_row_ends_as_one_of_four(table: Detector) -> None:
    frame = odd_rows().astype({"temp": object})
    frame.loc[3, "temp"] = "?"
    counts = []
    inputs = as_inputs(pa.Table.from_pandas(frame.astype(str), preserve_index=False), table.config.data)

    def see(batch: ScoredBatch) -> None:
        counts.append(counted(batch.scores))

    passed = score_inputs(table.fitted, inputs, see, suppression=Suppression([North()]))
    total = sum(counts, start=type(counts[0])())
    assert total["normal"] + total["anomalies"] + total["unscorable"] + total["muted"] == total["rows"] == 200
    assert total["unscorable"] == 1
    assert passed.counts.muted == total["muted"] > 0
    assert passed.muted_by == [{"kind": "rule", "name": "north", "rows": total["muted"]}]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_where_a_table_is_cut_changes_nothing(table: Detector, size: int) -> None:
    whole = scored(table, odd_rows(), Suppression([North()]))
    cut = Detector({"scoring.batch_rows": size})
    cut._fitted = table.fitted.adjusted(cut.config)
    pd.testing.assert_frame_equal(scored(cut, odd_rows(), Suppression([North()])), whole)


def test_only_flagged_rows_are_asked_about_and_all_are_seen(table: Detector) -> None:
    north = North()
    found = scored(table, odd_rows(), Suppression([north], [north]))
    assert sum(north.asked) == int((found["is_anomaly"] | (found["anomaly_status"] == "muted")).sum())
    assert [(first, rows) for _, first, rows in north.seen] == [(1, 200)]


def test_each_is_asked_of_what_those_before_it_left(table: Detector) -> None:
    class Everything(North):
        def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
            assert flagged.cells is not None
            assert "north" not in flagged.cells.column("site").to_pylist()
            assert flagged.blamed(0)
            return [Reason("calendar", "all", "all of it")] * len(flagged)

    found = scored(table, odd_rows(), Suppression([North(), Everything(), North()]))
    said = set(found["anomaly_muted_by"].dropna())
    assert said == {"rule: north", "calendar: all"}
    assert not found["is_anomaly"].any()


@cache
def sensors() -> Detector:
    settings = {
        "series.time": "time", "series.entity": ["machine"], "series.window": 24, "training.epochs": 2,
        "training.device": "cpu",
    }  # fmt: skip
    return Detector(settings).fit(readings(8, 2))


# Machine m0 is off twice, m1 once.
NEW = broken(broken(broken(readings(4, 2, seed=5, start="2026-02-01"), 150, 165), 300, 320), 800, 815)
FIRST = ("2026-02-02 00:30", "2026-02-02 04:00")


def session(suppression: Suppression | None, frame: pd.DataFrame = NEW) -> object:
    inputs = as_inputs(frame, sensors().config.data)
    return SeriesScorer(sensors().fitted).open(inputs, suppression=suppression, keep=True)


def test_an_event_whose_rows_are_all_muted_is_none_but_counted() -> None:
    plain, muted = session(None), session(Suppression([Hours(*FIRST)]))
    rows = [set(event.rows.tolist()) for event in plain.found_events]
    gone = [event for event in rows if event <= set(muted.reasons)]
    assert len(gone) == muted.muted_event_count == 1
    assert [set(event.rows.tolist()) for event in muted.found_events] == [
        one for one in rows if one not in gone
    ]
    assert len(muted.events()) == len(plain.events()) - 1
    numbers = {event.number for event in plain.found_events if event.series == 0}
    assert {event.number for event in muted.found_events if event.series == 0} < numbers


def test_of_an_event_only_its_rows_that_are_not_muted_are_left() -> None:
    plain = session(None)
    event = next(event for event in plain.found_events if len(event.rows) > 3)
    start, end = plain.seconds[event.rows[0]], plain.seconds[event.rows[1]] + 1
    muted = session(
        Suppression([Hours(str(pd.Timestamp(start, unit="s")), str(pd.Timestamp(end, unit="s")))])
    )
    left = next(one for one in muted.found_events if (one.series, one.number) == (event.series, event.number))
    assert left.rows.tolist() == event.rows[2:].tolist()
    assert left.peak in left.rows
    np.testing.assert_array_equal(muted.scores, plain.scores)
    np.testing.assert_array_equal(muted.p_values, plain.p_values)
    assert muted.event_of[event.rows[:2]].tolist() == [0, 0]


def test_rows_of_series_are_counted_and_written_as_muted() -> None:
    found = scored(sensors(), NEW, Suppression([Hours(*FIRST)]))
    muted = found["anomaly_status"] == "muted"
    assert muted.sum() == found["anomaly_muted_by"].notna().sum() > 0
    assert not found["is_anomaly"][muted].any()
    assert found["anomaly_event"][muted].isna().all()


def test_where_series_are_cut_into_files_changes_nothing() -> None:
    suppression = Suppression([Hours(*FIRST)])
    cut = [NEW.iloc[:155], NEW.iloc[155:700], NEW.iloc[700:]]
    inputs = [source for part in cut for source in as_inputs(part, sensors().config.data)]
    parts = SeriesScorer(sensors().fitted).open(inputs, suppression=suppression)
    whole = session(suppression)
    assert sorted(parts.reasons) == sorted(whole.reasons)
    np.testing.assert_array_equal(parts.flagged, whole.flagged)
    assert sum(parts.muted_within(source) for source in inputs) == len(whole.reasons)


def test_events_without_muted_rows() -> None:
    event = Event(0, 3, np.array([4, 5, 6]), 5)
    scores = np.array([0, 0, 0, 0, 1.0, 9.0, 2.0])
    (left,), muted = without_muted([event], {5: FINE}, scores)
    assert (left.rows.tolist(), left.peak, left.number, muted) == ([4, 6], 6, 3, [])
    other = Reason("calendar", "x", "x")
    left_over, (gone,) = without_muted([event], {4: other, 5: FINE, 6: other}, scores)
    assert (left_over, gone.event, gone.reason) == ([], event, other)


def test_a_reason_has_its_kind_and_its_name() -> None:
    assert FINE.label == "rule: north"
