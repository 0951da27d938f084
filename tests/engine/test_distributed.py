"""Runs on the workers of a cluster come to what they come to in one process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.pretend_cluster import PretendCluster, pretend, told_of
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.engine import remote

BAD = (
    "row 1 (line 2) has 2 fields where the header has 5; repair or remove this row, or name the delimiter "
    "with --delimiter if it is not ','"
)


@pytest.fixture
def here(prompt: Prompt, tiny_model: Path) -> Prompt:
    """A folder with four dumps, one of them bad, another with faults of its own."""
    Path(prompt.folder, "m.aed").write_bytes(tiny_model.read_bytes())
    folder = Path(prompt.folder, "in")
    folder.mkdir()
    for number in range(3):
        frame = tiny_frame(300, seed=number).astype({"temp": object})
        if number == 1:
            frame.loc[7, "temp"] = "broken"
            frame.loc[11:13, "site"] = "nowhere"
        frame.assign(odd=[place % 50 == 3 for place in range(300)]).to_csv(
            folder / f"{number}.csv", index=False
        )
    (folder / "bad.csv").write_text("temp,load,site,open,odd\n1,2\n")
    return prompt.command(after=("-m", "m.aed"))


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


COMMANDS = {
    "score": ["score", "-o", "{}/"],
    "score together": ["score", "-o", "{}/all.csv"],
    "score together typed": ["score", "-o", "{}/all.parquet"],
    "score anomalies": ["score", "-o", "{}/", "--only-anomalies", "--keep", "none"],
    "score to nowhere": ["score"],
    "score new": ["score", "-o", "{}/", "--new-only", "--state", "{}.db"],
    "drift": ["drift"],
    "encode": ["encode", "-o", "{}/"],
    "clean": ["clean", "-o", "{}/", "--changes", "{}/changes.csv"],
    "impute": ["impute", "-o", "{}/", "--mark", "--draws", "2"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_the_same(command: str, here: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    found = []
    for name, more in (("one", []), ("two", ["--on", "ray"])):
        Path(here.folder, name).mkdir()
        first, *words = (word.format(name) for word in COMMANDS[command])
        result = here.json(first, "in", *words, *more, exit_code=6)
        assert result["workers"] == (2 if more else None)
        found.append((told_of(result), outputs(Path(here.folder, name))))
    assert found[0] == found[1]


@pytest.mark.parametrize("words", [[], ["--by", "site"], ["--compare", "m.aed"]])
def test_evaluate_is_the_same(words: list[str], here: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    Path(here.folder, "in/bad.csv").unlink()
    alone = here.json("evaluate", "in", "--label", "odd", *words)
    spread = here.json("evaluate", "in", "--label", "odd", *words, "--on", "ray")
    assert (alone["workers"], spread["workers"]) == (None, 2)
    assert told_of(alone) == told_of(spread)
    assert alone["rows"] == 900


def test_evaluate_ends_with_the_first_file_that_cannot_be_used(
    here: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch)
    for more in ([], ["--on", "ray"]):
        result = here("evaluate", "in", "--label", "odd", *more)
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (3, f"error: in/bad.csv: {BAD}")


def test_stdin_and_stdout_are_this_machine_s(here: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    rows = Path(here.folder, "in/1.csv").read_bytes()
    for words in (["-"], ["in/0.csv", "-"], ["in/0.csv"]):
        alone = here("score", *words, "-o", "-", stdin=rows)
        spread = here("score", *words, "-o", "-", "--on", "ray", stdin=rows)
        assert (alone.exit_code, alone.stdout) == (spread.exit_code, spread.stdout)
        assert alone.stdout.count("\n") > 300


def test_new_only_goes_on(here: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    words = ["score", "in", "-o", "out/", "--new-only", "--state", "s.db", "--on", "ray"]
    here.json(*words, exit_code=6)
    again = here.json(*words, exit_code=6)
    assert [entry["status"] for entry in again["files"]] == ["known", "known", "known", "failed"]


def test_a_file_that_workers_die_of_fails_by_name(here: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, PretendCluster(before=lambda piece: piece.source.name == "in/1.csv"))
    result = here.json("score", "in", "-o", "out/", "--on", "ray", exit_code=6)
    told = "in/1.csv: left out: 3 workers ended over it, one after the other (out of memory?)"
    assert [entry["error"] for entry in result["files"]] == [None, told, None, f"in/bad.csv: {BAD}"]
    assert sorted(path.name for path in Path(here.folder, "out").iterdir()) == ["0.csv", "2.csv"]


def test_an_output_on_another_machine_s_disk_is_told_of(
    here: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_PATIENCE", 0.0)
    pretend(monkeypatch, PretendCluster(after=lambda done: os.unlink(done.entry.output)))
    result = here("score", "in/0.csv", "-o", "out.csv", "--on", "ray")
    assert (result.exit_code, result.stderr) == (
        5,
        "error: out.csv: a worker has written it to a disk of its own machine; with --on ray, outputs must "
        "be on storage that all machines share, or in an object store\n",
    )


def test_an_input_that_workers_do_not_see(here: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Path(here.folder, "away.csv")
    given = Path(here.folder, "in/0.csv")

    def hide(piece: Any) -> bool:
        given.rename(away)
        return False

    pretend(monkeypatch, PretendCluster(before=hide, after=lambda _: away.rename(given)))
    result = here("score", "in/0.csv", "--on", "ray")
    assert (result.exit_code, result.stderr) == (
        3,
        "error: in/0.csv: is on this machine, but not where the workers are; inputs must be on storage that "
        "all machines share, or in an object store\n",
    )


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("spark", "--on spark: no such place; give 'ray', or the address of a cluster as ray://HOST:PORT"),
        ("ray://", "--on ray://: no such place; give 'ray', or the address of a cluster as ray://HOST:PORT"),
    ],
)
@pytest.mark.parametrize(
    "command", [["score"], ["drift"], ["clean", "-o", "o.csv"], ["evaluate", "--label", "odd"]]
)
def test_no_such_place(place: str, told: str, command: list[str], here: Prompt) -> None:
    result = here(command[0], "in/0.csv", *command[1:], "--on", place)
    assert (result.exit_code, told in " ".join(result.stderr.split())) == (2, True)
