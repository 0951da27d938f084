"""Wrong use of the command line: what is wrong, and what may be meant."""

from __future__ import annotations

import pytest
from support.prompt import Prompt

MODEL = "-m MODEL.aed: The model file"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("sore t.csv", "No such command 'sore'; did you mean 'score'?"),
        ("Score t.csv", "No such command 'Score'; did you mean 'score'?"),
        ("predict t.csv", "No such command 'predict'; did you mean 'score'?"),
        ("fit t.csv", "No such command 'fit'; did you mean 'train'?"),
        ("help", "No such command 'help'; type aedetect --help"),
        ("version", "No such command 'version'; type aedetect --version"),
        (
            "xyz",
            "No such command 'xyz'; there are: train, score, explain, report, evaluate, backtest, calibrate, "
            "refresh, tune, drift, inspect, export, encode, decode, clean, impute, sample, feedback, state",
        ),
        ("state shw", "No such command 'shw'; did you mean 'show'?"),
        ("--verison", "No such option: --verison; did you mean --version?"),
        ("score t.csv -m m.aed --alert-rat 1%", "No such option: --alert-rat; did you mean --alert-rate?"),
        ("score t.csv -m m.aed --Quiet", "No such option: --Quiet; did you mean --quiet?"),
        ("score t.csv -m m.aed --xyz", "No such option: --xyz"),
        ("score --version", "No such option: --version; the version is told by aedetect --version"),
        ("score t.csv -m m.aed -json", "No such option: -json; did you mean --json, with two dashes?"),
        (
            "train t.csv -o m.aed -alert-rate=1%",
            "No such option: -alert-rate; did you mean --alert-rate, with two dashes?",
        ),
        (
            "explain t.csv -m m.aed -o x.txt",
            "No such option: -o; explain prints what it finds: redirect it with > FILE",
        ),
        (
            "score -m m.aed",
            "Missing argument INPUT...: Files, directories, quoted globs, '-' for CSV on stdin, or "
            "addresses as s3://bucket/folder/",
        ),
        ("sample -m m.aed -o s.csv", "Missing argument N: How many rows"),
        ("score t.csv", f"Missing option {MODEL}"),
        ("score m.aed t.csv", f"Missing option {MODEL}; is it m.aed? Then write -m m.aed"),
        ("explain t.csv m.aed", f"Missing option {MODEL}; is it m.aed? Then write -m m.aed"),
        (
            "train t.csv m.aed",
            "Missing option -o MODEL.aed: The model file to write, here or at s3://bucket/model.aed; is it "
            "m.aed? Then write -o m.aed",
        ),
        ("inspect m.aed t.csv", "Too many arguments for inspect: t.csv; it takes MODEL.aed alone"),
        ("explain t.csv u.csv -m m.aed", "Too many arguments for explain: u.csv; it takes INPUT alone"),
        ("score t.csv -m m.aed --keep", "Option --keep needs a value: --keep all|id|none"),
        ("train t.csv -o m.aed --epochs", "Option --epochs needs a value: --epochs N"),
        (
            "score t.csv -m m.aed --keep ids",
            "Invalid value: --keep = 'ids': not one of all, id or none; did you mean 'id'?",
        ),
        (
            "report t.csv -m m.aed --map PCA",
            "Invalid value: --map = 'PCA': not one of pca, tsne or umap; did you mean 'pca'?",
        ),
        (
            "train t.csv -o m.aed --log-format xml",
            "Invalid value: --log-format = 'xml': not one of text or json",
        ),
        ("score t.csv -m m.aed --quiet=yes", "Option '--quiet' does not take a value."),
    ],
)
def test_wrong_use_is_answered_in_one_line(prompt: Prompt, typed: str, said: str) -> None:
    result = prompt(*typed.split())
    assert (result.exit_code, result.stdout) == (2, "")
    usage, hint, empty, error = result.stderr.rsplit("\n", 4)[:4]
    assert usage
    assert (hint.startswith("Try 'aedetect "), empty) == (True, "")
    assert error == f"Error: {said}"


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["score", "-h"], ["state", "-h"], ["--version"]])
def test_what_is_asked_for_is_no_wrong_use(prompt: Prompt, words: list[str]) -> None:
    result = prompt(*words)
    assert (result.exit_code, result.stderr) == (0, "")


def test_no_argument_at_all_shows_the_help(prompt: Prompt) -> None:
    result = prompt("score")
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: aedetect score INPUT... -m MODEL.aed [OPTIONS]\n")
