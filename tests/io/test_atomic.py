"""Files are there in full or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from aedetect.errors import OutputError
from aedetect.io.atomic import atomic_output, check_writable, remove_leftovers, same_file


def write(path: Path, data: bytes = b"new") -> None:
    with atomic_output(path) as stream:
        stream.write(data)


def test_the_file_appears_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with atomic_output(target) as stream:
        stream.write(b"half")
        stream.flush()
        assert not target.exists()
    assert target.read_bytes() == b"half"
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, OSError])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "out.csv"
    target.write_bytes(b"old")
    with pytest.raises((error, OutputError)), atomic_output(target) as stream:  # noqa: PT012
        stream.write(b"half")
        raise error
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "no space left on the device"), (errno.EDQUOT, "Disk quota exceeded")],
)
def test_failing_to_write_names_the_output_and_the_reason(tmp_path: Path, number: int, reason: str) -> None:
    target = tmp_path / "out.csv"
    with pytest.raises(OutputError) as caught, atomic_output(target):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"{target}: cannot be written: {reason}"


def test_a_broken_pipe_stays_one(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), atomic_output(tmp_path / "out.csv"):
        raise BrokenPipeError


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "out.csv"
    with pytest.raises(OutputError) as caught:
        write(target)
    assert str(caught.value) == f"{target}: cannot be written: its folder does not exist; create it first"


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write(link)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_link_to_nothing_creates_its_target(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(tmp_path / "link.csv")
    assert (tmp_path / "real.csv").read_bytes() == b"new"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "out.csv")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "out.csv"
    target.touch()
    target.chmod(mode)
    write(target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join()
    assert received == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_to() -> None:
    write(Path(os.devnull))
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_pipe_behind_a_link_of_the_system_is_written_to() -> None:
    reading, writing = os.pipe()
    write(Path(f"/dev/fd/{writing}"))
    os.close(writing)
    with open(reading, "rb") as stream:
        assert stream.read() == b"new"


def test_a_signal_right_after_the_file_was_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fcntl.flock", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out.csv")
    assert os.listdir(tmp_path) == []


def killed_writer(target: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from aedetect.io.atomic import atomic_output\n"
        "with atomic_output(sys.argv[1]) as stream:\n"
        "    stream.write(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(target)]).returncode == -9


def test_a_killed_run_leaves_the_old_file_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_bytes(b"old")
    killed_writer(target)
    assert target.read_bytes() == b"old"
    assert len(os.listdir(tmp_path)) == 2
    write(target)
    assert os.listdir(tmp_path) == ["out.csv"]


def test_leftovers_can_be_removed_without_writing(tmp_path: Path) -> None:
    killed_writer(tmp_path / "out.csv")
    remove_leftovers(tmp_path / "out.csv")
    assert os.listdir(tmp_path) == []


def test_leftovers_of_other_outputs_stay(tmp_path: Path) -> None:
    killed_writer(tmp_path / "other.csv")
    write(tmp_path / "out.csv")
    assert len(os.listdir(tmp_path)) == 2


def test_what_a_running_writer_has_open_stays(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with atomic_output(target) as first:
        first.write(b"first")
        remove_leftovers(target)
        assert len(os.listdir(tmp_path)) == 1
    assert target.read_bytes() == b"first"


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "a b\n.csv", "-", os.fsdecode(b"caf\xe9")])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert os.listdir(tmp_path) == [name]


def test_writable_paths_pass_and_are_not_touched(tmp_path: Path) -> None:
    check_writable(tmp_path / "out.csv")
    check_writable(tmp_path / "new" / "er" / "out.csv", may_create_folder=True)
    check_writable("/dev/full")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "it is a folder"),
        ("missing/out.csv", "its folder does not exist; create it first"),
        ("file/out.csv", "{0}/file is not a folder"),
    ],
)
def test_unwritable_paths_are_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        check_writable(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: cannot be written: {reason.format(tmp_path)}"


@pytest.mark.parametrize(
    ("locked", "reason"),
    [("", "no permission to write in the folder {0}"), ("out.csv", "no permission to write to it")],
)
def test_lacking_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str, reason: str
) -> None:
    target = tmp_path / "out.csv"
    target.touch()
    # Root may do anything, so that the system's answer is made up.
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path / locked)
    with pytest.raises(OutputError) as caught:
        check_writable(target)
    assert str(caught.value) == f"{target}: cannot be written: {reason.format(tmp_path)}"


def test_links_and_spellings_name_the_same_file(tmp_path: Path) -> None:
    target, link = tmp_path / "a.csv", tmp_path / "b.csv"
    target.touch()
    link.symlink_to(target)
    assert same_file(target, link)
    assert same_file(tmp_path / "new.csv", tmp_path / "x" / ".." / "new.csv")
    assert not same_file(target, tmp_path / "new.csv")


def test_a_file_that_may_only_be_new_never_takes_the_place_of_another(tmp_path: Path) -> None:
    target = tmp_path / "state.db"
    with atomic_output(target, only_new=True) as stream:
        stream.write(b"mine")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["state.db"]


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP])
def test_a_new_file_needs_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    def refused(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", refused)
    with atomic_output(tmp_path / "state.db", only_new=True) as stream:
        stream.write(b"new")
    assert os.listdir(tmp_path) == ["state.db"]
    assert (tmp_path / "state.db").read_bytes() == b"new"


def test_a_full_disk_leaves_no_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(OutputError), atomic_output(tmp_path / "state.db", only_new=True) as stream:
        stream.write(b"new")
    assert os.listdir(tmp_path) == []
