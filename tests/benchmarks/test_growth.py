"""The benchmark of growth: slopes, figures that are kept, limits, and the page."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import pytest
from support.waiting import until

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from growth_report import page, steep  # noqa: E402
from growth_runs import Limits, run  # noqa: E402
from growth_slopes import larger_half, slope  # noqa: E402
from growth_store import Record, Store  # noqa: E402

PLENTY = Limits(60, 4_000)


def record(size: int = 10, tool: str = "aedetect", action: str = "train", **changes: object) -> Record:
    place = {"axis": "columns", "size": size, "format": "csv", "tool": tool, "action": action}
    costs = {"seconds": 1.0, "cpu_s": 1.0, "peak_mb": 100.0, "model_bytes": 1_000}
    origin = {"date": "2026-01-01", "machine": "a machine\nwith Python", "limit_s": 60.0}
    return {**place, **costs, **origin, "outcome": "done", "said": "", **changes}


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_a_slope_is_the_power_of_the_size(power: float) -> None:
    assert slope([(size, 3 * size**power) for size in (1, 10, 100, 1_000)]) == pytest.approx(power)


def test_a_slope_is_that_of_the_larger_sizes() -> None:
    # Starting up takes 5; what comes on top is in proportion.
    points = [(1.0, 5.0), (10.0, 5.0), (1_000.0, 100.0), (10_000.0, 1_000.0)]
    assert larger_half(points[::-1]) == points[2:]
    assert slope(points[::-1]) == pytest.approx(1)
    assert larger_half(points[:3]) == points[1:3]


@pytest.mark.parametrize("points", [[], [(10, 3)], [(10, 3), (10, 4)], [(10, 3), (20, 0)]])
def test_there_is_no_slope_of_one_size(points: list[tuple[float, float]]) -> None:
    assert slope(points) is None


def test_figures_outlast_the_run_that_measured_them(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    Store(path).add([record(10, seconds=1.0), record(20)])
    store = Store(path)
    # Interrupted before it scored, it is to be measured again.
    assert not store.has("columns", 10, "csv", "aedetect")
    store.add([record(10, action="score")])
    assert store.has("columns", 10, "csv", "aedetect")
    store.add([record(40, outcome="time")])
    assert store.has("columns", 40, "csv", "aedetect")
    assert not store.has("columns", 30, "csv", "aedetect")
    assert not store.has("columns", 10, "parquet", "aedetect")
    assert not store.has("rows", 10, "csv", "aedetect")
    store.add([record(10, seconds=2.0)])
    trained = [each for each in Store(path).records if each["action"] == "train"]
    assert [each["seconds"] for each in trained] == [2.0, 1.0, 1.0]
    assert len(json.loads(path.read_text())) == 4
    assert [each.name for each in tmp_path.iterdir()] == ["figures.json"]


@pytest.mark.parametrize("outcome", ["time", "memory", "failed"])
def test_what_was_too_much_is_not_tried_at_a_larger_size(tmp_path: Path, outcome: str) -> None:
    store = Store(tmp_path / "figures.json")
    store.add([record(10), record(20, outcome=outcome)])
    assert store.gave_up("columns", 30, "csv", "aedetect")
    assert not store.gave_up("columns", 20, "csv", "aedetect")
    assert not store.gave_up("columns", 30, "csv", "PyOD KNN")


def test_a_run_is_accounted_for() -> None:
    cost = run([sys.executable, "-c", "block = bytearray(b'1') * 300_000_000; print('here')"], PLENTY)
    assert (cost.outcome, cost.output, cost.said) == ("done", "here\n", "")
    # A process begins as the one that starts it: its peak is at least that of this one.
    own_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    assert 300_000_000 / 2**20 < cost.peak_mb < max(500, own_mb + 100)
    assert 0 < cost.cpu_s <= 60


def test_a_failure_says_its_last_line() -> None:
    cost = run([sys.executable, "-c", "import sys; sys.exit('first\\nno such thing')"], PLENTY)
    assert (cost.outcome, cost.said) == ("failed", "no such thing")


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
@pytest.mark.parametrize(
    ("limits", "outcome"), [(Limits(2, 4_000), "time"), (Limits(60, 200), "memory")], ids=["time", "memory"]
)
def test_a_run_over_its_limits_ends_with_all_that_it_started(
    limits: Limits, outcome: str, tmp_path: Path
) -> None:
    # The child of the child leads a session of its own, as H2O's server does.
    hold = "import time; block = bytearray(b'1') * 300_000_000; time.sleep(60)"
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); child.wait()"
    start = f"child = subprocess.Popen([sys.executable, '-c', {hold!r}], start_new_session=True)"
    cost = run([sys.executable, "-c", f"import subprocess, sys; {start}\n{note}"], limits)
    assert cost.outcome == outcome
    assert cost.seconds < 60
    pid = (tmp_path / "pid").read_text()
    # What is killed may take a moment to go.
    until(lambda: not is_running(pid), 20)


def test_the_page_says_what_grows_faster_than_its_size() -> None:
    records = [record(size, cpu_s=size**2.0, seconds=float(size)) for size in (10, 100)]
    assert [(*place, round(power, 6)) for *place, power in steep(records)] == [
        ("columns", "csv", "train", "cpu_s", 2.0)
    ]
    text = page(records)
    assert "- its CPU time with columns, CSV: slope 2.00. Not yet explained." in text
    assert (
        "| ten times the columns, CSV | 10.0 times | 100.0 times | 1.0 times | 1.0 times |  |  |  |" in text
    )
    assert "| 100 | 100.0 | 10,000.0 | 105 | 0.00 |  |  |  |" in text
    assert "| slope | 1.00 | 2.00 | 0.00 | 0.00 |  |  |  |\n| of the last step | 1.00 | 2.00" in text
    assert "over the larger half of the sizes, no slope is above 1.05.\n\n## " in page([record()])


def test_the_page_says_which_last_step_alone_is_steep() -> None:
    text = page(
        [record(size, cpu_s=cost) for size, cost in ((10, 1.0), (20, 1.0), (40, 1.0), (80, 1.0), (160, 3.0))]
    )
    said = "From the largest size but one to the largest alone, these grew by more: "
    assert f"{said}its CPU time with columns, CSV (1.58)." in text


def test_the_page_says_where_a_detector_ended() -> None:
    peer = [
        record(size, "PyOD KNN", action, cpu_s=size / 2, seconds=3.0)
        for size in (10, 100)
        for action in ("train", "score")
    ]
    text = page(
        [*peer, record(1_000, "PyOD KNN", outcome="time"), record(100, "PyOD ECOD", outcome="memory")]
    )
    assert "| PyOD KNN | CSV | 100 (1,000: out of time) | 3.0 | 3.0 | 100.0 | 105 | 1.00 |" in text
    assert "| PyOD ECOD | CSV | 100 | out of memory |  |  |  |  |" in text


@pytest.mark.parametrize(("cpu", "said"), [(0.2, True), (0.9, False)])
def test_the_page_says_where_the_machine_was_busy(cpu: float, said: bool) -> None:
    records = [record(size, cpu_s=cpu * size, seconds=float(size) ** 2 / 10) for size in (9, 11)]
    text = page(records)
    # What others took grows as it likes.
    assert {field for *_, field, _ in steep(records)} == (set() if said else {"seconds"})
    assert ("aedetect computed for 20% of its time on the clock" in text) is said
    assert ("Other work ran on the machine" in text) is said
