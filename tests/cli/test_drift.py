"""`aedetect drift`, and drift told by `aedetect score`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from support.prompt import Prompt
from support.tables import tiny_frame


@pytest.fixture(autouse=True)
def _here(prompt: Prompt, tiny_model: Path) -> None:
    """The working directory: a model, fresh rows like its own, and rows that are warmer by 20."""
    prompt.write("m.aed", tiny_model.read_bytes())
    frame = tiny_frame(300, seed=1)
    frame.to_csv("same.csv", index=False)
    frame.assign(temp=frame["temp"] + 20).to_csv("warm.csv", index=False)


@pytest.fixture
def run(prompt: Prompt) -> Prompt:
    """Any command, of the model m.aed."""
    return prompt.command(after=("-m", "m.aed"))


def test_steady(run: Prompt) -> None:
    result = run("drift", "same.csv", "--fail-on-drift")
    assert (result.exit_code, result.stdout) == (0, "the 300 rows are spread as in training\n")


def test_drifted(run: Prompt) -> None:
    result = run("drift", "warm.csv")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == (
        "1 of 4 columns ('temp') and the scores have drifted since training"
    )
    assert " ".join(result.stdout.split()).startswith(
        "column PSI KS what is found ────────────────────────────────────────"
    )
    assert "lie outside the range seen in training" in " ".join(result.stdout.split())


@pytest.mark.parametrize("words", [("drift", "warm.csv"), ("score", "warm.csv", "-o", "out.csv")])
def test_drift_fails_only_where_asked_to(run: Prompt, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 0
    result = run(*words, "--fail-on-drift", "--json")
    assert result.exit_code == json.loads(result.stdout)["exit_code"] == 11


def test_score_and_drift_say_the_same(run: Prompt) -> None:
    scored = run.json("score", "warm.csv")["drift"]
    alone = run.json("drift", "warm.csv")
    assert scored == {key: alone[key] for key in scored}
    assert scored["drifted"] == ["temp"]


def test_score_tells_people_of_drift(run: Prompt) -> None:
    lines = run("score", "warm.csv", "-o", "out.csv").stdout.splitlines()
    assert lines[1] == "drift: 1 of 4 columns ('temp') and the scores have drifted since training"


def test_score_says_where_rows_are_too_few_to_fail_on_drift(run: Prompt) -> None:
    Path("few.csv").write_text("".join(Path("warm.csv").read_text().splitlines(keepends=True)[:11]))
    told = "--fail-on-drift: too few rows to tell: 10, where it takes 50"
    result = run("score", "few.csv", "-o", "out.csv", "--fail-on-drift")
    assert (result.exit_code, result.stderr) == (0, f"warning: {told}\n")
    assert told in run.json("score", "few.csv", "--fail-on-drift")["warnings"]
    assert run.json("score", "few.csv")["warnings"] == []
    assert told not in run("drift", "few.csv", "--fail-on-drift").stderr


def test_a_failure_outranks_drift(run: Prompt) -> None:
    Path("bad.csv").write_bytes(bytes(9))
    result = run("drift", "warm.csv", "bad.csv", "--fail-on-drift")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        6,
        "error: bad.csv: holds nothing but zero bytes; was it cut off by a crash or a full disk?",
    )
    result = run("score", "warm.csv", "bad.csv", "-o", "out/", "--fail-on-drift")
    assert result.exit_code == 6


def test_a_bad_input_does_not_count(run: Prompt) -> None:
    text = Path("warm.csv").read_text()
    Path("bad.csv").write_text(text + "1,2\n")
    assert run.json("score", "same.csv", "bad.csv", exit_code=6)["drift"]["verdict"] == "steady"


def test_an_older_model_file_says_nothing_of_drift(run: Prompt) -> None:
    from aedetect.scoring.model_file import pack, read_model_file

    manifest, tensors, _ = read_model_file("m.aed")
    older = {name: values for name, values in tensors.items() if not name.startswith("drift.")}
    data = pack(manifest.model_schema, manifest.features, manifest.config, manifest.training, older)
    Path("m.aed").write_bytes(data)
    assert run.json("score", "warm.csv")["drift"] is None
    result = run("drift", "warm.csv")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        4,
        "error: m.aed: the model file does not hold how its training data were spread; retrain, or score "
        "without drift",
    )


class TestDigest:
    @pytest.mark.parametrize("command", ["score", "drift"])
    def test_the_right_one(self, run: Prompt, command: str) -> None:
        digest = hashlib.sha256(Path("m.aed").read_bytes()).hexdigest()
        assert run(command, "same.csv", "--model-sha256", digest.upper()).exit_code == 0

    @pytest.mark.parametrize("command", ["score", "drift"])
    def test_another_is_4_before_the_file_is_looked_into(self, run: Prompt, command: str) -> None:
        spoilt = Path("m.aed").read_bytes()[:-1] + b"?"
        Path("m.aed").write_bytes(spoilt)
        digest = hashlib.sha256(spoilt).hexdigest()
        result = run(command, "same.csv", "--model-sha256", "0" * 64)
        assert (result.exit_code, result.stderr) == (
            4,
            f"error: m.aed: not the model that was asked for: its SHA-256 is {digest}\n",
        )
