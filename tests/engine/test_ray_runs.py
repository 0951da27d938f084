"""Commands on a real Ray of this machine: the same as here, also when workers are killed and nodes are lost."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.pretend_cluster import told_of
from support.processes import PROGRAM
from support.prompt import Prompt
from support.tables import tiny_frame
from support.waiting import until

from aedetect.engine import divided
from tests.support.local_ray import local_ray

pytestmark = pytest.mark.slow
SLOWLY = {"AEDETECT_SCORING_BATCH_ROWS": "64"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with local_ray():
        yield


@pytest.fixture
def here(prompt: Prompt, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A folder with small dumps, one of them bad, and a file that is cut into spans."""
    Path(prompt.folder, "m.aed").write_bytes(tiny_model.read_bytes())
    folder = Path(prompt.folder, "in")
    folder.mkdir()
    for number in range(3):
        tiny_frame(300, seed=number).to_csv(folder / f"{number}.csv", index=False)
    (folder / "bad.csv").write_text("temp,load,site,open\n1,2\n")
    rows = pa.Table.from_pandas(tiny_frame(4000, seed=9), preserve_index=False)
    parquet.write_table(rows, folder / "big.parquet", row_group_size=500)
    monkeypatch.setattr(divided, "SPAN_ROWS", 500)
    monkeypatch.setattr(divided, "LEAST_BYTES", 30_000)
    return prompt.command(after=("-m", "m.aed"))


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


COMMANDS = [
    ["score", "-o", "{}/all.csv"],
    ["score", "-o", "{}/all.parquet", "--only-anomalies"],
    ["drift"],
    ["encode", "-o", "{}/all.csv", "--map", "{}/map.svg"],
    ["clean", "-o", "{}/all.csv", "--changes", "{}/changes.csv"],
    ["impute", "-o", "{}/all.csv", "--draws", "2"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:3]))
@pytest.mark.usefixtures("cluster")
def test_every_command_is_the_same_here_in_processes_and_on_ray(words: list[str], here: Prompt) -> None:
    found = []
    for name, more in (("one", []), ("two", ["--jobs", "2"]), ("ray", ["--on", "ray"])):
        Path(here.folder, name).mkdir()
        asked = [word.format(name) for word in words]
        result = here.json(asked[0], "in", *asked[1:], *more, exit_code=6)
        assert result["workers"] == (2 if name == "ray" else None)
        found.append((told_of(result), outputs(Path(here.folder, name))))
    assert found[0] == found[1] == found[2]


@pytest.mark.usefixtures("cluster")
def test_jobs_cap_the_workers(here: Prompt) -> None:
    assert here.json("score", "in", "--on", "ray", "--jobs", "1", exit_code=6)["workers"] == 1


def workers_of(process: int) -> list[psutil.Process]:
    """The processes in which a Ray, started by `process`, has actors."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if child.cmdline()[:1] and child.cmdline()[0].startswith("ray::_Worker"):
                    found.append(child)
    return found


@pytest.mark.usefixtures("cluster")
def test_ten_runs_with_workers_killed_give_the_same_bytes(here: Prompt) -> None:
    words = ["score", "in", "-o", "out/", "--on", "ray"]
    expected = told_of(here.json(*words, exit_code=6))
    folder = Path(here.folder, "out")
    whole = outputs(folder)
    assert len(whole) == 11
    killed = 0
    for seed in range(10):
        shutil.rmtree(folder)
        ended = threading.Event()
        chance = random.Random(seed)

        def kill(ended: threading.Event = ended, chance: random.Random = chance) -> None:
            nonlocal killed
            for _ in range(2):
                if ended.wait(chance.uniform(0.3, 2.5)):
                    return
                for worker in workers_of(os.getpid())[:1]:
                    with contextlib.suppress(psutil.Error):
                        worker.kill()
                        killed += 1

        killer = threading.Thread(target=kill)
        killer.start()
        result = here.json(*words, exit_code=6)
        ended.set()
        killer.join()
        assert told_of(result) == expected
        assert outputs(folder) == whole
    assert killed >= 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_ends_and_the_next_goes_on(number: int, here: Prompt) -> None:
    Path(here.folder, "in/bad.csv").unlink()
    for name in range(8):
        tiny_frame(20_000, seed=name).to_parquet(Path(here.folder, f"in/{name}.parquet"), index=False)
    words = ["score", "in", "-m", "m.aed", "-o", "out/", "--new-only", "--state", "s.db"]
    folder = Path(here.folder, "out")
    line = [*PROGRAM, *words, "--on", "ray"]
    with subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | SLOWLY,
        text=True,
        cwd=here.folder,
    ) as process:
        until(
            lambda: folder.exists() and [p for p in folder.iterdir() if p.suffix == ".csv"], process=process
        )
        workers = until(lambda: workers_of(process.pid), process=process)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGKILL: -9}.get(signal.Signals(number), 143)
    assert "Traceback" not in stderr
    assert "ray" not in stdout + stderr
    until(lambda: not any(worker.is_running() for worker in workers), seconds=20)
    if number != signal.SIGKILL:
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    known = here.json("state", "show", "s.db")["entries"] if False else None
    again = here.json(*words[:2], *words[4:])
    statuses = [entry["status"] for entry in again["files"]]
    assert "known" in statuses
    assert set(statuses) == {"known", "scored"}
    assert known is None
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert len(outputs(folder)) == 12


def test_a_node_that_is_removed_loses_nothing(here: Prompt) -> None:
    import ray
    from ray.cluster_utils import Cluster

    words = ["score", "in", "-o", "out/"]
    alone = told_of(here.json(*words, exit_code=6, environment=SLOWLY))
    whole = outputs(Path(here.folder, "out"))
    shutil.rmtree(Path(here.folder, "out"))
    paths = os.pathsep.join([os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        node = cluster.add_node(num_cpus=1)
        ray.init(cluster.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}, **{}})
        removed = threading.Timer(6.0, lambda: cluster.remove_node(node, allow_graceful=False))
        removed.start()
        spread = told_of(here.json(*words, "--on", "ray", exit_code=6, environment=SLOWLY))
        removed.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert spread == alone
    now = outputs(Path(here.folder, "out"))
    big = [name for name in now if name.startswith("big")]
    assert {name: now[name] for name in now if name not in big} == {
        name: data for name, data in whole.items() if name != "big.parquet"
    }
    assert len(big) == 8


def test_a_cluster_with_no_free_core_is_said(here: Prompt, tmp_path: Path) -> None:
    import ray

    with local_ray(1):

        @ray.remote(num_cpus=1)
        def busy() -> None:
            time.sleep(14)

        taken = busy.remote()
        result = here("score", "in/0.csv", "--on", "ray")
        ray.get(taken)
    assert result.exit_code == 0
    assert result.stderr == "warning: --on: no core of the cluster is free; waiting for one\n"
