"""Addresses in object stores, what is fetched from there, and what is put there."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from pyarrow import fs
from support.stores import Bucket

from aedetect.errors import ModelError, OutputError, UsageError
from aedetect.io import stores
from aedetect.io.atomic import atomic_output, check_writable, same_file
from aedetect.io.lock import Locks
from aedetect.io.stores import Address, StoreObject, join, name_of, reading, reason, suffixed

MIB = 1 << 20


def test_an_address_and_its_parts() -> None:
    address = Address.of("s3://bucket/a/b%20c.csv?region=eu-west-3")
    assert (address.scheme, address.name, address.query) == ("s3", "b c.csv", "region=eu-west-3")
    assert address.bare == suffixed(str(address)) == "s3://bucket/a/b%20c.csv"
    assert str(address.folder) == "s3://bucket/a?region=eu-west-3"
    assert str(address.folder.folder) == str(address.folder.folder.folder) == "s3://bucket?region=eu-west-3"
    assert join("s3://b/out/?region=x", "year=2026/50%.csv") == "s3://b/out/year=2026/50%25.csv?region=x"
    assert name_of("s3://b/out/50%25.csv?region=x") == "50%.csv"


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("s3://b/a.csv", "s3://b/a.csv?region=x", True),
        ("s3://b/a.csv", "S3://b//a.csv", True),
        ("gs://b/a b.csv", "gcs://b/a%20b.csv", True),
        ("s3://b/a.csv", "gs://b/a.csv", False),
        ("s3://b/a.csv", "s3://b/a.csv.gz", False),
        ("s3://b/a.csv", "b/a.csv", False),
        ("s3:/b/a.csv", "s3://b/a.csv", False),
    ],
)
def test_addresses_of_one_object(first: str, second: str, one: bool) -> None:
    assert same_file(first, second) is same_file(second, first) is one


@pytest.mark.parametrize(
    ("address", "kind", "path"),
    [
        ("gs://bucket/a%20b/50%25.csv", "gcs", "bucket/a b/50%.csv"),
        ("gcs://anonymous@bucket/a b.csv", "gcs", "bucket/a b.csv"),
        ("s3://bucket/a/b.csv?region=eu-west-3", "s3", "bucket/a/b.csv"),
        ("s3://bucket?region=eu-west-3", "s3", "bucket"),
        ("s3://bucket/?region=eu-west-3", "s3", "bucket"),
    ],
)
def test_the_store_of_an_address_is_opened_without_a_request(address: str, kind: str, path: str) -> None:
    filesystem, found = Address.of(address).store()
    assert (filesystem.type_name, found) == (kind, path)
    item = ForkingPickler.loads(ForkingPickler.dumps(StoreObject(filesystem, path)))
    assert (item.filesystem.type_name, item.path) == (kind, path)


def test_keys_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Address.of("s3://AKIA:secret@bucket/a.csv")
    assert str(caught.value) == (
        "s3://…@bucket: keys do not belong in an address, which summaries and logs show; leave them out, and "
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)"
    )
    assert Address.of("gs://anonymous@bucket/a.csv").place == "anonymous@bucket/a.csv"


@pytest.mark.parametrize("address", ["https://x.org/a.csv", "hdfs://host/a.csv", "file:///tmp/a.csv"])
def test_where_nothing_is_written(address: str) -> None:
    with pytest.raises(UsageError) as caught, atomic_output(address):
        pass
    assert str(caught.value) == (
        f"{address}: outputs go to files, or to s3:// and gs:// addresses; name one of these"
    )


def test_an_output_needs_room_in_the_folder_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(OutputError) as caught, atomic_output("s3://b/x.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value) == (
        f"s3://b/x.csv: cannot be written: no space left in {tmp_path}, where it is put together; set TMPDIR "
        "to a folder with more"
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(OutputError, match="none: cannot be written: No such file or directory$"):
        atomic_output("s3://b/x.csv").__enter__()


_REACH = "the store cannot be reached ({}){}"
_GCS = "google::cloud::Status(UNAVAILABLE: Retry policy exhausted, with a last message of "


@pytest.mark.parametrize(
    ("address", "error", "done", "said"),
    [
        ("s3://b/a", "AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation: x", "read",
         "there is no bucket 'b'; check its name and region, or make it first"),
        ("s3://b/a", "AWS Error ACCESS_DENIED during HeadObject operation: No response body.", "read",
         "access denied; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) to keys that may "
         "list and read there"),
        ("gs://b/a", "google::cloud::Status(PERMISSION_DENIED: x)", "written",
         "access denied; set GOOGLE_APPLICATION_CREDENTIALS to keys that may write there"),
        ("s3://b/a", "AWS Error INVALID_ACCESS_KEY_ID during X", "read",
         "the store refuses the keys; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)"),
        ("s3://b/a", "AWS Error NETWORK_CONNECTION during X: curlCode: 6, Could not resolve hostname; "
         "Details: x", "read",
         _REACH.format("Could not resolve hostname", "; where it is not Amazon's, set AWS_ENDPOINT_URL to "
                       "its address, or write ?endpoint_override=HOST:PORT behind the name")),
        ("gs://b/a", _GCS + "Could not create a OAuth2 access token to authenticate the request. The "
         "underlying error message was: PerformWork() - CURL error [6]=Could not resolve hostname", "read",
         "no credentials; set GOOGLE_APPLICATION_CREDENTIALS, or write gs://anonymous@b/… for what is "
         "public"),
        ("gs://anonymous@b/a", _GCS + "PerformWork() - CURL error [6]=Could not resolve hostname "
         "error_info={x}", "read", _REACH.format("Could not resolve hostname", "; check the network")),
        ("s3://b/a", "Strange\nthings", "written", "Strange; check the address and your access to it"),
    ],
)  # fmt: skip
def test_what_went_wrong_and_what_to_set(address: str, error: str, done: str, said: str) -> None:
    assert reason(OSError(error), address, done) == said


class TestFetched:
    @pytest.fixture
    def item(self, tmp_path: Path) -> StoreObject:
        (tmp_path / "a.csv").write_text("a,b\n1,2\n")
        return StoreObject(fs.LocalFileSystem(), str(tmp_path / "a.csv"))

    def test_a_small_one_is_fetched_once_until_it_is_asked_after(self, item: StoreObject) -> None:
        assert item.open().read() == b"a,b\n1,2\n"
        Path(item.path).write_text("a,b\n1,3\n")
        assert item.open().read() == b"a,b\n1,2\n"
        assert item.facts().size == 8
        assert item.open().read() == b"a,b\n1,3\n"

    def test_it_goes_to_other_processes_without_what_was_fetched(self, item: StoreObject) -> None:
        item.open().close()
        sent = ForkingPickler.loads(ForkingPickler.dumps(item))
        assert (sent.path, sent._held) == (item.path, None)
        assert sent.open().read() == b"a,b\n1,2\n"

    def test_a_large_one_is_read_by_range(self, item: StoreObject, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stores, "SMALL_BYTES", 3)
        with item.open() as stream:
            assert stream.seekable()
            assert stream.read() == b"a,b\n1,2\n"
        assert item._held is None

    def test_what_is_fetched_ahead_is_not_fetched_again(self, item: StoreObject) -> None:
        item.listed = stores.Facts(8, 0)
        item.fetch_ahead()
        assert item._coming is not None
        item._coming.result(20)
        Path(item.path).unlink()
        assert ForkingPickler.loads(ForkingPickler.dumps(item))._coming is None
        assert item.open().read() == b"a,b\n1,2\n"

    def test_what_cannot_be_fetched_ahead_fails_when_it_is_opened(self, item: StoreObject) -> None:
        item.listed = stores.Facts(8, 0)
        Path(item.path).unlink()
        item.fetch_ahead()
        with pytest.raises(FileNotFoundError):
            item.open()

    def test_what_is_large_or_was_not_listed_is_not_fetched_ahead(self, item: StoreObject) -> None:
        for listed in (None, stores.Facts(2 * MIB, 0)):
            item.listed = listed
            item.fetch_ahead()
            assert item._coming is None

    def test_there_is_room_for_so_much(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stores, "_recent", stores._Recent(20))
        items = []
        for number in range(3):
            path = tmp_path / f"{number}.csv"
            path.write_text("a,b\n1,2\n")
            items.append(StoreObject(fs.LocalFileSystem(), str(path)))
            items[-1].open().close()
            items[0].open().close()
        assert [item._held is None for item in items] == [False, True, False]


def test_a_lock_on_an_address_holds_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Locks(["s3://b/x.csv", str(tmp_path / "y.csv")]) as locks:
        with pytest.raises(OutputError, match="^s3://b//x.csv.region=x: in use by another run .process "):
            Locks(["s3://b//x.csv?region=x"]).__enter__()
        locks.release("s3://b/x.csv")
        with Locks(["s3://b/x.csv"]):
            pass
    folder = tmp_path / f"aedetect-{os.getuid()}"
    assert (os.listdir(folder), folder.stat().st_mode & 0o777) == ([], 0o700)


@pytest.mark.slow
class TestServer:
    """Against a real S3 server on this machine."""

    @pytest.mark.parametrize("size", [0, 1, 11 * MIB, 40 * MIB])
    def test_what_is_written_is_there(self, bucket: Bucket, size: int) -> None:
        content = os.urandom(MIB) * (size // MIB) or b"x" * size
        with atomic_output(bucket.address("dir/x.bin")) as stream:
            stream.write(content)
            assert bucket.keys() == []
        assert bucket.get("dir/x.bin") == content
        assert bucket.unfinished() == 0

    def test_a_small_one_is_sent_by_one_request(self, bucket: Bucket) -> None:
        bucket.requests()
        with atomic_output(bucket.address("x.bin")) as stream:
            stream.write(b"new")
        assert bucket.requests() == [f"PUT /{bucket.name}/x.bin"]

    def test_what_fails_leaves_the_old(self, bucket: Bucket) -> None:
        address = bucket.put("x.bin", b"old")
        with pytest.raises(ValueError, match="embedded"), atomic_output(address) as stream:
            stream.writelines([b"n" * 11 * MIB, Path("\0").read_bytes()])
        assert bucket.get("x.bin") == b"old"

    @pytest.mark.parametrize(
        ("key", "size"),
        [("NOSTART", 11), ("NOSTART", 40), ("NOPART", 11), ("NOPART", 40), ("NOPUT", 1), ("READER", 1)],
    )
    def test_what_the_store_does_not_take_leaves_the_old(
        self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, key: str, size: int
    ) -> None:
        address = bucket.put("x.bin", b"old")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        with (
            pytest.raises(OutputError, match=f"^{address}: cannot be written: "),
            atomic_output(address) as out,
        ):
            out.write(b"n" * size * MIB)
        gc.collect()
        assert bucket.get("x.bin") == b"old"

    @pytest.mark.parametrize(
        ("number", "ends"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)]
    )
    def test_a_signal_while_it_is_sent_leaves_the_old(
        self, bucket: Bucket, number: signal.Signals, ends: int
    ) -> None:
        bucket.put("x.bin", b"old")
        bucket.requests()
        with _sending(bucket, 80) as process:
            _wait_for(bucket, "BEGIN")
            process.send_signal(number)
            assert process.wait(60) == ends
        assert bucket.get("x.bin") == b"old"
        assert bucket.keys() == ["x.bin"]

    def test_an_upload_that_is_stopped_never_ends(self, bucket: Bucket) -> None:
        address, stop = bucket.put("x.bin", b"old"), threading.Event()
        stop.set()
        with tempfile.TemporaryFile() as spool:
            spool.write(b"n" * 11 * MIB)
            with pytest.raises(InterruptedError):
                stores._put(spool, Address.of(address), stop)
        gc.collect()
        assert bucket.get("x.bin") == b"old"
        assert bucket.unfinished() == 1

    def test_what_is_not_there(self, bucket: Bucket) -> None:
        for address, said in (
            (bucket.address("none.aed"), "no such file or directory"),
            (
                "s3://none-such/a",
                "there is no bucket 'none-such'; check its name and region, or make it first",
            ),
        ):
            with pytest.raises(ModelError) as caught, reading(address, ModelError):
                pass
            assert str(caught.value) == f"{address}: {said}"

    def test_it_is_tried_once_whether_a_folder_can_be_written_to(self, bucket: Bucket) -> None:
        bucket.requests()
        for name in ("a.csv", "b.csv", "a.csv"):
            check_writable(bucket.address(f"out/{name}"))
        tried = bucket.requests()
        assert tried[0] == f"PUT /{bucket.name}/out/.aedetect-probe"
        assert sum("PUT" in each for each in tried) == 2
        assert bucket.keys() == []

    def test_an_object_is_asked_after_by_its_etag(self, bucket: Bucket) -> None:
        bucket.put("a.csv", "a\n1\n")
        item = StoreObject(*Address.of(bucket.address("a.csv")).store())
        before = item.facts()
        assert item.open().read() == b"a\n1\n"
        bucket.requests()
        assert item.facts() == before
        assert item.open().read() == b"a\n1\n"
        assert bucket.requests() == [f"HEAD /{bucket.name}/a.csv"]
        bucket.put("a.csv", "a\n2\n")
        after = item.facts()
        assert (after.size, after.etag != before.etag) == (before.size, True)
        assert item.open().read() == b"a\n2\n"


_SEND = """
import signal, sys
from aedetect.engine.signals import ended_by
from aedetect.errors import Terminated
from aedetect.io.atomic import atomic_output
# A test run that was started in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with ended_by({signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}):
        with atomic_output(sys.argv[1]) as stream:
            stream.write(b"n" * (int(sys.argv[2]) << 20))
except KeyboardInterrupt:
    sys.exit(130)
except Terminated:
    sys.exit(143)
"""


def _sending(bucket: Bucket, size: int) -> subprocess.Popen[bytes]:
    """A process that sends so many MiB, slowly."""
    environment = os.environ | {"AWS_ACCESS_KEY_ID": "SLOW"}
    return subprocess.Popen(
        [sys.executable, "-c", _SEND, bucket.address("x.bin"), str(size)], env=environment
    )


def _wait_for(bucket: Bucket, beginning: str) -> None:
    deadline = time.monotonic() + 60
    while not any(each.startswith(beginning) for each in bucket.requests()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
