"""`score --on ray` on time series with a real Ray, whose workers are killed in every pass."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pytest
from support.local_ray import local_ray
from support.prompt import Prompt
from support.sensors import DAY, broken, readings

from aedetect.engine.cluster import Workers
from aedetect.engine.places import opened_workers
from aedetect.io.source import Reader, TableInput
from aedetect.scoring.base import NumberedBatch, PriorRows, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesScorer
from aedetect.scoring.spread.spread import Spreading, spread_session
from aedetect.scoring.suppression import FlaggedRows, Reason, Suppression

pytestmark = pytest.mark.slow
FLAGS = ("--time", "time", "--entity", "machine", "--window", 24, "--alert-rate", "0.001", "--epochs", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """m.aed, and dumps of several machines."""
    path = tmp_path_factory.mktemp("dumps")
    readings(8, 3).to_csv(path / "normal.csv", index=False)
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *FLAGS).exit_code == 0
    frame = broken(readings(4, 12, seed=5, start="2026-02-01"), 2 * DAY - 20, 2 * DAY + 20)
    frame = frame.sort_values("time", kind="stable")
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), 6)):
        frame.iloc[rows].to_csv(path / f"dump-{number}.csv", index=False)
    return path


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    import ray

    # Workers know nothing of the modules of tests.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with local_ray(), opened_workers("ray") as opened:
        yield opened


def the_model(path: str, threads: int) -> FittedModel:
    return FittedModel.load(path, device="cpu")


class DeadlyInput(TableInput):
    """Kills the first process but this one that reads its second batch."""

    def __init__(self, table: pa.Table, name: str, mark: Path):
        super().__init__(table, name)
        object.__setattr__(self, "mark", mark)
        object.__setattr__(self, "here", os.getpid())

    def open(self, batch_rows: int) -> Reader:
        return _DeadlyReader(super().open(100), self.mark, self.here)  # type: ignore[attr-defined]


class _DeadlyReader:
    def __init__(self, reader: Reader, mark: Path, here: int):
        self.schema, self._reader, self._mark, self._here = reader.schema, reader, mark, here

    def batches(self) -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(self._reader.batches()):
            if number == 1:
                kill_once(self._mark, self._here)
            yield batch


def kill_once(mark: Path, here: int) -> None:
    """Kill this process, unless it is the one that is `here`, or another was killed before."""
    if os.getpid() != here and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """Mutes nothing, and kills the first process that asks."""

    def __init__(self, mark: Path, here: int):
        self._mark, self._here = mark, here

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        if len(flagged):
            kill_once(self._mark, self._here)
        return [None] * len(flagged)


def deadly(fitted: FittedModel, mark: Path, here: int) -> Suppression:
    return Suppression([Deadly(mark, here)])


def said(session: ScoringSession, sources: Sequence[TableInput]) -> list[object]:
    scores = [
        session.score(source, NumberedBatch(0, source.table.combine_chunks().to_batches()[0]))
        for source in sources
    ]
    events = session.events()
    assert events is not None
    each = [(one.scores.tobytes(), one.flagged.tobytes(), one.attribution.tobytes()) for one in scores]
    return [*each, events.to_pylist(), *map(session.warnings, sources)]


def test_workers_killed_while_they_cut_and_judge(workers: Workers, folder: Path, tmp_path: Path) -> None:
    tables = [pa.Table.from_pandas(pd.read_csv(path)) for path in sorted(folder.glob("dump-*.csv"))]
    cut, judged = tmp_path / "cut", tmp_path / "judged"
    sources: list[TableInput] = [
        DeadlyInput(table, str(number), cut) if number == 2 else TableInput(table, str(number))
        for number, table in enumerate(tables)
    ]
    model = str(folder / "m.aed")
    alone = said(SeriesScorer(the_model(model, 1)).open(sources), sources)
    mute: Callable[[FittedModel], Suppression] = partial(deadly, mark=judged, here=os.getpid())
    spreading = Spreading(workers, partial(the_model, model), mute, buckets=5)
    with spread_session(the_model(model, 1), sources, PriorRows(), spreading) as session:
        assert cut.exists()
        assert judged.exists()
        assert said(session, sources) == alone


def test_workers_killed_at_random(workers: Workers, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = Prompt(folder).command("score", after=("-m", "m.aed"))
    dumps = [f"dump-{number}.csv" for number in range(6)]
    assert score(*dumps, "-o", "alone/", "--events", "alone.csv").exit_code == 0
    over = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        random = np.random.default_rng(0)
        while not over.wait(random.uniform(1.5, 4)):
            processes = psutil.Process().children(recursive=True)
            at_work = [each for each in processes if each.name().startswith("ray::_Worker.work")]
            # Of three deaths over one item, that one would be given up.
            if at_work and len(killed) < 2:
                at_work[int(random.integers(len(at_work)))].kill()
                killed.append(1)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result = score(*dumps, "-o", "spread/", "--events", "spread.csv", "--on", "ray")
    finally:
        over.set()
        killer.join()
    assert result.exit_code == 0, result.output
    assert killed
    for path in [*(folder / "alone").iterdir(), folder / "alone.csv"]:
        other = folder / str(path.relative_to(folder)).replace("alone", "spread")
        assert other.read_bytes() == path.read_bytes(), path
