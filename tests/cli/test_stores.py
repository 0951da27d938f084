"""Every command with inputs, models and outputs on an S3 server on this machine."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from support.prompt import Prompt
from support.stores import Bucket

from aedetect import Detector, load

ROWS = "temp,load,site,open\n20,40,north,true\n500,-900,north,true\n?,40,south,false\n21,42,west,false\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def stored(prompt: Prompt, bucket: Bucket, tiny_model: Path) -> Prompt:
    """At a prompt with the tiny model; in the bucket are in/a.csv, in/b.csv, in/notes.txt and m.aed."""
    prompt.write("new.csv", ROWS)
    for key, content in (("in/a.csv", ROWS), ("in/b.csv", ROWS), ("in/notes.txt", ""), ("new.csv", ROWS)):
        bucket.put(key, content)
    bucket.put("m.aed", tiny_model.read_bytes())
    bucket.requests()
    return prompt


@pytest.mark.parametrize(
    "name", ["x.csv", "x.csv.gz", "x.tsv.zst", "x.jsonl", "x.parquet", "deep/er/x.arrow", "x%20y.csv"]
)
def test_an_output_is_the_same_as_on_disk(
    stored: Prompt, bucket: Bucket, tiny_model: Path, name: str
) -> None:
    local = Path(name).name
    assert stored("score", "new.csv", "-m", tiny_model, "-o", local).exit_code == 0
    result = stored("score", "new.csv", "-m", tiny_model, "-o", bucket.address(name))
    assert result.exit_code == 0, result.output
    assert f"→ {bucket.address(name)}\n" in result.stdout
    assert bucket.get(name.replace("%20", " ")) == Path(local).read_bytes()


def test_what_is_asked_of_the_store(stored: Prompt, bucket: Bucket) -> None:
    words = ("score", bucket.address("in/"), "-m", bucket.address("m.aed"), "-o", bucket.address("out/"))
    result = stored(*words, "--json")
    assert result.exit_code == 0, result.output
    assert [entry["output"] for entry in result.json()["files"]] == [
        bucket.address("out/a.csv"), bucket.address("out/b.csv")
    ]  # fmt: skip
    assert result.json()["model"]["path"] == bucket.address("m.aed")
    asked = bucket.requests()
    of_rows = [each for each in asked if "/in/" in each or each.endswith((".csv", "in%2F"))]
    assert sorted(of_rows) == sorted(
        [f"GET /{bucket.name}?list-type=2&max-keys=1000&prefix=in%2F"]
        + [f"{what} /{bucket.name}/in/{name}.csv" for name in "ab" for what in ("HEAD", "GET")]
        + [f"PUT /{bucket.name}/out/{name}.csv" for name in "ab"]
    )
    # The head of the model is looked at before all else, and its whole later; the rest tries the folder.
    assert len(asked) - len(of_rows) == 2 * 2 + 4


def test_several_inputs_as_one_output(stored: Prompt, bucket: Bucket) -> None:
    output = bucket.address("all.parquet")
    result = stored("score", bucket.address("in/*.csv"), "-m", bucket.address("m.aed"), "-o", output)
    assert result.exit_code == 0, result.output
    table = parquet.read_table(pa.BufferReader(bucket.get("all.parquet")))
    assert table.column("source_file").unique().to_pylist() == [
        bucket.address("in/a.csv"), bucket.address("in/b.csv")
    ]  # fmt: skip


def test_an_endpoint_in_the_address(
    stored: Prompt, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tiny_model: Path
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    behind = f"?endpoint_override={bucket.server.endpoint}"
    words = ("score", bucket.address("in/") + behind, "-m", bucket.address("m.aed") + behind)
    result = stored(*words, "-o", bucket.address("out/") + behind)
    assert result.exit_code == 0, result.output
    assert f"{bucket.address('in/a.csv')}: 4 rows" in result.stdout
    assert bucket.keys()[-2:] == ["out/a.csv", "out/b.csv"]


def test_encode_decode_clean_and_impute(stored: Prompt, bucket: Bucket) -> None:
    model, new, at = ("-m", bucket.address("m.aed")), bucket.address("new.csv"), bucket.address
    for words in (
        ("encode", new, *model, "-o", at("codes.parquet")),
        ("decode", at("codes.parquet"), *model, "-o", at("back.csv")),
        ("clean", new, *model, "-o", at("clean.csv"), "--changes", at("changes.jsonl")),
        ("impute", new, *model, "-o", at("filled.csv.gz")),
    ):
        result = stored(*words)
        assert result.exit_code == 0, result.output
    assert {"codes.parquet", "back.csv", "clean.csv", "changes.jsonl", "filled.csv.gz"} <= set(bucket.keys())
    changes = [json.loads(line) for line in bucket.get("changes.jsonl").splitlines()]
    assert {change["column"] for change in changes} >= {"temp"}


def test_python_callers(stored: Prompt, bucket: Bucket, tiny_csv: Path) -> None:
    rows = bucket.put("train.csv", tiny_csv.read_bytes())
    detector = Detector({"training.epochs": 1, "model.architecture": "bottleneck"}).fit(rows)
    detector.save(bucket.address("python.aed"))
    scored = load(bucket.address("python.aed")).score(bucket.address("new.csv"))
    assert scored.equals(detector.score("new.csv"))


class TestTrain:
    @pytest.fixture
    def train(self, stored: Prompt, bucket: Bucket, tiny_csv: Path) -> Prompt:
        rows = bucket.put("train.csv", tiny_csv.read_bytes())
        return stored.command("train", rows, after=("--epochs", "1", "--architecture", "bottleneck"))

    def test_a_model_is_written_and_read_whole(self, train: Prompt, bucket: Bucket) -> None:
        result = train("-o", bucket.address("models/"), "--json")
        assert result.exit_code == 0, result.output
        assert result.json()["model"]["path"] == bucket.address("models/model.aed")
        scored = Prompt(train.folder)("inspect", bucket.address("models/model.aed"), "--json")
        assert scored.json()["sha256"] == result.json()["model"]["sha256"]
        assert os.listdir() == ["new.csv"]

    def test_a_model_that_cannot_be_sent_is_not_lost(
        self, train: Prompt, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOPUT")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        result = train("-o", bucket.address("new.aed"))
        assert result.exit_code == 5
        rescued = next(tmp_path.glob("aedetect-*/new.aed"))
        last = result.stderr.splitlines()[-1]
        assert last.startswith(f"error: {bucket.address('new.aed')}: cannot be written: ")
        assert last.endswith(f"; the model is in {rescued}, to be copied from there")
        assert Prompt(train.folder)("inspect", rescued).exit_code == 0


def test_events_of_a_series(stored: Prompt, bucket: Bucket) -> None:
    times = [f"2026-01-{1 + step // 24:02}T{step % 24:02}:00:00" for step in range(600)]
    lines = ["at,load\n"] + [f"{at},{step % 24 + (step == 590) * 500}\n" for step, at in enumerate(times)]
    rows = bucket.put("series.csv", "".join(lines))
    model = ("-o", bucket.address("s.aed"), "--epochs", "1")
    assert stored("train", rows, *model, "--time", "at").exit_code == 0
    result = stored("score", rows, "-m", bucket.address("s.aed"), "--events", bucket.address("events.csv"))
    assert result.exit_code == 0, result.output
    assert bucket.get("events.csv").startswith(b"anomaly_event,")


class TestLedger:
    def test_what_was_scored_is_not_scored_again(self, stored: Prompt, bucket: Bucket) -> None:
        score = stored.command(
            *("score", bucket.address("in/"), "-m", bucket.address("m.aed"), "-o", bucket.address("out/")),
            after=("--new-only", "--state", "s.db", "--json"),
        )
        first = score()
        assert [entry["status"] for entry in first.json()["files"]] == ["scored", "scored"]
        # What changed within the last two seconds may change again unseen.
        time.sleep(2.1)
        bucket.put("in/b.csv", ROWS.replace("500", "501"))
        bucket.put("in/c.csv", ROWS)
        bucket.requests()
        second = score()
        statuses = {Path(entry["path"]).name: entry["status"] for entry in second.json()["files"]}
        assert statuses == {"a.csv": "known", "b.csv": "scored", "c.csv": "scored"}
        assert sum("in/a.csv" in each for each in bucket.requests()) <= 1
        assert "has the same content as" in second.json()["warnings"][-1]

    def test_what_is_long_known_costs_a_listing(self, stored: Prompt, bucket: Bucket) -> None:
        time.sleep(3.1)
        words = ("score", bucket.address("in/"), "-m", "m.aed", "--new-only", "--state", "s.db", "--json")
        Path("m.aed").write_bytes(bucket.get("m.aed"))
        assert stored(*words).exit_code == 0
        bucket.requests()
        assert {entry["status"] for entry in stored(*words).json()["files"]} == {"known"}
        assert len(bucket.requests()) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("IN/none.csv", "-m", "m.aed"), 3, "IN/none.csv: no such file or directory"),
        (("s3://none/a.csv", "-m", "m.aed"), 3,
         "s3://none/a.csv: there is no bucket 'none'; check its name and region, or make it first"),
        (("IN/a.csv", "-m", "IN/none.aed"), 4, "IN/none.aed: no such file or directory"),
        (("IN/a.csv", "-m", "m.aed", "-o", "s3://none/out/"), 5,
         "s3://none/out/a.csv: cannot be written: there is no bucket 'none'; check its name and region, or "
         "make it first"),
    ],
)  # fmt: skip
def test_what_is_not_there(
    stored: Prompt, bucket: Bucket, tiny_model: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    Path("m.aed").write_bytes(tiny_model.read_bytes())
    at = bucket.address("in")
    result = stored("score", *(word.replace("IN", at) for word in words))
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == f"error: {said.replace('IN', at)}\n"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("AT/new.csv", "AT/new.csv: the output is also an input; choose another name"),
        ("AT/new.csv?region=x", "AT/new.csv?region=x: the output is also an input; choose another name"),
        ("AT/", "AT/new.csv: the output is also an input; choose another name"),
        ("AT/x", "AT/x: unknown output format; end the name in one of .csv, .tsv, .parquet, .pq, .arrow, "
                 ".feather, .jsonl, .ndjson"),
        ("https://x.org/a.csv",
         "https://x.org/a.csv: outputs go to files, or to s3:// and gs:// addresses; name one of these"),
    ],
)  # fmt: skip
def test_where_no_output_goes(
    stored: Prompt, bucket: Bucket, tiny_model: Path, output: str, said: str
) -> None:
    at = bucket.address("")[:-1]
    result = stored("score", bucket.address("new.csv"), "-m", tiny_model, "-o", output.replace("AT", at))
    assert result.usage() == said.replace("AT", at)


@pytest.mark.parametrize("option", ["--summary", "--metrics", "--state"])
def test_records_stay_on_this_machine(stored: Prompt, bucket: Bucket, tiny_model: Path, option: str) -> None:
    address = bucket.address("s.json")
    more = ("--new-only",) if option == "--state" else ()
    result = stored("score", "new.csv", "-m", tiny_model, option, address, *more)
    assert result.usage() == f"{option} {address}: this goes to a file on this machine; name a path"


@pytest.mark.parametrize("key", ["NOBODY", "READER", "UNKNOWN"])
def test_keys_that_do_not_open(
    stored: Prompt, bucket: Bucket, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    output = bucket.address("out/x.csv")
    result = stored("score", "new.csv", "-m", tiny_model, "-o", output)
    keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE)"
    why = {
        "NOBODY": f"access denied; set {keys} to keys that may write there",
        "READER": f"access denied; set {keys} to keys that may write there",
        "UNKNOWN": f"the store refuses the keys; check {keys}",
    }
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == f"error: {output}: cannot be written: {why[key]}\n"
    if key == "NOBODY":
        result = stored("score", bucket.address("in/"), "-m", tiny_model)
        assert (result.exit_code, result.stderr) == (
            3,
            f"error: {bucket.address('in/')}: cannot be read: access denied; set {keys} to keys that may "
            "list and read there\n",
        )


def test_a_store_that_does_not_answer(
    prompt: Prompt, tiny_model: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    result = prompt("score", "s3://b/a.csv", "-m", tiny_model)
    assert (result.exit_code, result.stderr) == (
        3,
        "error: s3://b/a.csv: cannot be read: the store cannot be reached (Could not connect to server); "
        "where it is not Amazon's, set AWS_ENDPOINT_URL to its address, or write "
        "?endpoint_override=HOST:PORT behind the name\n",
    )


def test_refresh_wants_a_model_on_this_machine(stored: Prompt, bucket: Bucket) -> None:
    model = bucket.address("m.aed")
    result = stored("refresh", "new.csv", "-m", model, "--gate", "new.csv")
    assert result.usage() == (
        f"{model}: former models are kept beside the one in use, which must be a file on this machine; "
        "copy it there, and back afterwards"
    )


def test_parquet_is_read_by_row_groups(stored: Prompt, bucket: Bucket, tiny_csv: Path) -> None:
    import numpy as np

    rows = 300_000
    generator = np.random.default_rng(0)
    table = pa.table({f"x{place}": generator.normal(size=rows) for place in range(6)})
    content = io.BytesIO()
    parquet.write_table(table, content, row_group_size=rows // 3, compression="none")
    address = bucket.put("big.parquet", content.getvalue())
    bucket.requests()
    from aedetect.io.files import open_inputs
    from aedetect.io.source import ReadOptions

    reader = open_inputs([address], ReadOptions())[0].open(10_000)
    before = len(bucket.requests())
    batches = reader.batches()
    next(batches)
    first = bucket.requests()
    assert sum(map(len, batches)) == rows - 10_000
    rest = bucket.requests()
    # What it is and what it holds; then a group at a time, whatever the number of columns.
    assert before <= 10
    assert len(first) <= 4
    assert len(rest) <= 3
