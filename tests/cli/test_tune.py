"""`aedetect tune`: settings that find more, or that the default is to be kept."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.prompt import Prompt
from support.sensors import readings
from support.tables import tiny_frame

from aedetect import Detector, tune
from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.errors import UsageError
from aedetect.io.source import TableInput
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.tune import search as search_module
from aedetect.tasks.tune.bench import Bench
from aedetect.tasks.tune.judge import Figures
from aedetect.training import fit as fit_module
from aedetect.training.fit import fit
from aedetect.training.planned_rows import PlanRequest
from aedetect.training.request import FitRequest

FAST = """
[model]
architecture = "principal"
width = 16
depth = 2

[training]
epochs = 1
folds = 2
device = "cpu"
"""
ROWS, ODD = 240, 18


@pytest.fixture(autouse=True)
def tuning(prompt: Prompt) -> Prompt:
    """`tune` with -o best.toml, in a folder with labelled.csv and fast.toml, which leaves the rate open."""
    frame = tiny_frame(ROWS + ODD).assign(label=0)
    frame.loc[ROWS:, "label"] = 1
    frame.loc[ROWS:, "load"] *= np.where(np.arange(ODD) % 2, 1.1, 2.0)
    frame.to_csv("labelled.csv", index=False)
    prompt.write("fast.toml", FAST)
    return prompt.command("tune", after=("-o", "best.toml"))


class AnyModel:
    """What the search asks of a model of a table."""

    series = None

    class encoder:
        class layout:
            numeric = 1


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A higher learning rate finds more, whatever the rows are; nothing is learned."""

    def figures(self: Bench, config: Any, part: int, until: float | None) -> tuple[Figures, AnyModel]:
        value = 0.5 + 30 * config.training.learning_rate + 0.001 * part
        return Figures(value, value), AnyModel()

    monkeypatch.setattr(Bench, "figures", figures)


class TestSearch:
    @pytest.mark.slow
    def test_labels_judge_and_the_file_is_one_that_train_takes(self, prompt: Prompt, tuning: Prompt) -> None:
        words = ("labelled.csv", "--label", "label", "--trials", 3, "--config", "fast.toml")
        told = tuning.json(*words)
        assert (told["command"], told["output"], told["judged_by"]) == ("tune", "best.toml", "labels")
        assert (told["rows"], told["labelled_anomalies"], told["parts"]) == (ROWS + ODD, ODD, 3)
        assert (told["events"], told["rows_drawn"], told["stopped"]) == (None, None, None)
        assert told["searched"] == {"training.learning_rate": "0.0005 to 0.01, logarithmic"}
        default = told["trials"][0]
        assert (default["number"], default["settings"], default["status"]) == (1, {}, "judged")
        # The best of these rows are doubled, and easily found.
        assert default["average_precision"] > 0.4
        assert len(told["trials"]) == 3
        assert told["keep_default"] == (told["settings"] == {})
        assert {"seconds", "started", "finished", "schema_version", "warnings"} <= set(told)
        assert "model" not in told
        settings = tomllib.loads(Path("best.toml").read_text(encoding="utf-8"))
        assert settings["data"] == {"label": "label"}
        assert settings["model"] == tomllib.loads(FAST)["model"]
        result = prompt("train", "labelled.csv", "--config", "best.toml", "-o", "m.aed")
        assert result.exit_code == 0
        assert f"learned {ROWS} normal rows" in result.stdout
        again = tuning.json(*words)
        assert again["trials"][1]["settings"] == told["trials"][1]["settings"]
        figures = [[trial["average_precision"] for trial in one["trials"]] for one in (told, again)]
        assert figures[0] == figures[1]

    def test_without_labels_made_up_rows_judge(self, tuning: Prompt) -> None:
        told = tuning.json(
            *("labelled.csv", "--exclude", "label", "--unsupervised", "--trials", 2),
            *("--config", "fast.toml", "--seed", 3),
        )
        assert (told["judged_by"], told["labelled_anomalies"], told["parts"]) == ("made-up", None, 5)
        assert 0.3 < told["trials"][0]["average_precision"] < 1
        settings = tomllib.loads(Path("best.toml").read_text(encoding="utf-8"))
        assert settings["data"] == {"exclude": ["label"]}
        assert settings["training"]["seed"] == 3

    @pytest.mark.slow
    @pytest.mark.parametrize("labelled", [True, False])
    def test_series_are_judged_in_stretches_of_time(self, tuning: Prompt, labelled: bool) -> None:
        frame = readings(25).assign(odd=0)
        for begin in range(50, len(frame) - 50, len(frame) // 8):
            frame.loc[begin : begin + 8, "odd"] = 1
            frame.loc[begin : begin + 8, "temp"] += 30
        frame.to_csv("series.csv", index=False)
        Path("series.toml").write_text('[model]\narchitecture = "patches"\n', encoding="utf-8")
        how = ("--label", "odd") if labelled else ("--unsupervised", "--exclude", "odd")
        words = ("series.csv", "--time", "time", *how, "--trials", 2, "--window", 12)
        told = tuning.json(*words, "--config", "series.toml")
        assert told["trials"][0]["average_precision"] > 0.3
        assert told["searched"] == {"series.smoothing": "0, 4, 16"}
        assert told["events"] == (8 if labelled else None)
        settings = tomllib.loads(Path("best.toml").read_text(encoding="utf-8"))
        assert settings["series"]["time"] == "time"
        assert settings["series"]["window"] == 12

    def test_what_is_said_of_a_gain(self, tuning: Prompt, judged: None) -> None:
        result = tuning("labelled.csv", "--label", "label", "--trials", 4, "--config", "fast.toml")
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert lines[0].startswith("4 trials in ")
        assert lines[0].endswith(" s, on 258 rows, 18 of them labelled as anomalies, in 3 parts")
        rows = [line.split() for line in lines]
        assert ["setting", "default", "trial"] in [row[:3] for row in rows]
        assert ["training.learning_rate", "0.002"] in [row[:2] for row in rows]
        assert ["average", "precision", "0.561"] in [row[:3] for row in rows]
        assert lines[-2].startswith("use the tuned settings: a gain of +0.")
        assert lines[-1].startswith("best.toml: holds the settings of trial ")
        assert lines[-1].endswith(", for train --config best.toml")
        text = Path("best.toml").read_text(encoding="utf-8")
        assert text.splitlines()[1:4] == [
            "# data: labelled.csv; 258 rows, 18 of them labelled as anomalies, in 3 parts",
            "# search: 4 trials, seed 0",
            f"# verdict: {lines[-2]}",
        ]
        assert tomllib.loads(text)["training"]["learning_rate"] > 0.002

    def test_where_nothing_is_gained_the_file_holds_the_default(self, tuning: Prompt) -> None:
        result = tuning(
            *(
                "labelled.csv",
                "--label",
                "label",
                "--trials",
                2,
                "--config",
                "fast.toml",
                "--max-time",
                "0.01s",
            )
        )
        assert result.exit_code == 0
        assert result.stdout.splitlines()[-2] == ("keep the default: there was no time to try other settings")
        assert result.stdout.splitlines()[-1] == (
            "best.toml: holds the default settings, for train --config best.toml"
        )
        assert "learning_rate" not in Path("best.toml").read_text(encoding="utf-8")

    def test_a_line_for_each_trial_on_a_terminal(self, tuning: Prompt, judged: None) -> None:
        words = ("labelled.csv", "--label", "label", "--trials", 3, "--config", "fast.toml")
        result = tuning(*words, terminals=["stderr", "stdout"], width=100)
        assert result.exit_code == 0
        assert "trial 1: 0.561, the default" in result.stderr
        assert "trial 3: 0." in result.stderr
        assert "next: aedetect train labelled.csv -o model.aed --config best.toml" in result.stdout
        assert tuning(*words).stderr == ""
        assert tuning(*words, "--quiet").output == ""

    def test_a_failed_trial_is_a_warning(self, tuning: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
        def figures(self: Bench, config: Any, part: int, until: float | None) -> Any:
            if "learning_rate" in config.training.model_fields_set:
                raise UsageError("training diverged")
            return Figures(0.5, 0.5), AnyModel()

        monkeypatch.setattr(Bench, "figures", figures)
        result = tuning("labelled.csv", "--label", "label", "--trials", 2, "--config", "fast.toml")
        assert result.exit_code == 0
        assert result.stderr.startswith("warning: trial 2 (training.learning_rate = 0.00")
        assert result.stderr.endswith(" failed: training diverged\n")


class TestKnownBeforehand:
    @pytest.mark.slow
    def test_planned_rows_and_noted_ones_are_left_out(
        self, prompt: Prompt, tuning: Prompt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        frame = pd.read_csv("labelled.csv")
        frame["at"] = pd.date_range("2026-03-01", periods=len(frame), freq="h").strftime("%Y-%m-%d %H:%M")
        frame.to_csv("timed.csv", index=False)
        prompt.write("plan.csv", "start,end,name\n2026-03-01 00:00,2026-03-01 09:30,oven\n")
        noted = frame.iloc[[20, 30]].assign(anomaly_score=9.0, anomaly_p_value=0.001, is_anomaly=True)
        noted = noted.assign(anomaly_features='{"temp": 1.0}', anomaly_status="ok")
        noted.to_csv("scored.csv", index=False)
        for row, verdict in ((1, "--normal"), (2, "--anomaly")):
            said = prompt("feedback", "scored.csv", "--row", row, verdict, "--store", "notes.json")
            assert said.exit_code == 0, said.stderr
        asked: list[FitRequest] = []

        def learned(request: FitRequest) -> FittedModel:
            asked.append(request)
            return fit(request)

        monkeypatch.setattr(fit_module, "fit", learned)
        told = tuning.json(
            *("timed.csv", "--unsupervised", "--exclude", "label,at", "--trials", 2, "--config", "fast.toml"),
            *("--calendar", "plan.csv", "--time-of", "at", "--feedback", "notes.json", "--epochs", 2),
        )
        # Ten rows are planned, one was called an anomaly, and one normal.
        assert told["rows"] == ROWS + ODD - 12
        assert told["warnings"] == [
            "11 rows planned or called anomalies: left out; 1 row called normal: learned from, not judged"
        ]
        assert all(request.passing and request.config.training.epochs == 2 for request in asked)
        assert [note.verdict for note in asked[0].notes] == ["normal", "anomaly"]
        for request in asked:
            numbers = [
                str(at)
                for one in request.inputs
                for batch in one.open(500).batches()
                for at in batch.column("at").to_pylist()
            ]
            assert "2026-03-01 20:00" in "".join(numbers)
            assert not any(at.startswith("2026-03-01 0") for at in numbers)

    def test_a_model_in_passing_has_no_auxiliary_networks(self) -> None:
        frame = pd.read_csv("labelled.csv")[["temp", "load"]]
        inputs = [TableInput(pa.Table.from_pandas(frame, preserve_index=False))]
        fitted = fit_module.learner(PlanRequest(), ())(inputs, Config.build("fast.toml"), Callback())
        assert fitted.heads is None

    def test_an_architecture_is_set_and_not_searched(self, tuning: Prompt, judged: None) -> None:
        words = ("labelled.csv", "--label", "label", "--trials", 2)
        assert "model.architecture" in tuning.json(*words)["searched"]
        assert "model.architecture" not in tuning.json(*words, "--architecture", "memory")["searched"]
        assert (
            tomllib.loads(Path("best.toml").read_text(encoding="utf-8"))["model"]["architecture"] == "memory"
        )


class TestStopped:
    @pytest.mark.slow
    def test_an_interruption_leaves_the_best_so_far_beside(self, tuning: Prompt) -> None:
        Path("best.toml").write_text("# older\n", encoding="utf-8")
        words = ("labelled.csv", "--label", "label", "--trials", 500, "--config", "fast.toml", "-v")
        with tuning.running(*words) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith(b"trial 2 of 500, part 1"):
                    break
            time.sleep(0.1)
            os.kill(process.pid, signal.SIGINT)
            said = process.stderr.read().decode().splitlines()[-1]
            assert process.wait(60) == 130
        assert said.startswith("error: interrupted; old outputs are intact; best.toml.unfinished holds the ")
        assert said.endswith(", which was not held against the default on other rows")
        assert Path("best.toml").read_text(encoding="utf-8") == "# older\n"
        text = Path("best.toml.unfinished").read_text(encoding="utf-8")
        assert "which was stopped" in text
        assert tomllib.loads(text)["data"] == {"label": "label"}


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (
                ["labelled.csv"],
                "by what are settings to be judged? Give --label COLUMN, which marks anomalies, or "
                "--unsupervised",
            ),
            (
                ["labelled.csv", "--label", "label", "--unsupervised"],
                "--label and --unsupervised exclude each other; choose one",
            ),
            (
                ["labelled.csv", "--label", "lable"],
                "--label: no column named 'lable' in the data; did you mean 'label'? There are: temp, load, "
                "site, open, label",
            ),
            (
                ["labelled.csv", "--unsupervised", "--trials", "0"],
                "--trials = 0: at least 2, as the first one is the default",
            ),
            (
                ["labelled.csv", "--unsupervised", "--trials", "many"],
                "--trials = 'many': not a whole number; write it like 20 or 2,000",
            ),
            (
                ["labelled.csv", "--unsupervised", "--window", "6"],
                "--window goes with --time COLUMN, which makes time series of the rows",
            ),
            (
                ["labelled.csv", "--unsupervised", "--positive", "1"],
                "--positive goes with --label COLUMN, which names the column of the labels",
            ),
            (
                ["labelled.csv", "--unsupervised", "--config", "best.toml"],
                "best.toml: the settings would overwrite the file of --config; choose another name",
            ),
        ],
    )
    def test_wrong_use(self, prompt: Prompt, tuning: Prompt, words: list[str], said: str) -> None:
        prompt.write("best.toml", FAST)
        assert tuning(*words).usage() == said

    @pytest.mark.parametrize(
        ("output", "code", "said"),
        [
            (
                "no/best.toml",
                5,
                "no/best.toml: cannot be written: its folder does not exist; create it first",
            ),
            ("labelled.csv", 2, "labelled.csv: the settings would overwrite an input; choose another name"),
            (
                "best.aed",
                2,
                "best.aed: .aed is the suffix of a model, and this will be settings; name it best.toml",
            ),
            ("-", 2, "-o -: settings go to a file, not to stdout; name one, e.g. -o best.toml"),
        ],
    )
    def test_outputs_that_cannot_be(self, prompt: Prompt, output: str, code: int, said: str) -> None:
        result = prompt("tune", "labelled.csv", "--unsupervised", "-o", output)
        assert (result.exit_code, result.stdout) == (code, "")
        assert said in result.stderr

    def test_labels_of_one_kind(self, tuning: Prompt) -> None:
        tiny_frame(150).assign(label="0").to_csv("normal.csv", index=False)
        result = tuning("normal.csv", "--label", "label")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr == (
            "error: normal.csv: all 150 labels in column 'label' say normal; tuning needs anomalies and "
            "normal rows, or --unsupervised\n"
        )

    def test_a_label_that_is_no_boolean(self, tuning: Prompt) -> None:
        result = tuning("labelled.csv", "--label", "site")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith("error: labelled.csv: row 1 (line 2), column 'site': ")
        assert result.stderr.endswith("; say with --positive which value marks an anomaly\n")

    def test_too_few_anomalies(self, tuning: Prompt) -> None:
        pd.read_csv("labelled.csv")[: ROWS + 5].to_csv("few.csv", index=False)
        result = tuning("few.csv", "--label", "label")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr == (
            "error: few.csv: 5 rows are labelled as anomalies in column 'label'; tuning divides them into "
            "parts and needs at least 12; label more, or use --unsupervised\n"
        )

    def test_without_optuna_it_says_how_to_get_it(
        self, tuning: Prompt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(search_module, "find_spec", lambda name: None if name == "optuna" else find(name))
        assert tuning("labelled.csv", "--unsupervised").usage() == (
            "tune needs optuna; install it with: pip install 'aedetect[tune]'"
        )


class TestPython:
    def test_tune_gives_settings_to_train_with(self, judged: None) -> None:
        frame = pd.read_csv("labelled.csv")
        found = tune(frame, "fast.toml", label="label", trials=4)
        assert not found.keep_default
        assert repr(found).startswith("<Tuning: 4 trials; use the tuned settings: ")
        assert found.config.training.learning_rate > 0.002
        found.save("best.toml")
        assert Detector("best.toml").config == found.config

    def test_errors_speak_of_arguments(self) -> None:
        with pytest.raises(UsageError) as error:
            tune("labelled.csv")
        assert str(error.value) == (
            "by what are settings to be judged? Give label COLUMN, which marks anomalies, or unsupervised"
        )
        with pytest.raises(UsageError, match=r"^trials = 1: at least 2"):
            tune("labelled.csv", label="label", trials=1)
        with pytest.raises(UsageError, match=r"^max_time = 'soon': "):
            tune("labelled.csv", label="label", max_time="soon")
