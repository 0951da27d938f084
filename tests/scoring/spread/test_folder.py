"""The folder of a run is there while the run is, whatever becomes of others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aedetect.errors import OutputError
from aedetect.scoring.spread.folder import shared_folder

KILLED = """
import os, signal, sys
from aedetect.scoring.spread.folder import shared_folder
with shared_folder(sys.argv[1]) as folder:
    open(os.path.join(folder, "rows"), "wb").close()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_is_gone_with_the_block(tmp_path: Path) -> None:
    with shared_folder(str(tmp_path)) as folder:
        assert os.path.isdir(folder)
    assert not list(tmp_path.iterdir())


def test_runs_at_one_time_have_one_each(tmp_path: Path) -> None:
    with shared_folder(str(tmp_path)) as first, shared_folder(str(tmp_path)) as second:
        assert first != second
        assert os.path.isdir(first)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".aedetect-series-just-made").mkdir()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode < 0
    assert len(list(tmp_path.iterdir())) == 2
    with shared_folder(str(tmp_path)) as folder:
        # One without a lock may be another's that is just being made.
        assert {path.name for path in tmp_path.iterdir()} == {
            ".aedetect-series-just-made",
            os.path.basename(folder),
        }


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"), shared_folder(str(tmp_path / "none")):
        pass
