"""Large inputs that are worked on in spans come to what they come to as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from support.big_file import rows_of, with_big_file
from support.pretend_cluster import PretendCluster, pretend, told_of
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.engine import divided
from aedetect.errors import OutputError


@pytest.fixture
def big(prompt: Prompt, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    """A folder with big.parquet, which is cut into three spans."""
    pretend(monkeypatch)
    return with_big_file(prompt, tiny_model, monkeypatch)


COMMANDS = {
    "score": ["score"],
    "anomalies": ["score", "--only-anomalies"],
    "ledger": ["score", "--new-only", "--state", "{}.db"],
    "encode": ["encode", "--map", "{}.svg"],
    "clean": ["clean", "--changes", "{}-changes.csv"],
    "impute": ["impute", "--draws", "2"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("suffix", [".parquet", pytest.param(".csv.gz", marks=pytest.mark.slow)])
def test_every_command_is_the_same(command: str, suffix: str, big: Prompt) -> None:
    found = []
    for name, more in (("one", []), ("two", ["--on", "ray"])):
        first, *words = (word.format(name) for word in COMMANDS[command])
        result = told_of(big.json(first, "big.parquet", "-o", f"{name}{suffix}", *words, *more))
        assert result["files"][0].pop("output") == f"{name}{suffix}"
        side = Path(big.folder, f"{name}-changes.csv")
        found.append(
            (result, side.read_text() if side.exists() else None, rows_of(Path(big.folder, name + suffix)))
        )
    assert found[0] == found[1]
    assert not [path for path in Path(big.folder).iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("suffix", [".csv", ".csv.zst", ".jsonl", ".arrow"])
def test_in_every_format(suffix: str, big: Prompt) -> None:
    for name, more in (("one", []), ("two", ["--on", "ray"])):
        assert big("score", "big.parquet", "-o", name + suffix, *more).exit_code == 0
    one, two = (Path(big.folder, name + suffix) for name in ("one", "two"))
    assert rows_of(one).equals(rows_of(two))
    if suffix in (".csv", ".jsonl"):
        assert one.read_bytes() == two.read_bytes()


def test_to_nowhere_to_stdout_and_with_others(big: Prompt) -> None:
    assert told_of(big.json("score", "big.parquet")) == told_of(
        big.json("score", "big.parquet", "--on", "ray")
    )
    alone, spread = (big("score", "big.parquet", "-o", "-", *more) for more in ([], ["--on", "ray"]))
    assert alone == spread
    tiny_frame(50).to_csv(Path(big.folder, "small.csv"), index=False)
    for name, more in (("one", []), ("two", ["--on", "ray"])):
        assert big("score", "big.parquet", "small.csv", "-o", f"{name}.csv", *more).exit_code == 0
    assert Path(big.folder, "one.csv").read_bytes() == Path(big.folder, "two.csv").read_bytes()


def test_drift_and_evaluate_are_the_same(big: Prompt) -> None:
    for words in (["drift"], ["evaluate", "--label", "odd", "--by", "site"]):
        alone, spread = (
            big.json(words[0], "big.parquet", *words[1:], *more) for more in ([], ["--on", "ray"])
        )
        assert told_of(alone) == told_of(spread)


def test_a_folder_gets_numbered_parts(big: Prompt) -> None:
    assert big("score", "big.parquet", "-o", "one.parquet").exit_code == 0
    result = big.json("score", "big.parquet", "-o", "out/", "--on", "ray")
    assert result["files"][0]["output"] == "out/big-*.parquet"
    folder = Path(big.folder, "out")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["big-00000.parquet", "big-00001.parquet", "big-00002.parquet"]
    assert parquet.read_table(folder).equals(parquet.read_table(Path(big.folder, "one.parquet")))
    assert big("score", "big.parquet", "-o", "out/", "--on", "ray").exit_code == 0


def test_more_parts_of_an_earlier_output_are_not_left_among_them(big: Prompt) -> None:
    folder = Path(big.folder, "out")
    folder.mkdir()
    (folder / "big-00003.parquet").write_bytes(b"")
    result = big("score", "big.parquet", "-o", "out/", "--on", "ray")
    assert (result.exit_code, result.stderr) == (
        5,
        "error: out/big-00003.parquet: of an earlier output of more parts than the 3 to be written now; "
        "remove it\n",
    )
    assert [path.name for path in folder.iterdir()] == ["big-00003.parquet"]


def test_a_span_that_workers_die_of_fails_its_file_and_leaves_nothing(
    big: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_frame(50).to_csv(Path(big.folder, "small.csv"), index=False)
    pretend(
        monkeypatch, PretendCluster(before=lambda piece: piece.span is not None and piece.span.before == 200)
    )
    result = big.json("score", "big.parquet", "small.csv", "-o", "out/", "--on", "ray", exit_code=6)
    assert [(entry["status"], entry["rows"]) for entry in result["files"]] == [("failed", 0), ("scored", 50)]
    assert [path.name for path in Path(big.folder, "out").iterdir()] == ["small.csv"]


def test_a_file_that_changes_meanwhile_is_not_entered(big: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(big.folder, "big.parquet")

    def change(_: object) -> None:
        path.write_bytes(path.read_bytes())

    pretend(monkeypatch, PretendCluster(after=change))
    result = big("score", "big.parquet", "-o", "out.parquet", "--new-only", "--state", "s.db", "--on", "ray")
    assert result.exit_code == 3
    assert "big.parquet" in result.stderr
    assert not Path(big.folder, "out.parquet").exists()


def test_small_files_are_not_cut(big: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look(piece: object) -> bool:
        seen.append(piece)
        return False

    pretend(monkeypatch, PretendCluster(before=look))
    monkeypatch.setattr(divided, "LEAST_BYTES", 1 << 30)
    assert big("score", "big.parquet", "--on", "ray").exit_code == 0
    assert len(seen) == 1
    monkeypatch.setattr(divided, "LEAST_BYTES", 1)
    assert big("score", "big.parquet", "--on", "ray").exit_code == 0
    assert len(seen) == 4


def test_what_cannot_be_written_of_a_part_is_said_of_the_output(
    big: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(piece: Any) -> bool:
        raise OutputError(f"{piece.output}: cannot be written: no space left on the device")

    pretend(monkeypatch, PretendCluster(before=fail))
    result = big("score", "big.parquet", "-o", "out.csv", "--on", "ray")
    assert (result.exit_code, result.stderr) == (
        5,
        "error: out.csv: cannot be written: no space left on the device\n",
    )
