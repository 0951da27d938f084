from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aedetect import Detector, load
from aedetect.config import Config
from aedetect.engine.cluster import Here, Workers
from aedetect.engine.places import opened_workers
from aedetect.io.files import open_inputs, read_options
from aedetect.scoring.fitted import FittedModel
from aedetect.training import passes, profiling
from aedetect.training.fit import fit
from aedetect.training.passes import Part
from aedetect.training.request import FitRequest
from tests.support.local_ray import local_ray
from tests.support.mixed_files import mixed_files
from tests.support.model_content import content_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with local_ray(), opened_workers("ray") as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that are read in a dozen parts."""
    monkeypatch.setattr(passes, "PART_BYTES", 20_000)
    folder = tmp_path / "files"
    folder.mkdir()
    return mixed_files(folder)


def trained(folder: Path, workers: Workers, **further: Any) -> FittedModel:
    settings = {"training.epochs": 2, "scoring.batch_rows": 200, "data.label": "bad"}
    config = Config.build(overrides={**settings, **further})
    return fit(FitRequest(open_inputs([str(folder)], read_options(config.data)), config, workers=workers))


@pytest.mark.parametrize("group", [[], ["site"]], ids=["plain", "groups"])
def test_a_model_is_the_same_as_one_of_this_process(files: Path, workers: Workers, group: list[str]) -> None:
    here, there = (content_of(trained(files, each, **{"data.group": group})) for each in (Here(), workers))
    assert here == there
    assert here["training"]["rows_left_out"]["labelled"] > 50


@dataclass(frozen=True)
class Dying:
    """Sees the rows of a part, and dies of the third once; of a file beside it others know."""

    seeing: Any
    mark: Path

    def __call__(self, part: Part) -> Any:
        if part[0].before and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.seeing(part)


def test_a_worker_that_dies_changes_nothing(
    files: Path, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = content_of(trained(files, Here()))
    seeing, mark = profiling._Seeing, tmp_path / "died"
    monkeypatch.setattr(profiling, "_Seeing", lambda *given: Dying(seeing(*given), mark))
    assert content_of(trained(files, workers)) == here
    assert mark.exists()


def test_profiles_of_series_too(workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PART_BYTES", 5_000)
    random = np.random.default_rng(0)
    for day in range(4):
        times = pd.date_range(f"2026-01-0{day + 1}", periods=288, freq="5min")
        frame = pd.DataFrame({"at": times, "a": random.normal(size=288), "b": random.normal(size=288)})
        frame.to_csv(tmp_path / f"{day}.csv", index=False)
    config = Config.build(overrides={"series.time": ["at"], "training.epochs": 1})
    inputs = open_inputs([str(tmp_path)], read_options(config.data))
    here, there = (content_of(fit(FitRequest(inputs, config, workers=each))) for each in (Here(), workers))
    assert here == there


def test_the_command_line_and_python_read_on_a_cluster(files: Path, workers: Workers, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from aedetect.cli.main import app

    run = CliRunner().invoke
    learned = ["train", str(files), "--label", "bad", "--epochs", "2", "--json", "-o"]
    for name, place in (("here", []), ("there", ["--on", "ray"])):
        result = run(app, [*learned, str(tmp_path / f"{name}.aed"), *place])
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout).get("workers") == (2 if place else None)
    here, there = (FittedModel.load(tmp_path / f"{name}.aed") for name in ("here", "there"))
    assert content_of(here) == content_of(there)
    older = load(tmp_path / "here.aed")
    again = [older.calibrated(str(files), on=place).fitted for place in (None, "ray")]
    assert content_of(again[0]) == content_of(again[1])
    settings = {"training.epochs": 2, "data.label": "bad"}
    fitted = [Detector(settings).fit(str(files), on=place).fitted for place in (None, "ray")]
    assert content_of(fitted[0]) == content_of(fitted[1])
