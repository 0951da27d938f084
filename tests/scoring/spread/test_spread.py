"""Series spread over workers have the verdicts of one machine, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sensors import broken, readings

from aedetect import Detector
from aedetect.data.series.context import SeriesContext
from aedetect.engine.cluster import Lost
from aedetect.errors import DataError, OutputError
from aedetect.io.inputs import as_inputs
from aedetect.io.source import Input, TableInput
from aedetect.scoring.base import NumberedBatch, PriorRows, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesScorer
from aedetect.scoring.spread import pieces
from aedetect.scoring.spread.spread import Spreading, spread_session, why_not_spread
from aedetect.scoring.suppression import FlaggedRows, Reason, Suppression

RESULTS = ("scores", "p_values", "flagged", "unscorable", "warmup", "events", "attribution")


class Elsewhere:
    """One item after the other, here, but nothing is shared: all is pickled, as on a cluster."""

    number = 2

    def map(self, build: Callable[[int], Callable[[Any], Any]], items: Sequence[Any]) -> Iterator[Any]:
        work = _copied(build)(1)
        for item in items:
            yield _copied(work(_copied(item)))


def _copied(thing: Any) -> Any:
    return ForkingPickler.loads(ForkingPickler.dumps(thing))


@cache
def model(zone: str | None = None, **options: Any) -> FittedModel:
    given = {
        "scoring.batch_rows": 200,
        "series.time": "time",
        "series.entity": ["machine"],
        "series.window": 24,
        "series.silence": 7200,
        "training.epochs": 1,
        "training.device": "cpu",
    }
    if zone is not None:
        given["series.time_zone"] = zone
    return Detector({**given, **options}).fit(counted(readings(8, 3))).fitted


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """With a counter of its own on each machine."""
    growth = pd.Series(np.random.default_rng(1).integers(1, 9, len(frame)))
    return frame.assign(sent=growth.groupby(frame["machine"]).cumsum())


def new_rows(start: str = "2026-02-01") -> pd.DataFrame:
    """Machines side by side, one never learned: a stuck one, gaps, gross and missing cells and times.

    One machine has a single row, and some rows are of none.
    """
    frame = broken(counted(readings(4, 4, seed=5, start=start)), 200, 260)
    frame.loc[700, "temp"] = 1e9
    frame.loc[900, "load"] = np.inf
    frame.loc[950:960, "load"] = np.nan
    frame.loc[1000, "time"] = pd.NaT
    frame.loc[1010, "machine"] = "only once"
    frame.loc[1200:1240, "machine"] = None
    frame = frame.drop(index=[*range(1300, 1700), 300])
    return frame.sort_values("time", kind="stable").reset_index(drop=True)


def inputs_of(fitted: FittedModel, *frames: pd.DataFrame) -> list[TableInput]:
    read = [source for frame in frames for source in as_inputs(frame, fitted.config.data)]
    return [TableInput(source.table, f"part-{place}") for place, source in enumerate(read)]


def said(session: ScoringSession, sources: Sequence[Input]) -> dict[str, Any]:
    """Everything that a session says."""
    together: dict[str, Any] = {}
    for source in sources:
        first, parts, reasons = 0, [], {}
        try:
            for rows in source.open(150).batches():
                scores = session.score(source, NumberedBatch(first, rows))
                parts.append(scores)
                reasons |= {first + place: why for place, why in scores.reasons.items()}
                first += len(rows)
        except DataError as error:
            together[source.name] = str(error)
            continue
        for name in RESULTS:
            together[f"{source.name} {name}"] = np.concatenate([getattr(part, name) for part in parts])
        tails = {name: context.to_bytes() for name, context in session.tails(source).items()}
        together[f"{source.name} said"] = session.warnings(source), reasons, list(tails.items())
    events = session.events()
    assert events is not None
    finder = session.silences()
    assert finder is not None
    together["events"] = events.to_pylist(), str(events.schema)
    together["more"] = (
        session.muted_event_count, session.adopted_states(), finder.silences(), finder.ended()
    )  # fmt: skip
    return together


def assert_same(spread: dict[str, Any], alone: dict[str, Any]) -> None:
    assert list(spread) == list(alone)
    for name, one in alone.items():
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(spread[name], one, err_msg=name)
            assert spread[name].dtype == one.dtype
        else:
            assert spread[name] == one, name


def compared(
    sources: Sequence[Input],
    load: Callable[[], FittedModel] = model,
    prior: PriorRows | None = None,
    mute: Callable[[FittedModel], Suppression] | None = None,
    buckets: int = 3,
) -> dict[str, Any]:
    """What is said where series are spread, which must be what is said on one machine."""
    fitted, prior = load(), prior or PriorRows()
    alone = said(SeriesScorer(fitted).open(sources, prior, mute(fitted) if mute else None), sources)
    spreading = Spreading(Elsewhere(), load, mute, buckets=buckets)
    with spread_session(fitted, sources, prior, spreading, mute(fitted) if mute else None) as session:
        spread = said(session, sources)
    assert_same(spread, alone)
    return spread


@pytest.mark.parametrize("buckets", [1, 3, 40])
def test_all_that_is_said_is_the_same(buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "RUN_BYTES", 20_000)
    frame = new_rows()
    spread = compared(inputs_of(model(), frame[400:900], frame[900:]), buckets=buckets)
    assert any(event["kind"] == "anomaly" for event in spread["events"][0])
    assert any(event["kind"] == "silence" for event in spread["events"][0])


def test_a_history_goes_before() -> None:
    frame = new_rows()
    history, *sources = inputs_of(model(), frame[:400], frame[400:900], frame[900:])
    compared(sources, prior=PriorRows([history]))
