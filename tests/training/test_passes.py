from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aedetect.config import Config
from aedetect.engine.cluster import Here, Lost, Workers
from aedetect.errors import DataError, OutputError, UsageError
from aedetect.io.completed import CompletedInput
from aedetect.io.files import FileInput, Spool, open_inputs, read_options
from aedetect.io.locate import Location
from aedetect.io.source import Input, TableInput
from aedetect.scoring.fitted import FittedModel
from aedetect.training import passes
from aedetect.training.calibrate import calibrated
from aedetect.training.fit import fit
from aedetect.training.passes import Part, Passes, chunks, chunks_of, parts_of
from aedetect.training.planned_rows import PlanRequest
from aedetect.training.request import FitRequest
from tests.support.mixed_files import mixed_files
from tests.support.model_content import content_of
from tests.support.pretend_cluster import PretendCluster

QUICK = {"training.epochs": 2, "scoring.batch_rows": 200}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed_files(tmp_path_factory.mktemp("files"))


def inputs_of(folder: Path, config: Config) -> list[FileInput]:
    return open_inputs([str(folder)], read_options(config.data))


def trained(folder: Path, workers: Workers, **further: Any) -> FittedModel:
    config = Config.build(overrides={**QUICK, "data.label": "bad", **further})
    return fit(FitRequest(inputs_of(folder, config), config, workers=workers))


def shape(parts: list[Part]) -> list[list[tuple[int, int]]]:
    return [[(piece.place, piece.before) for piece in part] for part in parts]


def test_small_inputs_are_one_part_and_large_files_of_many_groups_several(files: Path) -> None:
    inputs = inputs_of(files, Config())
    assert shape(parts_of(inputs)) == [[(0, 0), (1, 0), (2, 0), (3, 0)]]
    cut = parts_of(inputs, 30_000)
    assert [piece.before for part in cut for piece in part if piece.place == 0] == [0, 400, 800, 1200]
    assert shape(cut)[-2:] == [[(2, 0)], [(3, 0)]]


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 200_000))
def test_parts_hold_every_row_once_in_order_under_its_number(files: Path, size: int) -> None:
    config = Config.build(overrides={"scoring.batch_rows": 130})
    inputs = inputs_of(files, config)
    whole = [(chunk.place, number) for chunk in chunks(inputs, config) for number in chunk.numbers]
    labels = passes.label_reader(config.data)
    cut = [
        (chunk.place, number)
        for part in parts_of(inputs, size)
        for chunk in chunks_of(part, config, labels)
        for number in chunk.numbers
    ]
    assert cut == whole


def test_what_is_around_a_file_is_around_its_spans(files: Path) -> None:
    (source,) = open_inputs([str(files / "a.parquet")], read_options(Config().data))
    around = CompletedInput(source, [pa.field("more", pa.null())])
    parts = parts_of([around], 10_000)
    assert len(parts) > 3
    assert all("more" in part[0].rows.open(50).schema.names for part in parts)
    chunk = next(chunks_of(parts[1], Config(), passes.label_reader(Config().data)))
    assert chunk.locate(0) == f"{source.name}: row {parts[1][0].before + 1}"


@pytest.mark.parametrize(
    "further",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"data.group": ["site"]}, marks=pytest.mark.slow),
        {"data.memory_mb": 1, "data.exclude": ["seen"]},
        {"model.architecture": "memory", "training.fold_below": 0},
    ],
    ids=["plain", "groups", "sample", "one network"],
)
def test_a_model_is_the_same_whoever_passes_over_its_rows(
    files: Path, monkeypatch: pytest.MonkeyPatch, further: dict[str, Any]
) -> None:
    monkeypatch.setattr(passes, "PART_BYTES", 30_000)
    monkeypatch.setattr("aedetect.training.fit_table._BYTES_A_MB", 60_000)
    here, elsewhere = (
        content_of(trained(files, workers, **further)) for workers in (Here(), PretendCluster())
    )
    assert here == elsewhere
    assert here["training"]["rows_left_out"]["labelled"] > 50
    assert here["training"]["rows_left_out"]["infinite"] > 3


@pytest.mark.slow
def test_plans_and_older_models_too(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PART_BYTES", 30_000)
    plan = tmp_path / "plan.csv"
    plan.write_text("start,end,name\n2026-01-03,2026-01-05,audit\n2026-01-20,2026-01-21,move\n")
    config = Config.build(overrides={**QUICK, "data.label": "bad"})
    inputs = inputs_of(files, config)
    planned = PlanRequest([plan], "seen")
    here, elsewhere = (
        fit(FitRequest(inputs, config, planned=planned, workers=workers))
        for workers in (Here(), PretendCluster())
    )
    assert content_of(here) == content_of(elsewhere)
    assert here.training.rows_left_out["calendar"] > 100
    again = [
        fit(FitRequest(inputs, config, older=here, planned=planned, workers=workers))
        for workers in (Here(), PretendCluster())
    ]
    assert content_of(again[0]) == content_of(again[1])
    assert again[1].training.rows_left_out == here.training.rows_left_out


@pytest.mark.slow
def test_parts_change_hardly_what_is_learned(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(files, Here())
    monkeypatch.setattr(passes, "PART_BYTES", 30_000)
    cut = trained(files, Here())
    assert cut.schema == whole.schema
    assert cut.training.rows == whole.training.rows
    moved = (cut.encoder.center - whole.encoder.center) / whole.encoder.spread
    np.testing.assert_allclose(moved, 0, atol=0.02)
    np.testing.assert_allclose(cut.encoder.spread, whole.encoder.spread, rtol=0.1)


@pytest.mark.slow
def test_a_model_is_calibrated_the_same_whoever_scores(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = trained(files, Here())
    monkeypatch.setattr(passes, "PART_BYTES", 30_000)
    inputs = inputs_of(files, fitted.config)
    here, elsewhere = (
        content_of(calibrated(fitted, inputs, FitRequest([], Config()).callback, workers=workers))
        for workers in (Here(), PretendCluster())
    )
    assert here == elsewhere


def test_faults_are_told_by_the_row_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"a": ["1.5", "2.5", "3.5", "4.5"] * 200 + ["oops"], "b": ["x"] * 801})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    monkeypatch.setattr(passes, "PART_BYTES", 2_000)
    config = Config.build(overrides={"data.roles": {"a": "numeric"}})
    messages = []
    for workers in (Here(), PretendCluster()):
        with pytest.raises(DataError) as caught:
            fit(FitRequest(inputs_of(tmp_path, config), config, workers=workers))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "a.parquet: row 801" in messages[0]


class Deadly:
    number = 1
    taken_part = 1

    def map(self, build: Any, items: Any, helpings: Any = None, ahead: Any = None) -> Any:
        return (Lost(3) for _ in items)


def test_a_part_that_workers_die_of_ends_training_by_name() -> None:
    inputs: list[Input] = [TableInput(pa.table({"a": [1.0] * 20}), "t")]
    with pytest.raises(OutputError) as caught:
        list(Passes(inputs, Deadly()).map(len))
    assert str(caught.value) == (
        "t: 3 workers died while they read it; give them more memory, or lower scoring.batch_rows"
    )


def test_standard_input_stays_here() -> None:
    source = FileInput(Location("-", "stdin"), spool=Spool([b"a,b\n1,2\n"]))
    assert list(Passes([source]).map(len)) == [1]
    with pytest.raises(UsageError, match="^--on: standard input is read by this process alone"):
        list(Passes([source], PretendCluster()).map(len))
