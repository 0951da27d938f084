"""One run at a time on an output."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aedetect.errors import OutputError
from aedetect.io.lock import Locks, lock_path

HOLD = (
    "import sys\nfrom aedetect.io.lock import Locks\n"
    "with Locks(sys.argv[1:]):\n    print('held', flush=True)\n    sys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path: Path):
    """Another process that holds the lock of out.csv until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out.csv")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_holder_is_named(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    path = str(tmp_path / "out.csv")
    with pytest.raises(OutputError) as caught, Locks([path]):
        pass
    assert re.fullmatch(
        re.escape(f"{path}: in use by another run (process {holder.pid}, started ")
        + r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\); wait until it has ended",
        str(caught.value),
    )


def test_what_is_taken_before_a_refusal_is_let_go(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    free, held = str(tmp_path / "free.csv"), str(tmp_path / "out.csv")
    with pytest.raises(OutputError), Locks([free, held]):
        pass
    with Locks([free]):
        pass
    assert not lock_path(free).exists()


def test_a_killed_holder_holds_nothing_and_its_file_is_removed(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert lock_path(tmp_path / "out.csv").exists()
    with Locks([str(tmp_path / "other.csv")]):
        assert [path.name for path in tmp_path.iterdir()] == [".other.csv.aedetect-lock"]
    assert list(tmp_path.iterdir()) == []


def test_one_is_let_go_before_the_others(tmp_path: Path) -> None:
    first, second = str(tmp_path / "1"), str(tmp_path / "2")
    with Locks([first, second, first]) as locks:
        locks.release(first)
        locks.release("unknown")
        with Locks([first]), pytest.raises(OutputError), Locks([second]):
            pass


def test_links_lead_to_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    with Locks([str(tmp_path / "real.csv")]), pytest.raises(OutputError), Locks([str(tmp_path / "link.csv")]):
        pass


def test_streams_and_devices_are_not_locked(tmp_path: Path) -> None:
    with Locks(["-", "/dev/null", str(tmp_path / "missing" / "x.csv")]):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [20, 64])
def test_more_outputs_than_a_shell_allows_open_files(tmp_path: Path, limit: int) -> None:
    code = (
        "import resource, sys\nfrom aedetect.io.lock import Locks\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (limit := int(sys.argv[2]), limit))\n"
        "with Locks([f'{sys.argv[1]}/{n}' for n in range(1000)]):\n    print('held')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(limit)], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("held\n", "")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed_whatever_it_was_to_become(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    dead = tmp_path / f".gone.csv.aedetect-tmp-{holder.pid}-00ff"
    alive = tmp_path / f".new.csv.aedetect-tmp-{os.getpid()}-00ff"
    mine = tmp_path / ".note.aedetect"
    for path in (dead, alive, mine):
        path.touch()
    with Locks([str(tmp_path / "other.csv")]):
        pass
    assert sorted(tmp_path.iterdir()) == sorted([alive, mine])


def test_each_of_many_is_locked_and_let_go_by_itself(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    paths = [str(tmp_path / name) for name in ("1", "2", "sub/3", "4")]
    with Locks(paths) as locks:
        assert lock_path(paths[0]).samefile(lock_path(paths[2]))
        locks.release(paths[0])
        with Locks([paths[0]]):
            for path in paths[1:]:
                with pytest.raises(OutputError), Locks([path]):
                    pass
                with pytest.raises(OutputError), Locks([str(tmp_path / "5"), path]):
                    pass
    assert [path.name for path in tmp_path.rglob("*")] == ["sub"]


def test_a_lock_that_was_left_behind_is_taken_among_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aedetect.io.lock._remove_stale", lambda folder: None)
    lock_path(tmp_path / "2").write_text("process 1, started long ago\n")
    with Locks([str(tmp_path / "1"), str(tmp_path / "2")]):
        assert lock_path(tmp_path / "1").samefile(lock_path(tmp_path / "2"))
    assert list(tmp_path.iterdir()) == []


def test_where_there_are_no_links_each_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    paths = [str(tmp_path / str(number)) for number in range(5)]
    with Locks(paths) as locks:
        assert not lock_path(paths[0]).samefile(lock_path(paths[1]))
        locks.release(paths[3])
        with Locks([paths[3]]), pytest.raises(OutputError), Locks([paths[4]]):
            pass
    assert list(tmp_path.iterdir()) == []
