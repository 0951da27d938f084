"""What Python callers see: kinds of data in and out, warnings, errors, what it says of itself."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.sensors import readings
from support.tables import tiny_frame

import aedetect
from aedetect import Detector, load, tune
from aedetect.engine.callbacks import Callback
from aedetect.errors import AedetectError, AedetectWarning, UsageError

QUICK = {"training.epochs": 2, "training.folds": 2, "model.width": 16, "training.device": "cpu"}
METHODS = [name for name, _ in inspect.getmembers(Detector, inspect.isfunction) if not name.startswith("_")]


@pytest.fixture(scope="module")
def detector(tiny_model: Path) -> Detector:
    return load(tiny_model, device="cpu")


class Capsule:
    """A table as a library would give it that only has the Arrow PyCapsule interface."""

    def __init__(self, table: pa.Table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def test_rows_come_back_in_the_kind_that_was_given(detector: Detector, tmp_path: Path) -> None:
    frame = tiny_frame(20, seed=3).set_axis([f"row {number}" for number in range(20)], axis=0)
    found = detector.score(frame)
    assert found.index.equals(frame.index)
    assert detector.clean(frame).index.equals(frame.index)
    assert detector.encode(frame).index.equals(frame.index)
    expected = found["anomaly_score"].tolist()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for data in (table, table.to_batches()[0], Capsule(table)):
        scored = detector.score(data)
        assert isinstance(scored, pa.Table)
        assert scored.column("anomaly_score").to_pylist() == expected
    path = tmp_path / "new.csv"
    frame.to_csv(path, index=False)
    assert detector.score(path)["anomaly_score"].tolist() == expected


def test_arrays_have_columns_by_number() -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3))
    fitted = Detector(QUICK).fit(rows)
    assert fitted.columns == ["x0", "x1", "x2"]
    assert len(fitted.score(rows[:5])) == 5
    with pytest.raises(UsageError):
        fitted.score(rows[0])


def test_notices_are_python_warnings_that_name_the_callers_line(detector: Detector) -> None:
    frame = tiny_frame(20, seed=3).assign(novel=1)
    with pytest.warns(AedetectWarning) as caught:
        detector.score(frame)
    assert [str(one.message) for one in caught] == [
        "data: column 'novel' is not known to the model and ignored"
    ]
    assert caught[0].filename == __file__


def test_a_callback_is_told_too() -> None:
    class Told(Callback):
        def __init__(self) -> None:
            self.stages: list[str] = []
            self.notices: list[str] = []

        def stage(self, text: str) -> None:
            self.stages.append(text)

        def notice(self, text: str) -> None:
            self.notices.append(text)

    told = Told()
    frame = tiny_frame(100).assign(always=1)
    with pytest.warns(AedetectWarning, match="column 'always' is left out"):
        Detector(QUICK).fit(frame, callback=told)
    assert told.stages[0] == "reading"
    assert any("'always'" in text for text in told.notices)


def test_progress_is_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    Detector(QUICK).fit(tiny_frame(100))
    assert capsys.readouterr() == ("", "")
    fitted = Detector(QUICK).fit(tiny_frame(100), progress=True)
    fitted.score(tiny_frame(10), progress=True)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: one.evaluate(tiny_frame(20)), "which column marks the anomalies? give label COLUMN"),
        (lambda one: one.explain(tiny_frame(20), rows=[0]), "rows 0: rows are counted from 1"),
        (lambda one: one.explain(tiny_frame(20), ids=["a"]), "the model knows no id column"),
        (lambda one: one.sample(5, where={"site": "east"}), "the model knows no such category"),
        (
            lambda one: Detector({**QUICK, "data.label": "x"}).fit(tiny_frame(20)),
            "data.label: no column named 'x'",
        ),
    ],
)
def test_errors_speak_of_arguments_and_settings_not_of_flags(
    detector: Detector, call: Any, message: str
) -> None:
    with pytest.raises(AedetectError) as caught:
        call(detector)
    assert message in str(caught.value)
    assert re.search(r"(?<![\w-])--[a-z]", str(caught.value)) is None


def test_it_says_what_was_learned(detector: Detector) -> None:
    assert repr(Detector()) == "Detector(not fitted yet)"
    assert "not fitted yet" in Detector()._repr_html_()
    told = repr(detector)
    assert re.fullmatch(
        r"Detector\(learned 200 normal rows of .*normal\.csv; columns 4; "
        r"flags rows scoring above [\d.]+, 1% of normal rows\)",
        told,
    )
    page = detector._repr_html_()
    assert "200 normal rows" in page
    assert "1% of normal rows" in page


def test_what_it_says_of_itself_cannot_become_markup() -> None:
    class Named:
        name = "<script>"
        is_text = False

        def open(self, batch_rows: int) -> Any:
            from aedetect.io.source import TableInput

            return TableInput(pa.Table.from_pandas(tiny_frame(60), preserve_index=False)).open(batch_rows)

        def locate(self, row: int) -> str:
            return f"row {row}"

    page = Detector(QUICK).fit([Named()])._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_help_shows_only_what_users_call() -> None:
    assert METHODS == [
        "adjusted", "backtest", "calibrated", "clean", "decode", "drift", "encode", "evaluate", "explain",
        "explain_groups", "export", "fit", "health", "impute", "note", "notify", "refreshed", "report",
        "sample", "save", "score",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in METHODS if name not in ("adjusted", "save")])
def test_every_method_says_shapes_errors_and_gives_an_example(name: str) -> None:
    text = inspect.getdoc(getattr(Detector, name)) or ""
    for part in ("Parameters\n---", "Raises\n---", "Examples\n---"):
        assert part in text, f"{name}: {part!r}"
    # What comes back is the detector itself of these.
    if name not in ("fit", "calibrated"):
        assert "Returns\n---" in text
    assert re.search(r"\[\w[^\]]*\]", text), f"{name}: no shape"


@pytest.mark.slow
def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each method's example, in a folder with the files they name and a detector trained on them."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    temp = random.normal(20, 3, 400)
    normal = pd.DataFrame(
        {
            "temp": temp.round(2),
            "load": (2 * temp + random.normal(0, 1, 400)).round(2),
            "service": random.choice(["http", "smtp"], 400),
        }
    )
    normal[:300].to_csv("normal.csv", index=False)
    normal[300:].to_csv("april.csv", index=False)
    odd = normal[300:303].assign(load=[40.0, 41.0, 900.0])
    odd.to_csv("new.csv", index=False)
    odd.assign(is_fraud=[0, 0, 1]).to_csv("march.csv", index=False)
    Path("dumps").mkdir()
    for day in range(1, 9):
        normal[100 * (day % 3) : 100 * (day % 3) + 100].to_csv(f"dumps/2026-03-{day:02}.csv", index=False)
    normal[:12].to_csv("dumps/2026-03-09.csv", index=False)
    fitted = Detector({**QUICK, "training.epochs": 20}).fit("normal.csv")
    fitted.save("model.aed")
    labelled = pd.concat([normal[:200], normal[:15].assign(load=900.0)], ignore_index=True)
    labelled.assign(odd=[0] * 200 + [1] * 15).to_csv("labelled.csv", index=False)
    names = {"Detector": Detector, "load": load, "tune": tune}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    run = 0
    for test in doctest.DocTestFinder(recurse=True).find(aedetect.detector, globs=names):
        # Graphs need a newer numpy than the oldest that is allowed.
        if test.name.endswith(".export") and importlib.util.find_spec("ndonnx") is None:
            run += 1
        elif test.examples:
            test.globs["detector"] = fitted
            assert runner.run(test).failed == 0, test.name
            run += 1
    assert run >= len(METHODS) + 1


def test_series_have_the_same_face() -> None:
    frame = readings(6)
    fitted = Detector({**QUICK, "series.time": "time", "series.window": 24}).fit(frame)
    new = readings(2, seed=5, start="2026-02-01")
    new.loc[100:130, "temp"] = 60.0
    explained = fitted.explain(new)
    assert explained.events is not None
    assert explained.explained[0].sentence
    assert fitted.drift(new).verdict in ("steady", "drifted", "too few rows")
    labelled = new.assign(odd=False)
    labelled.loc[100:130, "odd"] = True
    assert fitted.evaluate(labelled, label="odd").as_dict()["series"]["events"] == 1
    assert fitted.report(new).startswith("<!doctype html>")
