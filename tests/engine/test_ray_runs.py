"""Commands on a real Ray of this machine: the same as here, also when workers are killed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.pretend_cluster import told_of
from support.prompt import Prompt
from support.ray_runs import outputs, with_inputs, workers_of

from tests.support.local_ray import local_ray

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with local_ray():
        yield


@pytest.fixture
def here(prompt: Prompt, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    return with_inputs(prompt, tiny_model, monkeypatch)


COMMANDS = [
    ["score", "-o", "{}/all.csv"],
    ["score", "-o", "{}/all.parquet", "--only-anomalies"],
    ["drift"],
    ["encode", "-o", "{}/all.csv", "--map", "{}/map.svg"],
    ["clean", "-o", "{}/all.csv", "--changes", "{}/changes.csv"],
    ["impute", "-o", "{}/all.csv", "--draws", "2"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:3]))
def test_every_command_is_the_same_here_in_processes_and_on_ray(words: list[str], here: Prompt) -> None:
    found = []
    for name, more in (("one", []), ("two", ["--jobs", "2"]), ("ray", ["--on", "ray"])):
        Path(here.folder, name).mkdir()
        asked = [word.format(name) for word in words]
        result = here.json(asked[0], "in", *asked[1:], *more, exit_code=6)
        # One that comes late finds nothing left to do.
        assert result["workers"] in ((1, 2) if name == "ray" else (None,))
        found.append((told_of(result), outputs(Path(here.folder, name))))
    assert found[0] == found[1] == found[2]


def test_jobs_cap_the_workers(here: Prompt) -> None:
    assert here.json("score", "in", "--on", "ray", "--jobs", "1", exit_code=6)["workers"] == 1


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
            # An input that kills three workers is given up, and these could all have had the same one.
            deaths = 0
            while deaths < 2 and not ended.wait(chance.uniform(0.0, 1.0)):
                for worker in workers_of(os.getpid())[:1]:
                    with contextlib.suppress(psutil.Error):
                        worker.kill()
                        deaths += 1
                    ended.wait(4)
            killed += deaths

        killer = threading.Thread(target=kill)
        killer.start()
        result = here.json(*words, exit_code=6)
        ended.set()
        killer.join()
        assert told_of(result) == expected
        assert outputs(folder) == whole
    assert killed >= 5
