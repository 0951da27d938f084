"""`aedetect calibrate` and `aedetect train --from`: a model made from an older one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

import aedetect
from aedetect.scoring.model_file import read_model_file


@pytest.fixture(autouse=True)
def _here(prompt: Prompt, tiny_model: Path) -> None:
    """The working directory: m.aed, and 1,000 fresh normal rows in fresh.csv."""
    prompt.write("m.aed", tiny_model.read_bytes())
    tiny_frame(1000, seed=1).to_csv("fresh.csv", index=False)


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def scores(model: str) -> np.ndarray[Any, Any]:
    return aedetect.load(model, device="cpu").score("fresh.csv")["anomaly_score"].to_numpy()


class TestCalibrate:
    def test_a_new_threshold_keeps_its_promise_on_the_rows_it_was_made_from(self, prompt: Prompt) -> None:
        told = prompt.json("calibrate", "fresh.csv", "-m", "m.aed", "-o", "n.aed", "--alert-rate", "0.05")
        assert (told["command"], told["alert_rate"]) == ("calibrate", 0.05)
        scored = aedetect.load("n.aed", device="cpu").score("fresh.csv")
        assert 40 <= scored["is_anomaly"].sum() <= 50
        assert told["threshold"] == aedetect.load("n.aed").threshold != told["threshold_before"]

    def test_scores_stay_as_they_are(self, prompt: Prompt) -> None:
        prompt.json("calibrate", "fresh.csv", "-m", "m.aed", "-o", "n.aed")
        np.testing.assert_array_equal(scores("m.aed"), scores("n.aed"))

    def test_the_alert_rate_alone(self, prompt: Prompt) -> None:
        prompt.json("calibrate", "-m", "m.aed", "-o", "n.aed", "--alert-rate", "0.2")
        older, newer = aedetect.load("m.aed"), aedetect.load("n.aed")
        assert newer.threshold == older.fitted.with_threshold(alert_rate=0.2).threshold
        assert newer.fitted.calibration.scores.tolist() == older.fitted.calibration.scores.tolist()

    def test_a_rate_replaces_a_fixed_threshold(self, prompt: Prompt) -> None:
        Path("c.toml").write_text("[threshold]\nvalue = 7.0\n")
        prompt.json("calibrate", "fresh.csv", "-m", "m.aed", "-o", "fixed.aed", "--config", "c.toml")
        assert aedetect.load("fixed.aed").threshold == 7
        prompt.json("calibrate", "-m", "fixed.aed", "-o", "n.aed", "--alert-rate", "0.1")
        assert aedetect.load("n.aed").threshold != 7

    def test_labelled_anomalies_are_left_out(self, prompt: Prompt) -> None:
        frame = pd.read_csv("fresh.csv").assign(odd=0)
        frame.loc[:499, ["temp", "odd"]] = (500.0, 1)
        frame.to_csv("fresh.csv", index=False)
        prompt.json("calibrate", "fresh.csv", "-m", "m.aed", "-o", "n.aed", "--label", "odd")
        assert len(aedetect.load("n.aed").fitted.calibration.scores) == 500

    def test_the_line_of_models_is_kept(self, prompt: Prompt) -> None:
        prompt.json("calibrate", "fresh.csv", "-m", "m.aed", "-o", "n.aed")
        prompt.json("calibrate", "-m", "n.aed", "-o", "o.aed", "--alert-rate", "0.1")
        lineage = read_model_file("o.aed")[0].training.lineage
        assert [(one.sha256, one.then) for one in lineage] == [
            (sha256("m.aed"), "calibrated"),
            (sha256("n.aed"), "calibrated"),
        ]
        assert sha256("m.aed")[:12] in prompt("inspect", "o.aed").stdout

    def test_the_model_may_be_replaced(self, prompt: Prompt) -> None:
        prompt.json("calibrate", "fresh.csv", "-m", "m.aed", "-o", "m.aed")
        assert len(aedetect.load("m.aed").fitted.calibration.scores) == 1000

    def test_what_people_are_told(self, prompt: Prompt) -> None:
        result = prompt("calibrate", "-m", "m.aed", "-o", "n.aed", "--alert-rate", "0.2")
        before, after = (aedetect.load(name).threshold for name in ("m.aed", "n.aed"))
        assert result.stdout == (
            f"n.aed: rows scoring above {after:.3g} are flagged, 20% of normal rows; before, those above "
            f"{before:.3g}\n"
        )

    @pytest.mark.parametrize(
        ("rows", "words", "code", "message"),
        [
            ("", [], 2, "name new normal rows (INPUT), or an --alert-rate, or both"),
            ("temp,load,site,open\n1,2,north,true\n", ["in.csv"], 3,
             "in.csv: 1 usable row; calibration needs at least 8"),
            ("temp,load,site\n1,2,north\n", ["in.csv"], 4, "in.csv: column 'open' is missing"),
            ("temp,load,site,open\n1,?,north,true\n", ["in.csv"], 3, "in.csv: row 1 (line 2), column 'load'"),
            ("", ["in.csv"], 3, "in.csv: the file is empty"),
            ("", ["in.csv", "--on", "dask"], 2, "--on dask: no such place; give 'ray'"),
        ],
    )  # fmt: skip
    def test_faults(self, prompt: Prompt, rows: str, words: list[str], code: int, message: str) -> None:
        Path("in.csv").write_text(rows)
        result = prompt("calibrate", *words, "-m", "m.aed", "-o", "n.aed")
        assert result.exit_code == code
        assert message in result.stderr
        assert not Path("n.aed").exists()

    def test_workers_score_on_cpus(self, prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
        # As if there were a GPU, which is looked for first.
        monkeypatch.setattr("aedetect.models.device.pick_device", lambda name: name)
        monkeypatch.setattr("aedetect.engine.ray_workers.check_ray", lambda: None)
        Path("in.csv").write_text("temp,load,site,open\n1,2,north,true\n")
        result = prompt(
            "calibrate", "in.csv", "--on", "ray", "--device", "cuda", "-m", "m.aed", "-o", "n.aed"
        )
        assert result.exit_code == 2
        assert "--device cuda: the workers of --on score on CPUs; leave it out" in result.stderr


QUICK = ("--epochs", "1", "--device", "cpu")


class TestTrainFrom:
    def test_it_goes_on_from_the_older_weights(self, prompt: Prompt) -> None:
        settings = prompt.setting(model_width="16", training_folds="2")
        train = settings.command("train", "fresh.csv", *QUICK, "--seed", "5")
        train.json("-o", "new.aed", "--from", "m.aed")
        train.json("-o", "anew.aed")
        old, new, anew = (read_model_file(name) for name in ("m.aed", "new.aed", "anew.aed"))
        assert new[0].model_schema == old[0].model_schema
        assert new[0].features == old[0].features
        assert new[0].training.rows == 1000

        def moved(to: Any) -> float:
            return sum(
                float(np.abs(values - old[1][name]).sum())
                for name, values in to[1].items()
                if name.startswith("members.0.network.") and name.endswith((".weight", ".bias"))
            )

        assert 0 < moved(new) < moved(anew) / 4

    def test_the_line_of_models_is_kept(self, prompt: Prompt) -> None:
        prompt.json("train", "fresh.csv", "-o", "new.aed", "--from", "m.aed", *QUICK)
        (older,) = read_model_file("new.aed")[0].training.lineage
        assert (older.sha256, older.then, older.rows) == (sha256("m.aed"), "trained on", 200)

    def test_drift_is_measured_from_the_new_data(self, prompt: Prompt) -> None:
        frame = pd.read_csv("fresh.csv")
        frame.assign(temp=frame["temp"] + 20).to_csv("warm.csv", index=False)
        prompt.json("train", "warm.csv", "-o", "new.aed", "--from", "m.aed", *QUICK)
        assert prompt.json("drift", "warm.csv", "-m", "new.aed")["drifted"] == []

    @pytest.mark.parametrize(
        ("words", "code", "message"),
        [
            (["--columns", "temp"], 2, "--columns cannot be changed with --from: the older model settles it"),
            (["--architecture", "bottleneck"], 2, "--architecture cannot be changed with --from: the older"),
            (["--model-sha256", "0" * 64], 4, "m.aed: not the model that was asked for: its SHA-256 is "),
        ],
    )
    def test_faults(self, prompt: Prompt, words: list[str], code: int, message: str) -> None:
        result = prompt("train", "fresh.csv", "-o", "new.aed", "--from", "m.aed", *words)
        assert result.exit_code == code
        assert message in " ".join(result.stderr.split())

    def test_new_data_must_have_the_columns(self, prompt: Prompt) -> None:
        pd.read_csv("fresh.csv").drop(columns="open").to_csv("fresh.csv", index=False)
        result = prompt("train", "fresh.csv", "-o", "new.aed", "--from", "m.aed")
        assert result.exit_code == 4
        assert result.stderr.startswith("error: fresh.csv: column 'open' is missing, which the model was ")
