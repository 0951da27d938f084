"""Which differences count as drift, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.tables import tiny_frame

import aedetect
from aedetect.config import Config, DriftConfig
from aedetect.data.reference import Sketch, count_cells, quantile_edges
from aedetect.errors import ModelError
from aedetect.io.inputs import as_inputs
from aedetect.tasks.drift import Drift
from aedetect.tasks.drift.collector import DriftCollector
from aedetect.tasks.drift.measure import measure


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> aedetect.Detector:
    frame = tiny_frame(1500).assign(plant="A")
    frame.loc[:99, "load"] = np.nan
    path = tmp_path_factory.mktemp("drift") / "m.aed"
    settings = {"training.epochs": 1, "training.folds": 2, "training.device": "cpu", "model.width": 16}
    aedetect.Detector(settings).fit(frame).save(path)
    return aedetect.load(path, device="cpu")


def verdict(detector: aedetect.Detector, frame: pd.DataFrame) -> Drift:
    return measure(detector.fitted, as_inputs(frame, detector.config.data))


def fresh(rows: int = 600) -> pd.DataFrame:
    return tiny_frame(rows, seed=1).assign(plant="A")


def test_fresh_normal_rows_are_steady(detector: aedetect.Detector) -> None:
    found = verdict(detector, fresh())
    assert (found.verdict, found.text) == ("steady", "the 600 rows are spread as in training")
    assert [column.name for column in found.columns] == ["temp", "load", "open", "site", "plant"]
    assert all(column.text == "as in training" for column in found.columns)


CHANGES = {
    "temp": (
        lambda f: f.assign(temp=f["temp"] + 3),
        "its values are higher than in training: half are above 23",
    ),
    "load": (
        lambda f: f.assign(load=f["load"].where(f.index % 2 == 0)),
        "missing in 50.0% of the rows, where it was in 6.7%",
    ),
    "site": (
        lambda f: f.assign(site=f["site"].where(f.index % 4 > 0, "east")),
        "25.0% of the rows have a category rarely or never seen in training, where 0.0% were to be expected "
        "(up to 1.2% by chance): 'east' in 150 rows; its categories are found in other shares (PSI 1.73, "
        "up to 0.05 by chance)",
    ),
    "open": (lambda f: f.assign(open="true"), "its values are higher than in training: half are above 1"),
    "plant": (
        lambda f: f.assign(plant=np.where(f.index % 5 == 0, "B", "A")),
        "always the same in training, it differs in 20.0% of the rows",
    ),
}


@pytest.mark.parametrize(("column", "change", "text"), [(name, *rest) for name, rest in CHANGES.items()])
def test_a_column_that_moves_is_named(
    detector: aedetect.Detector, column: str, change: Any, text: str
) -> None:
    found = verdict(detector, change(fresh()))
    assert found.verdict == "drifted"
    assert column in found.drifted
    told = next(entry.text for entry in found.columns if entry.name == column)
    assert told.startswith(text)


def test_values_beyond_the_range_of_training(detector: aedetect.Detector) -> None:
    frame = fresh().assign(temp=20.0)
    frame.loc[:59, "temp"] = 1000.0
    temp = verdict(detector, frame).columns[0]
    assert temp.text.split("; ")[0] == (
        "10.0% of its values lie outside the range seen in training (up to 1.5% by chance)"
    )
    assert temp.out_of_range is not None
    assert (temp.out_of_range.training, temp.out_of_range.now) == (0.0, 0.1)


def test_scores_drift_where_no_column_does(detector: aedetect.Detector) -> None:
    frame = fresh()
    frame["load"] = frame["load"].to_numpy()[::-1]
    found = verdict(detector, frame)
    assert found.drifted == []
    assert found.text == "the scores have drifted since training, though no column by itself"
    assert found.scores.text.startswith("rows score higher than in training: half are above")


def test_few_rows_say_nothing(detector: aedetect.Detector) -> None:
    found = verdict(detector, fresh(49).assign(temp=1000.0))
    assert (found.verdict, found.text) == ("too few rows", "too few rows to tell: 49, where it takes 50")


def test_a_chance_difference_among_few_rows_is_none(detector: aedetect.Detector) -> None:
    random = np.random.default_rng(0)
    verdicts = [verdict(detector, fresh(600).sample(50, random_state=random.integers(2**31))).verdict
                for _ in range(20)]  # fmt: skip
    assert verdicts == ["steady"] * 20


def test_rows_counted_in_parts_are_the_rows_counted_at_once(detector: aedetect.Detector) -> None:
    assert verdict(detector, fresh()).as_dict() == verdict(detector, fresh().sample(frac=1)).as_dict()


def test_a_model_without_a_sketch(detector: aedetect.Detector, tmp_path: Path) -> None:
    from aedetect.scoring.model_file import pack, read_model_file

    path = tmp_path / "m.aed"
    detector.save(path)
    manifest, tensors, _ = read_model_file(path)
    older = {name: values for name, values in tensors.items() if not name.startswith("drift.")}
    path.write_bytes(
        pack(manifest.model_schema, manifest.features, manifest.config, manifest.training, older)
    )
    old = aedetect.load(path, device="cpu")
    assert old.fitted.sketch is None
    assert DriftCollector(old.fitted).verdict() is None
    with pytest.raises(ModelError) as raised:
        verdict(old, fresh())
    assert str(raised.value) == (
        "the model file does not hold how its training data were spread; retrain, or score without drift"
    )


def test_the_sketch_survives_the_file(detector: aedetect.Detector) -> None:
    assert detector.fitted.sketch is not None
    again = Sketch.of_tensors(detector.fitted.encoder, detector.fitted.sketch.tensors())
    assert again is not None
    assert again.rows == 1500
    for one, other in zip(again.counts, detector.fitted.sketch.counts, strict=True):
        assert one.tolist() == other.tolist()
        assert one.sum() == 1500


@given(
    arrays.arrays(np.float64, st.integers(1, 60), elements=st.integers(-5, 5).map(float)),
    arrays.arrays(np.float64, st.integers(0, 60), elements=st.integers(-9, 9).map(float)),
)
def test_every_value_has_its_cell(training: Any, values: Any) -> None:
    edges = quantile_edges(training)
    counts = count_cells(edges, values)
    assert len(counts) == 2 * len(edges) + 1
    assert counts.sum() == len(values)
    assert counts[0] == (values < training.min()).sum()
    assert counts[-1] == (values > training.max()).sum()
    for place, edge in enumerate(edges):
        assert counts[2 * place + 1] == (values == edge).sum()


def test_settings_decide(detector: aedetect.Detector) -> None:
    lax = detector.adjusted(Config(drift=DriftConfig(psi=100.0, share=0.99)))
    assert verdict(lax, fresh().assign(temp=fresh()["temp"] + 3)).verdict == "steady"
