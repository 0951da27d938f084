"""The command line, and a small table with a model trained on it, for all tests that need them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings
from support.prompt import Prompt
from support.results import FOLDER, note
from support.stores import Bucket, S3Server
from support.tables import tiny_frame

# Tests run side by side, one a core: torch's threads would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test is a matter of time: on a busy machine any may take long.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes stand in the names of cases by their number: what is packed holds the second of its packing,
    and workers that start in different seconds would disagree on the names."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture
def prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A prompt in a folder of the test, which becomes the working directory."""
    monkeypatch.chdir(tmp_path)
    return Prompt(tmp_path)


@pytest.fixture(scope="session")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Notes what was survived, for RELIABILITY.md, in the folder that its benchmark names."""
    return partial(note, Path(os.environ.get(FOLDER) or tmp_path_factory.mktemp("results")))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server on this machine, for all tests of a process."""
    with S3Server.started(tmp_path_factory.mktemp("s3") / "requests") as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of the test, which the environment leads to."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server.bucket()


@pytest.fixture(scope="session")
def tiny_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training data: 200 rows of temp, load (numbers), site (categories) and open (truth values)."""
    path = tmp_path_factory.mktemp("tiny") / "normal.csv"
    tiny_frame().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def tiny_model(tiny_csv: Path) -> Path:
    """A model file trained on `tiny_csv` in two passes: quick, valid, and no good at its job."""
    from aedetect import Detector

    path = tiny_csv.with_name("tiny.aed")
    settings = {"training.epochs": 2, "training.folds": 2, "training.device": "cpu", "model.width": 16}
    Detector(settings).fit(tiny_csv).save(path)
    return path
