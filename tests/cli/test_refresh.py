"""`aedetect refresh`: a model learned anew takes the old one's place only if it is no worse."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect.engine.callbacks import Callback
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.model_file import read_model_file
from aedetect.tasks.recipe import ModelTask
from aedetect.tasks.score import ScoreTask
from aedetect.training import relearn

ROWS, GATE, ODD = 200, 800, 12


@pytest.fixture(autouse=True)
def refresh(prompt: Prompt, tiny_model: Path) -> Prompt:
    """`refresh` with m.aed, in a folder with two dumps of 200 rows, six of which are odd, and gate.csv."""
    prompt.write("m.aed", tiny_model.read_bytes())
    Path("dumps").mkdir()
    for number in range(2):
        frame = tiny_frame(ROWS, seed=number + 1)
        frame.loc[: ODD // 2 - 1, "load"] = 900.0
        frame.to_csv(f"dumps/{number}.csv", index=False)
    tiny_frame(GATE, seed=7).to_csv("gate.csv", index=False)
    return prompt.command("refresh", after=("-m", "m.aed"))


@pytest.fixture
def worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that are learned anew flag every second row."""
    learn = relearn.relearned

    def careless(*arguments: object, **planned: object) -> FittedModel:
        fitted = learn(*arguments, **planned)  # type: ignore[arg-type]
        scores = fitted.calibration.scores
        halved = type(fitted.calibration)(np.sort(np.minimum(scores, np.median(scores))))
        return FittedModel(**{**vars_of(fitted), "calibration": halved})

    monkeypatch.setattr(relearn, "relearned", careless)


def vars_of(fitted: FittedModel) -> dict[str, object]:
    return {name: getattr(fitted, name) for name in FittedModel.__dataclass_fields__}


def sha256(path: str = "m.aed") -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def models() -> list[str]:
    return sorted(path.name for path in Path().glob("*.aed"))


class TestSwap:
    def test_a_model_that_is_no_worse_takes_the_place_of_the_old_one(self, refresh: Prompt) -> None:
        before = sha256()
        told = refresh.json("dumps/*.csv", "--gate", "gate.csv")
        assert (told["command"], told["swapped"], told["no_worse"]) == ("refresh", True, True)
        assert (told["before"]["sha256"], told["model"]["sha256"]) == (before, sha256())
        assert before != sha256()
        assert told["kept"] == [
            {"path": "m.kept-1.aed", "sha256": before, "trained": told["before"]["trained"]}
        ]
        assert sha256("m.kept-1.aed") == before
        assert told["rows"] == 400
        left_out = told["rows_left_out"]["flagged by the model before"]
        assert left_out >= ODD
        assert told["rows_learned"] == 400 - left_out
        manifest = read_model_file("m.aed")[0]
        assert manifest.training.inputs == ("dumps/0.csv", "dumps/1.csv")
        assert [(one.sha256, one.then, one.rows) for one in manifest.training.lineage] == [
            (before, "refreshed", 200)
        ]

    def test_the_settings_of_the_old_model_stay(self, prompt: Prompt, refresh: Prompt) -> None:
        flags = (
            "--alert-rate",
            "0.05",
            "--role",
            "site=ignored",
            "--seed",
            "3",
            "--epochs",
            "1",
            "--id",
            "no",
        )
        settings = prompt.setting(model_width="16", training_folds="2")
        # The dumps have no such column.
        pd.read_csv("gate.csv").assign(no=range(GATE)).to_csv("normal.csv", index=False)
        settings.json("train", "normal.csv", "-o", "m.aed", *flags)
        old = read_model_file("m.aed")[0]
        refresh.json("dumps", "--gate", "gate.csv")
        new = read_model_file("m.aed")[0]
        assert new.config == old.config
        assert new.model_schema.names("ignored") == ["site"]

    def test_rows_that_the_old_model_flags_are_not_learned(self, refresh: Prompt) -> None:
        refresh.json("dumps", "--gate", "gate.csv")
        (load,) = [one for one in read_model_file("m.aed")[0].model_schema.columns if one.name == "load"]
        assert "900" not in load.reason
        scored = refresh.folder / "dumps" / "0.csv"
        assert FittedModel.load("m.aed", device="cpu").threshold > 0
        flagged = pd.DataFrame(_scores(scored))["is_anomaly"]
        assert flagged[: ODD // 2].all()

    def test_what_people_are_told(self, refresh: Prompt) -> None:
        result = refresh("dumps", "--gate", "gate.csv")
        assert result.exit_code == 0, result.output
        lines = result.stdout.splitlines()
        assert lines[0].startswith("400 recent rows: ")
        assert "flagged by the old model and left out; " in lines[0]
        assert any(line.split()[:5] == ["flagged", "of", "800", "normal", "rows"] for line in lines)
        assert [line.partition(":")[0] for line in lines if line.startswith(("passed", "failed"))] == [
            "passed", "passed",
        ]  # fmt: skip
        assert "m.aed: swapped, as the new model is no worse" in lines
        assert lines[-1].startswith("kept: m.kept-1.aed, SHA-256 ")

    def test_a_worse_model_is_a_finding_and_no_error(self, refresh: Prompt, worse: None) -> None:
        before = sha256()
        told = refresh.json("dumps", "--gate", "gate.csv")
        assert (told["swapped"], told["no_worse"], told["model"]["sha256"]) == (False, False, before)
        assert [check["passed"] for check in told["checks"]] == [False, False]
        assert "more than chance explains" in told["reason"]
        assert told["kept"] == []
        assert (sha256(), models()) == (before, ["m.aed"])
        result = refresh("dumps", "--gate", "gate.csv")
        assert "m.aed: not swapped, as the new model is worse; the old one stays\n" in result.stdout

    def test_a_dry_run_swaps_nothing(self, refresh: Prompt) -> None:
        before = sha256()
        told = refresh.json("dumps", "--gate", "gate.csv", "--dry-run")
        assert (told["swapped"], told["no_worse"], told["dry_run"]) == (False, True, True)
        assert (sha256(), models()) == (before, ["m.aed"])

    def test_labelled_rows_are_held_against_both(self, refresh: Prompt) -> None:
        labelled = tiny_frame(300, seed=9).assign(odd=0)
        labelled.loc[:19, ["load", "odd"]] = (900.0, 1)
        labelled.to_csv("labelled.csv", index=False)
        told = refresh.json("dumps", "--gate", "gate.csv", "--labelled", "labelled.csv", "--label", "odd")
        assert [check["name"] for check in told["checks"]] == ["promise", "old_model", "average_precision"]
        assert (told["labelled"]["rows"], told["labelled"]["anomalies"]) == (300, 20)
        assert told["labelled"]["new"]["average_precision"]["value"] > 0.9
        assert "odd" not in [one.name for one in read_model_file("m.aed")[0].model_schema.columns]

    def test_a_run_that_began_before_goes_on_with_the_model_it_began_with(self, refresh: Prompt) -> None:
        fitted = FittedModel.load("m.aed", device="cpu")
        recipe = ModelTask("m.aed", str(fitted.sha256), {}, lambda model: ScoreTask(model, ()))
        refresh.json("dumps", "--gate", "gate.csv")
        assert recipe.build(1).fitted.sha256 == fitted.sha256  # type: ignore[attr-defined]

    def test_a_model_that_was_replaced_meanwhile_stays(
        self, refresh: Prompt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        learn = relearn.relearned

        def slow(*arguments: object, **planned: object) -> FittedModel:
            Path("m.aed").write_bytes(b"another")
            return learn(*arguments, **planned)  # type: ignore[arg-type]

        monkeypatch.setattr(relearn, "relearned", slow)
        result = refresh("dumps", "--gate", "gate.csv")
        assert (result.exit_code, Path("m.aed").read_bytes()) == (5, b"another")
        assert "m.aed: another model was put in its place meanwhile; nothing was swapped" in result.stderr


def _scores(path: Path) -> dict[str, list[bool]]:
    import aedetect

    return {"is_anomaly": aedetect.load("m.aed", device="cpu").score(path)["is_anomaly"].tolist()}


class TestRollBack:
    def test_it_puts_the_last_one_back_and_again_undoes_that(self, refresh: Prompt) -> None:
        first = sha256()
        refresh.json("dumps", "--gate", "gate.csv")
        second = sha256()
        told = refresh.json("--roll-back")
        assert (told["model"]["sha256"], told["before"]["sha256"]) == (first, second)
        assert [one["sha256"] for one in told["kept"]] == [second]
        assert sha256() == first
        result = refresh("--roll-back")
        assert result.exit_code == 0
        assert result.stdout.startswith("m.aed: rolled back to the model trained 20")
        assert f"(SHA-256 {second[:12]}…); the same command undoes this" in result.stdout
        assert sha256() == second

    def test_without_another_one(self, refresh: Prompt) -> None:
        result = refresh("--roll-back")
        assert (result.exit_code, result.stderr) == (
            4,
            "error: m.aed: no other model is kept beside it, so there is none to go back to\n",
        )


class TestData:
    def test_the_gate_is_not_learned_from(self, refresh: Prompt) -> None:
        Path("dumps/2.csv").write_bytes(Path("gate.csv").read_bytes())
        told = refresh.json("dumps", "gate.csv", "--gate", "gate.csv", "--dry-run")
        assert told["rows"] == 400
        assert told["warnings"][:2] == [
            "dumps/2.csv: the same rows as gate.csv, which the models are held against; it is not learned "
            "from",
            "gate.csv: the models are held against it, so it is not learned from",
        ]
        assert refresh("gate.csv", "--gate", "gate.csv").usage() == (
            "gate.csv: nothing is left to learn from but what the models are held against; name other recent "
            "rows"
        )

    def test_new_columns_are_not_learned(self, refresh: Prompt) -> None:
        for path in Path("dumps").iterdir():
            pd.read_csv(path).assign(novel=np.arange(ROWS) % 7).to_csv(path, index=False)
        told = refresh.json("dumps", "--gate", "gate.csv")
        assert (
            "column 'novel' is new and not learned: the model before does not know it; `aedetect train` "
            "learns a model of other columns" in told["warnings"]
        )
        assert told["swapped"]

    def test_much_that_is_flagged_is_said(self, refresh: Prompt) -> None:
        frame = tiny_frame(400, seed=1)
        frame.loc[:99, "load"] = 900.0
        frame.to_csv("dumps/0.csv", index=False)
        told = refresh.json("dumps", "--gate", "gate.csv", "--dry-run")
        assert any("of the recent rows were flagged and not learned" in text for text in told["warnings"])

    def test_a_short_gate_is_said(self, refresh: Prompt) -> None:
        tiny_frame(50, seed=7).to_csv("gate.csv", index=False)
        told = refresh.json("dumps", "--gate", "gate.csv", "--dry-run")
        assert any(
            text.startswith("the gate of 50 rows is short for an alert rate of 1%")
            for text in told["warnings"]
        )

    @pytest.mark.parametrize(
        ("words", "code", "message"),
        [
            (["dumps", "--gate", "empty.csv"], 3, "error: empty.csv: holds no rows\n"),
            (["odd.csv", "--gate", "gate.csv"], 3,
             "error: odd.csv: 3 rows left to learn from (20 are flagged by the model before); training needs "
             "at least 8\n"),
            (["dumps", "--gate", "missing.csv"], 3, "error: missing.csv: no such file or directory"),
            (["other.csv", "--gate", "gate.csv"], 4, "error: other.csv: column 'open' is missing"),
            (["dumps", "--gate", "other.csv"], 4, "error: other.csv: column 'open' is missing"),
            (["dumps", "--gate", "gate.csv", "--labelled", "odd.csv", "--label", "odd"], 2,
             "Error: Invalid value: --label: no column named 'odd' in odd.csv; there are: temp, load"),
        ],
    )  # fmt: skip
    def test_faults(self, refresh: Prompt, words: list[str], code: int, message: str) -> None:
        Path("empty.csv").write_text("temp,load,site,open\n")
        odd = tiny_frame(23, seed=3)
        odd.loc[:19, "load"] = 900.0
        odd.to_csv("odd.csv", index=False)
        tiny_frame(30).drop(columns="open").to_csv("other.csv", index=False)
        before = sha256()
        result = refresh(*words)
        assert (result.exit_code, result.stdout) == (code, ""), result.output
        assert message in result.stderr
        assert result.stderr.splitlines()[-1].startswith(message.rstrip())
        assert (sha256(), models()) == (before, ["m.aed"])

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (
                ["dumps", "--gate", "gate.csv", "--labelled", "gate.csv"],
                "which column marks the anomalies? give",
            ),
            (["dumps"], "name recent rows (INPUT), and with --gate rows that are known to be normal"),
            (["--gate", "gate.csv"], "name recent rows (INPUT), and with --gate rows that are known to be"),
            (["dumps", "--gate", "gate.csv", "--keep", "-1"], "--keep = '-1': at least 0"),
            (["dumps", "--gate", "gate.csv", "--keep", "few"], "--keep = 'few': "),
            (["dumps", "--gate", "gate.csv", "--to", "ab"], "--to goes with --roll-back"),
            (["dumps", "--roll-back"], "--roll-back puts a kept model back and learns nothing"),
            (["--roll-back", "--dry-run"], "--roll-back puts a kept model back and learns nothing"),
        ],
    )
    def test_wrong_use(self, refresh: Prompt, words: list[str], message: str) -> None:
        assert refresh(*words).usage().startswith(message)


def test_a_label_that_marks_no_recent_row_is_no_fault(prompt: Prompt, refresh: Prompt) -> None:
    labelled = tiny_frame(400, seed=4).assign(kind="fine")
    labelled.loc[:9, ["load", "kind"]] = (900.0, "fraud")
    labelled.to_csv("normal.csv", index=False)
    settings = prompt.setting(model_width="16", training_folds="2", training_epochs="1")
    settings.json("train", "normal.csv", "-o", "m.aed", "--label", "kind", "--positive", "fraud")
    tiny_frame(400, seed=5).assign(kind="fine").to_csv("dumps/0.csv", index=False)
    tiny_frame(400, seed=6).to_csv("dumps/1.csv", index=False)
    Path("dumps/1.csv").unlink()
    refresh.json("dumps", "--gate", "gate.csv")
    config = read_model_file("m.aed")[0].config
    assert (config.data.label, config.data.positive) == ("kind", "fraud")


def test_progress_is_told_in_python_too() -> None:
    import aedetect

    class Stages(Callback):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def stage(self, text: str) -> None:
            self.seen.append(text)

    stages = Stages()
    old = aedetect.load("m.aed", device="cpu")
    newer, comparison = old.refreshed(tiny_frame(400, seed=1), tiny_frame(1000, seed=7), callback=stages)
    assert "comparing both models" in stages.seen
    assert newer.training.lineage[-1].sha256 == old.sha256
    assert comparison.no_worse == all(check.passed for check in comparison.checks)
    assert repr(comparison).startswith("<Refreshment: ")
