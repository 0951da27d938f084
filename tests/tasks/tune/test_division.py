"""Which rows are learned from and which judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.errors import DataError
from aedetect.io.source import Input, TableInput
from aedetect.tasks.tune import division as division_module
from aedetect.tasks.tune.division import Division, divided, events_of
from aedetect.tasks.tune.rows import read_rows


def source(frame: pd.DataFrame) -> TableInput:
    return TableInput(pa.Table.from_pandas(frame, preserve_index=False))


def division(inputs: list[Input], unsupervised: bool = False, **settings: Any) -> Division:
    named = {name.replace("_", ".", 1): value for name, value in settings.items()}
    config = Config.build(overrides=named)
    return divided(inputs, read_rows(inputs, config, not unsupervised), config, unsupervised)


def with_known(inputs: list[Input], left_out: list[int], learned: list[int], **settings: Any) -> Division:
    """A division where something is known of rows with these numbers, from 0."""
    config = Config.build(overrides={name.replace("_", ".", 1): value for name, value in settings.items()})
    unsupervised = config.data.label is None
    rows = read_rows(inputs, config, not unsupervised)
    known = (np.zeros(len(rows.marks), dtype=bool), np.zeros(len(rows.marks), dtype=bool))
    known[0][left_out], known[1][learned] = True, True
    return divided(inputs, rows, config, unsupervised, known)


def table(anomalies: int, normal: int, unlabelled: int = 0) -> pd.DataFrame:
    labels = ["1"] * anomalies + ["0"] * normal + [""] * unlabelled
    return pd.DataFrame({"x": np.arange(len(labels), dtype=float), "odd": labels})


def values(inputs: list[Input]) -> list[float]:
    return [
        value for one in inputs for batch in one.open(50).batches() for value in batch.column("x").to_pylist()
    ]


def series(days: int, events: list[tuple[int, int]], entities: int = 1) -> pd.DataFrame:
    parts = []
    for entity in range(entities):
        times = pd.date_range("2026-01-01", periods=24 * days, freq="h").strftime("%Y-%m-%d %H:%M")
        odd = np.zeros(len(times), dtype=int)
        for begin, end in events:
            odd[begin:end] = 1
        parts.append(pd.DataFrame({"time": times, "x": np.arange(len(times)), "m": f"m{entity}", "odd": odd}))
    return pd.concat(parts, ignore_index=True)


EVENTS = [(20 + 40 * number, 26 + 40 * number) for number in range(8)]


class TestKnown:
    """Rows of which something is known beforehand."""

    LEFT_OUT, LEARNED = [0, 1, 100], [2, 101, 102]

    @pytest.mark.parametrize("settings", [{}, {"data_label": "odd"}])
    def test_rows_of_a_table_judge_nothing(self, settings: dict[str, Any]) -> None:
        made = with_known([source(table(40, 300, 20))], self.LEFT_OUT, self.LEARNED, **settings)
        assert made.drawn is None
        for part in range(made.parts):
            judged = set(np.flatnonzero(made.held(part, 0) | made.held(part, 1)))
            learned = set(values(made.learned(part)))
            assert not judged & {*self.LEFT_OUT, *self.LEARNED}
            assert learned == set(range(360)) - judged - set(self.LEFT_OUT)
        # Of the forty that are labelled three are known.
        assert made.anomalies == (37 if settings else 0)

    def test_rows_of_series_judge_nothing(self) -> None:
        frame = series(20, EVENTS)
        # An event is known, all of it; the others are judged.
        event = list(range(*EVENTS[0]))
        made = with_known([source(frame)], event, [300], series_time="time", data_label="odd")
        assert made.events == len(EVENTS) - 1
        for part in range(made.parts):
            judged = set(np.flatnonzero(made.held(part, 0) | made.held(part, 1)))
            learned = set(values(made.learned(part)))
            assert not judged & {*event, 300}
            assert learned == set(range(len(frame))) - judged - set(event)


class TestTables:
    def test_each_half_of_each_part_has_its_share_of_both_kinds(self) -> None:
        made = division([source(table(23, 300))], data_label="odd")
        assert (made.parts, made.judged, made.anomalies, made.events) == (5, 323, 23, None)
        for part in range(5):
            for half in range(2):
                held = made.held(part, half)
                assert (made.marks[held] == 1).sum() in (2, 3)
                assert (made.marks[held] == 0).sum() == 30

    def test_a_part_is_not_learned_from_and_all_others_are(self) -> None:
        frame = table(15, 200)
        made = division([source(frame[:100]), source(frame[100:])], data_label="odd")
        assert made.parts == 3
        for part in range(3):
            held = made.held(part, 0) | made.held(part, 1)
            assert sorted(values(made.learned(part))) == frame["x"][~held].tolist()
            assert sorted(values(made.selected(held))) == frame["x"][held].tolist()

    def test_rows_without_a_label_are_learned_and_never_judged(self) -> None:
        frame = table(15, 200, unlabelled=50)
        made = division([source(frame)], data_label="odd")
        assert made.judged == 215
        for part in range(made.parts):
            assert set(range(215, 265)) <= set(values(made.learned(part)))

    def test_without_labels_all_rows_are_divided(self) -> None:
        made = division([source(table(0, 120))], unsupervised=True)
        assert (made.parts, made.judged) == (5, 120)

    def test_known_anomalies_are_not_judged_as_normal(self) -> None:
        made = division([source(table(5, 120))], unsupervised=True, data_label="odd")
        assert made.judged == 120

    def test_the_seed_decides(self) -> None:
        inputs: list[Input] = [source(table(23, 300))]
        one, again, other = (
            division(inputs, data_label="odd", training_seed=seed).cell.tolist() for seed in (1, 1, 2)
        )
        assert one == again
        assert one != other

    def test_of_many_rows_some_are_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(division_module, "MOST_NORMAL", 150)
        made = division([source(table(30, 400))], data_label="odd")
        assert (made.judged, made.anomalies, made.drawn) == (180, 30, 180)
        assert len(values(made.learned(0))) == 180 * 4 / 5

    @pytest.mark.parametrize(
        ("anomalies", "normal", "said"),
        [
            (
                11,
                200,
                "data: 11 rows are labelled as anomalies in column 'odd'; tuning divides them into parts and "
                "needs at least 12; label more, or use --unsupervised",
            ),
            (
                20,
                99,
                "data: 99 rows labelled as normal; tuning divides them into parts and needs at least 100",
            ),
            (
                0,
                99,
                "data: all 99 labels in column 'odd' say normal; tuning needs anomalies and normal rows, or "
                "--unsupervised",
            ),
            (
                20,
                0,
                "data: all 20 labels in column 'odd' say anomalies; tuning needs anomalies and normal rows",
            ),
        ],
    )
    def test_too_few_rows_are_told(self, anomalies: int, normal: int, said: str) -> None:
        with pytest.raises(DataError) as error:
            division([source(table(anomalies, normal))], data_label="odd")
        assert str(error.value) == said


class TestSeries:
    def test_parts_are_stretches_of_time_and_cut_no_event(self) -> None:
        made = division([source(series(15, EVENTS))], data_label="odd", series_time="time")
        assert (made.parts, made.events, made.anomalies) == (3, 8, 48)
        # As many stretches as halves of parts, each in one piece.
        assert (np.diff(made.cell) != 0).sum() == 2 * made.parts - 1
        for begin, end in EVENTS:
            assert len(set(made.cell[begin:end])) == 1
        for part in range(made.parts):
            for half in range(2):
                assert (made.marks[made.held(part, half)] == 1).any()

    def test_series_are_cut_at_the_same_times(self) -> None:
        made = division(
            [source(series(15, EVENTS, 2))], data_label="odd", series_time="time", series_entity="m"
        )
        assert made.events == 16
        assert made.cell[:360].tolist() == made.cell[360:].tolist()

    def test_the_order_of_the_rows_does_not_matter(self) -> None:
        frame = series(15, EVENTS)
        order = np.random.default_rng(0).permutation(len(frame))
        one = division([source(frame)], data_label="odd", series_time="time")
        other = division(
            [source(frame.iloc[order].reset_index(drop=True))], data_label="odd", series_time="time"
        )
        assert one.cell[order].tolist() == other.cell.tolist()

    def test_without_labels_stretches_are_of_the_same_length(self) -> None:
        made = division([source(series(25, []))], unsupervised=True, series_time="time")
        assert np.bincount(made.cell).tolist() == [60] * 10

    def test_too_few_events_are_told(self) -> None:
        with pytest.raises(DataError) as error:
            division([source(series(15, EVENTS[:5]))], data_label="odd", series_time="time")
        assert str(error.value) == (
            "data: the labels mark 5 events (rows in a row); tuning divides them into stretches of time and "
            "needs at least 6; label more, or use --unsupervised"
        )

    def test_too_few_rows_are_told(self) -> None:
        with pytest.raises(DataError, match="480 rows with a time; tuning divides them into stretches and"):
            division([source(series(20, []))], unsupervised=True, series_time="time")

    def test_an_event_ends_at_a_normal_row_and_with_its_series(self) -> None:
        frame = series(15, [(10, 12), (13, 15)], 2)
        frame["odd"] = frame["odd"].astype(str)
        frame.loc[12, "odd"] = ""
        config = Config.build(overrides={"data.label": "odd", "series.time": "time", "series.entity": ["m"]})
        events = events_of(read_rows([source(frame)], config, True))
        # A row without a label ends none.
        assert len(events) == 3
        assert (np.diff(events, axis=1)[:, 0] / 3600).tolist() == [4, 1, 1]
