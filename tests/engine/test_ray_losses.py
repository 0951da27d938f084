"""Commands on a Ray that they start, or lose a part of: stopped runs, machines that go, no free core."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from support.pretend_cluster import told_of
from support.processes import PROGRAM
from support.prompt import Prompt
from support.ray_runs import SLOWLY, outputs, with_inputs, workers_of
from support.tables import tiny_frame
from support.waiting import until

from tests.support.local_ray import local_ray

pytestmark = pytest.mark.slow


@pytest.fixture
def here(prompt: Prompt, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    return with_inputs(prompt, tiny_model, monkeypatch)


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
        # One worker does 0.csv first: once another is there as well, it is soon entered.
        until(lambda: (folder / "0.csv").exists() and (folder / "1.csv").exists(), process=process)
        time.sleep(1)
        workers = until(lambda: workers_of(process.pid), process=process)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGKILL: -9}.get(signal.Signals(number), 143)
    assert "Traceback" not in stderr
    assert "ray" not in stdout + stderr
    until(lambda: not any(worker.is_running() for worker in workers), seconds=20)
    if number != signal.SIGKILL:
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    again = here.json(*words[:2], *words[4:])
    statuses = [entry["status"] for entry in again["files"]]
    assert "known" in statuses
    assert set(statuses) == {"known", "scored"}
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
        ray.init(cluster.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
        removed = threading.Timer(6.0, lambda: cluster.remove_node(node, allow_graceful=False))
        removed.start()
        spread = told_of(here.json(*words, "--on", "ray", exit_code=6, environment=SLOWLY))
        removed.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert spread["files"][-1].pop("output") == "big-*.parquet"
    assert alone["files"][-1].pop("output") == "big.parquet"
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
