"""Rows that go to a temporary file are scored as those in memory are."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.sensors import broken, readings

from aedetect import Detector
from aedetect.errors import DataError
from aedetect.io.inputs import as_inputs
from aedetect.scoring import series
from aedetect.scoring.base import NumberedBatch
from aedetect.scoring.series import SeriesScorer, SeriesSession

Files = list[Any]
RESULTS = ("scores", "p_values", "flagged", "unscorable", "warmup", "events")


@cache
def detector() -> Detector:
    settings = {
        "scoring.batch_rows": 200,
        "series.time": "time",
        "series.entity": ["machine"],
        "series.window": 24,
        "training.epochs": 1,
        "training.device": "cpu",
    }
    return Detector(settings).fit(counted(readings(8, 3)))


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """With a counter of its own on each machine."""
    random = np.random.default_rng(1)
    growth = pd.Series(random.integers(1, 9, len(frame)))
    return frame.assign(sent=growth.groupby(frame["machine"]).cumsum())


def new_rows() -> pd.DataFrame:
    """Machines side by side, one never learned: a stuck one, gaps, gross and missing cells and times."""
    frame = broken(counted(readings(4, 4, seed=5, start="2026-02-01")), 200, 260)
    frame.loc[700, "temp"] = 1e9
    frame.loc[900, "load"] = np.inf
    frame.loc[950:960, "load"] = np.nan
    frame.loc[1000, "time"] = pd.NaT
    frame = frame.drop(index=[*range(1300, 1700), 300])
    return frame.sort_values("time", kind="stable").reset_index(drop=True)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Rows go to a file at once; the files that were opened."""
    opened: Files = []
    temporary = tempfile.TemporaryFile

    def open_one(*arguments: Any, **options: Any) -> Any:
        opened.append(temporary(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(series, "HELD_BYTES", 20_000)
    monkeypatch.setattr(tempfile, "TemporaryFile", open_one)
    return opened


def test_scores_and_events_are_the_same(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = new_rows()
    spilled, spilled_events = scored(frame)
    assert files
    assert all(file.closed for file in files)
    monkeypatch.undo()
    held, held_events = scored(frame)
    pd.testing.assert_frame_equal(spilled, held, check_exact=True)
    assert spilled_events.equals(held_events)
    assert len(held_events) > 0


def scored(frame: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    """What a session says of the rows, which come as two inputs behind a history, and its events."""
    session, sources = opened(frame[400:900], frame[900:], history=frame[:400])
    said = []
    for source in sources:
        first = 0
        for rows in source.open(100).batches():
            scores = session.score(source, NumberedBatch(first, rows))
            first += len(rows)
            columns = {name: getattr(scores, name) for name in RESULTS}
            shares = {f"share {place}": share for place, share in enumerate(scores.attribution.T)}
            said.append(pd.DataFrame({**columns, **shares}))
        said.append(pd.DataFrame({"said": session.warnings(source)}))
    return pd.concat(said, ignore_index=True), session.events()


def opened(*frames: pd.DataFrame, history: pd.DataFrame | None = None) -> tuple[SeriesSession, Any]:
    fitted = detector().fitted
    sources = [source for frame in frames for source in as_inputs(frame, fitted.config.data)]
    prior = (
        series.PriorRows() if history is None else series.PriorRows(as_inputs(history, fitted.config.data))
    )
    return SeriesScorer(fitted).open(sources, prior), sources


def test_an_input_that_breaks_off_leaves_the_others_as_they_are(files: Files, tmp_path: Path) -> None:
    frame = new_rows()
    paths = [tmp_path / f"{number}.csv" for number in range(3)]
    for path, part in zip(paths, (frame[:900], frame[:900], frame[900:]), strict=True):
        # Without a format, pandas 2.0 warns of infinite numbers.
        part.to_csv(path, index=False, float_format="%.17g")
    with paths[1].open("a") as file:
        file.write('"never closed\n')
    fitted = detector().fitted
    sources = [source for path in paths for source in as_inputs(str(path), fitted.config.data)]
    session = SeriesScorer(fitted).open(sources)
    others = SeriesScorer(fitted).open([sources[0], sources[2]])
    np.testing.assert_array_equal(session.scores, others.scores)
    with pytest.raises(DataError):
        session.check(sources)
    assert files
    assert all(file.closed for file in files)


def test_an_error_leaves_no_file(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(series.Verdicts, "of", broken_off)
    with pytest.raises(MemoryError):
        opened(new_rows())
    assert files
    assert all(file.closed for file in files)


def test_few_rows_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", never)
    opened(new_rows())
