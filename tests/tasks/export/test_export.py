"""A model of a table as an ONNX file: it says of rows what the product says, to the verdict."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect import Detector, load
from aedetect.errors import DataError, ModelError, UsageError
from aedetect.io.source import TableInput
from aedetect.models.registry import ARCHITECTURES
from aedetect.tasks.export import export as exporting
from aedetect.tasks.export.columns import column_inputs, feeds
from aedetect.tasks.export.export import Export, export

onnx = pytest.importorskip("onnx")
pytest.importorskip("ndonnx")
onnxruntime = pytest.importorskip("onnxruntime")

QUICK = {
    "training.epochs": 1,
    "training.folds": 2,
    "training.device": "cpu",
    "model.width": 16,
    "threshold.alert_rate": 0.05,
    "data.roles": {"code": "categorical"},
}


def rows(count: int, seed: int) -> pd.DataFrame:
    """Columns of all roles, with gaps; two are constant."""
    random = np.random.default_rng(seed)
    temp = random.normal(20, 3, count)
    frame = pd.DataFrame(
        {
            "temp": temp,
            "load": 2 * temp + random.normal(0, 1, count),
            "price": np.exp(random.normal(0, 1.5, count)).round(2),
            "site": random.choice(["north", "süd", "east"], count, p=[0.6, 0.3, 0.1]),
            "code": random.choice(["1", "2", "7"], count),
            "on": random.random(count) < 0.7,
            "when": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(random.integers(0, 90 * 86400, count), unit="s"),
            "unit": "C",
            "rate": 5,
        }
    )
    frame.loc[random.random(count) < 0.05, "price"] = np.nan
    return frame


def odd_rows(count: int) -> pd.DataFrame:
    """Rows of which every tenth is changed in one of ten ways."""
    frame = rows(count, 1).astype({"on": object, "rate": object})
    changes: list[tuple[str, object]] = [
        ("load", 0.0), ("site", "mars"), ("site", None), ("unit", "F"), ("unit", None), ("temp", 1e300),
        ("temp", np.inf), ("temp", np.nan), ("price", 1e7), ("rate", 6), ("when", pd.NaT), ("on", None),
        ("code", "7.0"), ("code", None), ("when", pd.Timestamp("1999-12-31 23:59")),
    ]  # fmt: skip
    for place in range(0, count, 10):
        column, value = changes[place // 10 % len(changes)]
        frame.loc[place, column] = value
    frame.loc[count - 1] = None
    return frame


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    rows(400, 0).to_csv(folder / "train.csv", index=False)
    odd_rows(2000).to_csv(folder / "new.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def bottleneck(files: Path) -> Detector:
    return Detector({**QUICK, "model.architecture": "bottleneck"}).fit(files / "train.csv")


# To build a graph takes seconds: one of each kind, and the others where there is time.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "bottleneck" else pytest.mark.slow) for name in ARCHITECTURES],
)
def test_verdicts_are_those_of_the_product(name: str, files: Path, tmp_path: Path) -> None:
    detector = Detector({**QUICK, "model.architecture": name}).fit(files / "train.csv")
    said = detector.export(tmp_path / "m.onnx", verify=[files / "new.csv", files / "train.csv"])
    verified = json.loads(said["aedetect.verified"])
    assert (verified["rows"], verified["unreadable"], verified["differing_verdicts"]) == (2400, 0, 0)
    # Parts of `evidence` round their log scores: a last digit more or less is a step of that.
    within = 0.1 if name == "evidence" else 1e-4
    assert verified["largest_relative_difference"]["score"] < within
    # The file by itself, in blocks of another size than those that were compared.
    table = pa.Table.from_pandas(pd.read_csv(files / "new.csv", dtype=str, keep_default_na=False))
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    given = feeds(column_inputs(detector.fitted.encoder), table.to_batches()[0])
    score, p_value, flagged = session.run(["anomaly_score", "anomaly_p_value", "is_anomaly"], given)
    expected = detector.score(files / "new.csv")
    assert flagged.tolist() == expected["is_anomaly"].fillna(False).astype(bool).tolist()
    assert 60 < flagged.sum() < 1000
    assert (flagged.dtype, score.dtype, p_value.dtype) == (np.bool_, np.float64, np.float64)
    assert np.isnan(score[-1])
    assert np.isnan(p_value[-1])
    assert np.allclose(score[:-1], expected["anomaly_score"][:-1].astype(float), rtol=within)
    assert np.isnan(score).sum() == 1


def test_the_file_says_what_it_is(bottleneck: Detector, files: Path, tmp_path: Path) -> None:
    bottleneck.save(tmp_path / "m.aed")
    detector = load(tmp_path / "m.aed")
    said = detector.export(tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {each.key: each.value for each in model.metadata_props} == said
    assert {each.domain for each in model.opset_import} <= {"", "ai.onnx.ml"}
    assert said["aedetect.opset"] == str(next(each.version for each in model.opset_import if not each.domain))
    assert said["aedetect.model_sha256"] == detector.sha256
    assert float(said["aedetect.threshold"]) == detector.threshold
    assert said["aedetect.promise"] == "5% of normal rows"
    assert said["aedetect.architecture"] == "bottleneck"
    assert "aedetect.verified" not in said
    inputs = {each["name"]: (each["role"], each["type"]) for each in json.loads(said["aedetect.inputs"])}
    assert inputs == {
        "temp": ("numeric", "double"),
        "load": ("numeric", "double"),
        "price": ("numeric", "double"),
        "on": ("boolean", "double"),
        "when": ("datetime", "double"),
        "site": ("categorical", "string"),
        "code": ("categorical", "string"),
        "unit": ("constant", "string"),
        "rate": ("constant", "double"),
    }
    assert [each.name for each in model.graph.input] == list(inputs)
    assert [each.name for each in model.graph.output] == list(json.loads(said["aedetect.outputs"]))


def test_a_row_is_judged_by_itself(bottleneck: Detector, files: Path, tmp_path: Path) -> None:
    bottleneck.export(tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    table = pa.Table.from_pandas(pd.read_csv(files / "new.csv", dtype=str, keep_default_na=False))
    inputs = column_inputs(bottleneck.fitted.encoder)
    together = session.run(["anomaly_score"], feeds(inputs, table.slice(0, 7).to_batches()[0]))[0]
    for row in range(7):
        alone = session.run(["anomaly_score"], feeds(inputs, table.slice(row, 1).to_batches()[0]))[0]
        assert np.allclose(alone, together[row], rtol=1e-5)
    nothing = session.run(None, feeds(inputs, table.slice(0, 0).to_pandas().pipe(pa.RecordBatch.from_pandas)))
    assert [len(each) for each in nothing] == [0, 0, 0]


def test_verdicts_that_differ_leave_no_file(
    bottleneck: Detector, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aedetect.tasks.export import table_graph

    monkeypatch.setattr(table_graph, "without_ties", lambda scores: scores * 1.5)
    with pytest.raises(ModelError) as error:
        bottleneck.export(tmp_path / "m.onnx", verify=files / "new.csv")
    assert " of 2,000 verdicts of the exported file differ from the product's: row " in str(error.value)
    assert str(error.value).endswith("; nothing was written")
    assert not list(tmp_path.iterdir())


def test_a_verdict_that_differs_by_rounding_is_a_tie(
    bottleneck: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aedetect.tasks.export import table_graph

    row = rows(1, 6)
    # A row that lies at the threshold is normal, and so it is in the file, but for this.
    at = bottleneck.adjusted({"threshold.value": float(bottleneck.score(row)["anomaly_score"][0])})
    sources = [TableInput(pa.Table.from_pandas(row, preserve_index=False))]
    assert _counts(export(at.fitted, sources)) == (1, 0, 0, ())
    monkeypatch.setattr(table_graph, "without_ties", lambda values: values * 1.0001)
    assert _counts(export(at.fitted, sources)) == (1, 1, 1, ())


def _counts(exported: Export) -> tuple[int, int, int, tuple[str, ...]]:
    result = exported.verification
    assert result is not None
    return result.rows, result.differing, result.ties, result.named


def test_rows_that_cannot_be_read_are_left_out(bottleneck: Detector, files: Path, tmp_path: Path) -> None:
    frame = rows(50, 3).astype({"temp": object})
    frame.loc[[3, 4], "temp"] = "warm"
    said = bottleneck.export(tmp_path / "m.onnx", verify=frame)
    verified = json.loads(said["aedetect.verified"])
    assert (verified["rows"], verified["unreadable"]) == (48, 2)


def test_a_file_that_cannot_be_read_is_told(bottleneck: Detector, tmp_path: Path) -> None:
    (tmp_path / "new.parquet").write_bytes(b"PAR1 damaged")
    with pytest.raises(DataError, match=r"new\.parquet"):
        bottleneck.export(tmp_path / "m.onnx", verify=tmp_path / "new.parquet")
    assert not (tmp_path / "m.onnx").exists()


def test_models_with_groups_say_why_not(tmp_path: Path) -> None:
    frame = pd.concat([rows(200, 4).assign(store="a"), rows(200, 5).assign(store="b")])
    settings = {**QUICK, "model.architecture": "bottleneck", "data.group": ["store"]}
    detector = Detector(settings).fit(frame)
    with pytest.raises(ModelError, match="a model with groups cannot be exported: a file has one threshold"):
        detector.export(tmp_path / "m.onnx")


def test_a_missing_package_is_named(
    bottleneck: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(UsageError) as error:
        bottleneck.export(tmp_path / "m.onnx")
    assert str(error.value) == "export needs no_such_package; install it with: pip install 'aedetect[onnx]'"
