"""What commands load: a mistyped name nothing that takes long, a table scored no more than it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.sensors import readings

from aedetect import Detector

# Each of them takes longer to load than all else that a mistyped name needs.
HEAVY = ("torch", "numpy", "pyarrow", "pandas", "scipy", "sklearn", "rich")
# What scoring a table has no use for.
UNUSED = (
    *(
        "torch",
        "pandas",
        "scipy",
        "sklearn",
        "datasketches",
        "apprise",
        "icalendar",
        "jinja2",
        "rich",
        "matplotlib",
    ),
)
MODEL = ("-m", "model.aed")
# The words of each command but its inputs.
OF_INPUTS: dict[str, Sequence[str]] = {
    "score": (*MODEL, "-o", "out.csv"),
    "train": ("-o", "new.aed"),
    "evaluate": (*MODEL, "--label", "label"),
    "explain": MODEL,
    "report": (*MODEL, "-o", "report.html"),
    "backtest": MODEL,
    "calibrate": (*MODEL, "-o", "new.aed"),
    "refresh": (*MODEL, "--gate", "rows.csv"),
    "drift": MODEL,
    "encode": (*MODEL, "-o", "out.csv"),
    "decode": (*MODEL, "-o", "out.csv"),
    "clean": (*MODEL, "-o", "out.csv"),
    "impute": (*MODEL, "-o", "out.csv"),
    "feedback": ("--row", "1", "--normal", "--store", "store.json"),
}
OF_MODELS = {
    **{name: words for name, words in OF_INPUTS.items() if MODEL[0] in words},
    "sample": ("5", *MODEL, "-o", "new.csv"),
}
SCORING: dict[str, Sequence[str]] = {
    "score": ("rows.csv", *MODEL, "-o", "out.csv"),
    "score --json": ("rows.csv", *MODEL, "--json"),
    "drift": ("rows.csv", *MODEL),
    "encode": ("rows.csv", *MODEL, "-o", "codes.csv"),
    "decode": ("codes.csv", *MODEL, "-o", "back.csv"),
    "clean": ("rows.csv", *MODEL, "-o", "clean.csv"),
    "impute": ("rows.csv", *MODEL, "-o", "filled.csv"),
}
# On a CPU, only learning needs torch.
JUDGING: dict[str, Sequence[str]] = {
    "evaluate": ("labelled.csv", *MODEL, "--label", "label"),
    "explain": ("rows.csv", *MODEL),
    "report": ("rows.csv", *MODEL, "-o", "report.html"),
    "calibrate": ("rows.csv", *MODEL, "-o", "calibrated.aed"),
    "backtest": ("rows.csv", *MODEL),
    "inspect": ("model.aed",),
    "sample": ("5", *MODEL, "-o", "new.csv"),
    "impute --draws 2": ("rows.csv", *MODEL, "-o", "drawn.csv"),
    "clean --denoise": ("rows.csv", *MODEL, "-o", "calm.csv"),
}
OF_SERIES: dict[str, Sequence[str]] = {
    "score": ("series.csv", "-m", "series.aed", "-o", "scored.csv"),
    "explain": ("series.csv", "-m", "series.aed"),
    "report": ("series.csv", "-m", "series.aed", "-o", "series.html"),
    "drift": ("series.csv", "-m", "series.aed"),
    "calibrate": ("series.csv", "-m", "series.aed", "-o", "later.aed"),
}
_SCRIPT = """
import contextlib, io, json, sys
from aedetect.cli.main import app

unwanted, lines = json.loads(sys.argv[1])
ends = {}
for name, words in lines.items():
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            app(words, prog_name="aedetect")
        except SystemExit as end:
            ends[name] = [end.code, said.getvalue(), [each for each in unwanted if each in sys.modules]]
print(json.dumps(ends))
"""
End = tuple[int, str, list[str]]


def run(folder: Path, unwanted: Sequence[str], lines: Mapping[str, Sequence[str]]) -> dict[str, End]:
    """Exit code, text and unwanted modules of each line; one process runs them all, in their order."""
    asked = json.dumps([list(unwanted), {name: list(words) for name, words in lines.items()}])
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, asked], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name: (code, text, loaded) for name, (code, text, loaded) in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_csv: Path, tiny_model: Path) -> Path:
    """A folder with rows.csv and model.aed."""
    folder = tmp_path_factory.mktemp("loading")
    (folder / "rows.csv").write_bytes(tiny_csv.read_bytes())
    (folder / "model.aed").write_bytes(tiny_model.read_bytes())
    (folder / "damaged.aed").write_bytes(tiny_model.read_bytes()[:1000])
    rows = pd.read_csv(tiny_csv)
    rows.assign(label=np.arange(len(rows)) % 10 == 0).to_csv(folder / "labelled.csv", index=False)
    series = readings(days=6)
    series.to_csv(folder / "series.csv", index=False)
    settings = {"series.time": "time", "training.folds": 2, "training.device": "cpu"}
    Detector(settings).fit(series).save(folder / "series.aed")
    return folder


@pytest.fixture(scope="module")
def wrong_inputs(folder: Path) -> dict[str, End]:
    return run(folder, HEAVY, {name: (name, "row.csv", *words) for name, words in OF_INPUTS.items()})


@pytest.fixture(scope="module")
def wrong_models(folder: Path) -> dict[str, End]:
    lines: dict[str, Sequence[str]] = {}
    for name, words in OF_MODELS.items():
        inputs = () if name == "sample" else ("rows.csv",)
        for model in ("modle.aed", "damaged.aed"):
            named = (model if word == MODEL[1] else word for word in words)
            lines[f"{name} {model}"] = (name, *inputs, *named)
    lines["inspect modle.aed"] = ("inspect", "modle.aed")
    lines["inspect damaged.aed"] = ("inspect", "damaged.aed")
    lines["export modle.aed"] = ("export", "modle.aed", "-o", "m.onnx")
    lines["export damaged.aed"] = ("export", "damaged.aed", "-o", "m.onnx")
    return run(folder, HEAVY, lines)


@pytest.fixture(scope="module")
def wrong_flags(folder: Path) -> dict[str, End]:
    flags = {name: (name, "rows.csv", *words, "--nope") for name, words in OF_INPUTS.items()}
    folders = {
        f"{name} in no folder": (name, "rows.csv", *MODEL, "-o", "nowhere/out.csv")
        for name in ("score", "encode", "clean", "impute")
    }
    return run(folder, HEAVY, flags | folders)


OF_MUTING = ("score", "explain", "report", "refresh", "train", "tune")
LEARNING = ("train", "tune")
LACKING = ("score", "evaluate", "explain", "report", "backtest", "drift", "encode", "clean", "impute")


def line(command: str, *further: str, rows: str = "rows.csv") -> Sequence[str]:
    words = OF_INPUTS.get(command, ("--unsupervised", "-o", "best.toml"))
    return (command, rows, *words, *further)


@pytest.fixture(scope="module")
def wrong_beside(folder: Path) -> dict[str, End]:
    lines: dict[str, Sequence[str]] = {}
    for name in OF_MUTING:
        lines[f"{name} --calendar"] = line(name, "--calendar", "row.csv", "--time-of", "temp")
        lines[f"{name} --feedback"] = line(name, "--feedback", "notes.json")
    for name in set(OF_MUTING) - {*LEARNING}:
        lines[f"{name} --rules"] = line(name, "--rules", "rules.toml")
    lines["calibrate --feedback"] = line("calibrate", "--feedback", "notes.json")
    for name in OF_INPUTS:
        if name != "feedback":
            lines[f"{name} --device"] = line(name, "--device", "gpu")
    return run(folder, HEAVY, lines)


@pytest.fixture(scope="module")
def lacking(folder: Path) -> dict[str, End]:
    rows = pd.read_csv(folder / "labelled.csv").rename(columns={"temp": "temperature"})
    rows.to_csv(folder / "renamed.csv", index=False)
    tensors = (folder / "model.aed").read_bytes()
    (folder / "flipped.aed").write_bytes(tensors[:-4] + bytes([tensors[-4] ^ 1]) + tensors[-3:])
    lines = {name: line(name, rows="renamed.csv") for name in LACKING}
    lines["flipped"] = ("score", "renamed.csv", "-m", "flipped.aed", "-o", "out.csv")
    return run(folder, HEAVY, lines)


@pytest.fixture(scope="module")
def scoring(folder: Path) -> dict[str, End]:
    return run(folder, UNUSED, {name: (*name.split(), *words) for name, words in SCORING.items()})


@pytest.fixture(scope="module")
def judging(folder: Path) -> dict[str, End]:
    tables = {name: (*name.split(), *words) for name, words in JUDGING.items()}
    series = {f"{name} of series": (name, *words) for name, words in OF_SERIES.items()}
    return run(folder, ("torch",), tables | series)


@pytest.mark.parametrize("command", OF_INPUTS)
def test_a_mistyped_input_loads_nothing_heavy(wrong_inputs: dict[str, End], command: str) -> None:
    said = "error: row.csv: no such file or directory; did you mean 'rows.csv'?\n"
    assert wrong_inputs[command] == (3, said, [])


@pytest.mark.parametrize("command", [*OF_MODELS, "inspect", "export"])
def test_a_mistyped_model_loads_nothing_heavy(wrong_models: dict[str, End], command: str) -> None:
    reason = "cannot read the model file: No such file or directory; did you mean 'model.aed'?"
    assert wrong_models[f"{command} modle.aed"] == (4, f"error: modle.aed: {reason}\n", [])


@pytest.mark.parametrize("command", [*OF_MODELS, "inspect", "export"])
def test_a_model_cut_short_loads_nothing_heavy(wrong_models: dict[str, End], command: str) -> None:
    said = "error: damaged.aed: not an aedetect model file, or cut short\n"
    assert wrong_models[f"{command} damaged.aed"] == (4, said, [])


@pytest.mark.parametrize("command", OF_INPUTS)
def test_a_wrong_flag_loads_nothing_heavy(wrong_flags: dict[str, End], command: str) -> None:
    code, text, loaded = wrong_flags[command]
    assert (code, loaded) == (2, [])
    assert text.endswith("\nError: No such option: --nope\n") or "did you mean" in text


@pytest.mark.parametrize("command", ["score", "encode", "clean", "impute"])
def test_an_output_in_no_folder_loads_nothing_heavy(wrong_flags: dict[str, End], command: str) -> None:
    reason = "cannot be written: its folder does not exist; create it first"
    assert wrong_flags[f"{command} in no folder"] == (5, f"error: nowhere/out.csv: {reason}\n", [])


@pytest.mark.parametrize("command", OF_MUTING)
def test_a_mistyped_calendar_loads_nothing_heavy(wrong_beside: dict[str, End], command: str) -> None:
    said = "error: row.csv: no such file or directory; did you mean 'rows.csv'?\n"
    assert wrong_beside[f"{command} --calendar"] == (3, said, [])


@pytest.mark.parametrize("command", [*OF_MUTING, "calibrate"])
def test_mistyped_feedback_loads_nothing_heavy(wrong_beside: dict[str, End], command: str) -> None:
    reason = "there is no such file of feedback; `aedetect feedback` makes one with --store"
    assert wrong_beside[f"{command} --feedback"] == (3, f"error: notes.json: {reason}\n", [])


@pytest.mark.parametrize("command", sorted(set(OF_MUTING) - {*LEARNING}))
def test_mistyped_rules_load_nothing_heavy(wrong_beside: dict[str, End], command: str) -> None:
    code, text, loaded = wrong_beside[f"{command} --rules"]
    assert (code, loaded) == (2, [])
    assert text.endswith("rules.toml: cannot be read: No such file or directory\n")


@pytest.mark.parametrize("command", sorted({*OF_INPUTS} - {"feedback"}))
def test_what_is_no_device_loads_nothing_heavy(wrong_beside: dict[str, End], command: str) -> None:
    code, text, loaded = wrong_beside[f"{command} --device"]
    assert (code, loaded) == (2, [])
    assert text.endswith("--device = 'gpu': not one of auto, cpu, cuda or mps\n")


@pytest.mark.parametrize("command", LACKING)
def test_a_renamed_column_is_told_before_the_model_is_loaded(lacking: dict[str, End], command: str) -> None:
    said = (
        "error: renamed.csv: column 'temp' is missing, which the model was trained on; the file has "
        "'temperature', which the model does not know: is that 'temp'? rename it, or retrain\n"
    )
    assert lacking[command] == (4, said, [])


def test_of_a_damaged_model_that_is_told_first(lacking: dict[str, End]) -> None:
    code, text, _ = lacking["flipped"]
    reason = "the model file is damaged (its digest does not match); restore it or retrain"
    assert (code, text) == (4, f"error: flipped.aed: {reason}\n")


@pytest.mark.parametrize("command", SCORING)
def test_a_table_is_worked_on_with_what_it_needs(scoring: dict[str, End], command: str) -> None:
    code, text, loaded = scoring[command]
    assert (code, loaded) == (0, []), text


@pytest.mark.parametrize("command", [*JUDGING, *(f"{name} of series" for name in OF_SERIES)])
def test_only_learning_needs_torch(judging: dict[str, End], command: str) -> None:
    code, text, loaded = judging[command]
    assert (code, loaded) == (0, []), text


def test_the_python_interface_leaves_pandas_alone() -> None:
    # Whoever calls it may hand over DataFrames, which Arrow must know.
    code = (
        "import sys, pyarrow, aedetect; aedetect.Detector; pyarrow.array([1]); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
