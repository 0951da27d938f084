"""Processes of this machine: what they give back, and large files that are cut for them."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from support.big_file import rows_of, with_big_file
from support.ledger_rows import ledger_rows
from support.pretend_cluster import told_of
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.engine import divided, executors
from aedetect.engine.cluster import Lost
from aedetect.engine.places import opened_workers
from aedetect.engine.plan import Plan
from aedetect.errors import DataError
from aedetect.io.files import open_inputs
from aedetect.io.source import ReadOptions


def halver(threads: int, ended_at: int | None = None) -> Callable[[int], tuple[int, int]]:
    """Halves numbers; odd ones cannot be, and at one of them its process is ended."""
    return functools.partial(_halved, threads=threads, ended_at=ended_at)


def _halved(number: int, threads: int, ended_at: int | None) -> tuple[int, int]:
    if number == ended_at:
        os.kill(os.getpid(), signal.SIGKILL)
    if number % 2:
        raise DataError(f"{number} is odd")
    return number // 2, threads


@pytest.mark.parametrize("ahead", [None, 1, 3])
def test_results_come_in_order(ahead: int | None) -> None:
    with opened_workers(None, 2) as workers:
        assert (workers.number, workers.taken_part) == (2, None)
        results = list(workers.map(halver, [0, 2, 4, 6], ahead=ahead))
    assert results == [(number, max(1, (os.cpu_count() or 1) // 2)) for number in range(4)]
    assert not multiprocessing.active_children()


def test_errors_end_all() -> None:
    with opened_workers(None, 2) as workers, pytest.raises(DataError, match="3 is odd"):
        list(workers.map(halver, [0, 3, *[4] * 100]))
    assert not multiprocessing.active_children()


def test_what_a_killed_process_did_not_do_is_given_up() -> None:
    with opened_workers(None, 2) as workers:
        results = list(workers.map(functools.partial(halver, ended_at=8), [0, 8, *[4] * 4], ahead=1))
    assert results[0] == (0, results[0][1])
    assert results[1:] == [Lost(1)] * 5


@pytest.fixture
def big(prompt: Prompt, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A folder with big.parquet, for which two processes are worthwhile, and which is cut into six spans."""
    monkeypatch.setattr(executors, "WORTHWHILE_BYTES", 1)
    monkeypatch.setattr(executors, "WORTHWHILE_SPANS", 1)
    monkeypatch.setattr(divided, "LEAST_ROWS", 1)
    return with_big_file(prompt, tiny_model, monkeypatch)


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many spans files were cut into."""
    numbers: list[int] = []
    divide = divided.Divided

    def noted(piece: Any, spans: Any, parts: Any) -> divided.Divided:
        numbers.append(len(spans))
        return divide(piece, spans, parts)

    monkeypatch.setattr(divided, "Divided", noted)
    monkeypatch.setattr("aedetect.engine.distributed.Divided", divide)
    return numbers


COMMANDS = {
    "ledger": ["score", "--new-only", "--state", "{}.db", "-o", "{}/"],
    "anomalies": ["score", "--only-anomalies", "-o", "{}/big.csv"],
    "changes": ["clean", "--changes", "{}-side.csv", "-o", "{}/big.parquet"],
    "codes": ["encode", "--map", "{}-side.svg", "-o", "{}/"],
    "fills": ["impute", "--draws", "2", "-o", "{}/big.parquet"],
    "nowhere": ["score"],
    "stdout": ["score", "-o", "-"],
    "drift": ["drift"],
}
QUICK = ("ledger", "anomalies", "changes")


@pytest.mark.parametrize(
    "command",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in COMMANDS],
)
def test_a_large_file_is_the_same(command: str, big: Prompt, handed: list[int]) -> None:
    found = []
    for name, more in (("one", []), ("two", ["--jobs", "2"])):
        Path(big.folder, name).mkdir()
        first, *words = (word.format(name) for word in COMMANDS[command])
        result = big(first, "big.parquet", *words, *([] if "-" in words else ["--json"]), *more)
        assert result.exit_code == 0, result.output
        told = result.stdout if "-" in words else told_of(result.json())
        written = {path.name: rows_of(path) for path in Path(big.folder, name).iterdir()}
        states = [ledger_rows(path) for path in Path(big.folder).glob(f"{name}.db")]
        sides = [path.read_bytes() for path in Path(big.folder).glob(f"{name}-side*")]
        found.append((told, result.stderr, written, states, sides))
    assert handed == [6]
    assert found[0] == found[1]
    for name, rows in found[0][2].items():
        assert rows.schema.equals(found[1][2][name].schema, check_metadata=True)


def test_a_large_row_group_is_cut_and_stands_among_others(
    big: Prompt, handed: list[int], tmp_path: Path
) -> None:
    folder = Path(big.folder, "in")
    folder.mkdir()
    rows = parquet.read_table(Path(big.folder, "big.parquet"))
    parquet.write_table(rows, folder / "1.parquet")
    tiny_frame(50).to_csv(folder / "0.csv", index=False)
    (folder / "bad.csv").write_text("temp,load,site,open\n1,2\n")
    found = []
    for name, more in (("one", []), ("two", ["--jobs", "2"])):
        told = told_of(big.json("score", "in", "-o", f"{name}/", *more, exit_code=6))
        found.append((told, {path.name: rows_of(path) for path in Path(big.folder, name).iterdir()}))
    assert handed == [2]
    assert found[0] == found[1]
    assert sorted(found[0][1]) == ["0.csv", "1.parquet"]


class Span:
    """A task that can be divided."""

    divisible = True


@pytest.mark.parametrize(
    ("jobs", "least", "output", "used"),
    [(1, 1, None, 1), (2, 1, None, 2), (9, 1, "out.csv", 9), (9, 200, None, 3), (9, 10**6, None, 1)],
)
def test_processes_are_no_more_than_spans(
    jobs: int, least: int, output: str | None, used: int, big: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divided, "LEAST_ROWS", least)
    sources = open_inputs([str(Path(big.folder, "big.parquet"))], ReadOptions())
    task: Any = Span()
    assert executors.worthwhile(Plan(sources, [output]), jobs, task) == used
    assert executors.worthwhile(Plan(sources, ["s3://there/out.csv"]), jobs, task) == 1
    assert executors.worthwhile(Plan(sources, [output]), jobs) == 1


@pytest.fixture
def struck(big: Prompt) -> Iterator[Callable[[Callable[[int], None]], Prompt]]:
    """A prompt at which something happens as soon as a process writes a part; it is given that process."""
    over = threading.Event()
    watchers = []

    def begin(strike: Callable[[int], None]) -> Prompt:
        watchers.append(threading.Thread(target=_strike, args=(Path(big.folder), over, strike)))
        watchers[0].start()
        return big.setting(scoring_batch_rows="1")

    yield begin
    over.set()
    watchers[0].join()


def _strike(folder: Path, over: threading.Event, strike: Callable[[int], None]) -> None:
    while not over.is_set():
        for path in folder.glob("out/.*-part-*-tmp-*"):
            strike(int(path.name.rpartition("-tmp-")[2].partition("-")[0]))
            return
        time.sleep(0.002)


def test_a_killed_process_is_told_of(struck: Callable[[Callable[[int], None]], Prompt]) -> None:
    prompt = struck(lambda process: os.kill(process, signal.SIGKILL))
    result = prompt("score", "big.parquet", "-o", "out/", "--jobs", "2")
    assert (result.exit_code, result.stderr) == (
        5,
        "error: big.parquet: the process that scored it was ended from outside (out of memory?); try fewer "
        "--jobs\n",
    )
    assert not list(Path(prompt.folder, "out").iterdir())


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A test run that was started in the background ignores interruptions; here they are heard."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_leaves_nothing(struck: Callable[[Callable[[int], None]], Prompt]) -> None:
    prompt = struck(lambda _: os.kill(os.getpid(), signal.SIGINT))
    result = prompt("score", "big.parquet", "-o", "out/", "--jobs", "2")
    assert result.exit_code == 130
    assert not list(Path(prompt.folder, "out").iterdir())
    assert not multiprocessing.active_children()
