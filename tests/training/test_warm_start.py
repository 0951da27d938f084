"""Going on from an older model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from support.tables import tiny_frame

from aedetect.config import Config
from aedetect.errors import DataError, ModelError
from aedetect.io.source import TableInput
from aedetect.scoring.fitted import FittedModel
from aedetect.training.warm_start import Start, too_few


@pytest.fixture(scope="module")
def older(tiny_model: Path) -> FittedModel:
    return FittedModel.load(tiny_model, device="cpu")


def table(rows: int) -> TableInput:
    return TableInput(pa.Table.from_pandas(tiny_frame(rows)), "new.csv")


def test_new_data_are_profiled_with_the_columns_and_scaling_of_the_older_model(older: FittedModel) -> None:
    found = Start.of(older, "trained on").profile([table(50), table(30)], Config())
    assert found.encoder is older.encoder
    assert (found.rows, found.labelled, found.notices) == (80, 0, ())


def test_too_few_rows(older: FittedModel) -> None:
    with pytest.raises(DataError) as caught:
        Start.of(older, "trained on").profile([table(7)], Config())
    assert str(caught.value) == "new.csv: 7 usable rows; training needs at least 8"
    assert str(too_few([table(1)], 1, "calibration")) == (
        "new.csv: 1 usable row; calibration needs at least 8"
    )


def test_a_column_that_is_missing_is_named(older: FittedModel) -> None:
    lacking = TableInput(pa.Table.from_pandas(tiny_frame(20).drop(columns="site")), "new.csv")
    with pytest.raises(ModelError, match="^new.csv: column 'site' is missing"):
        Start.of(older, "trained on").check([lacking], Config())


def test_the_line_of_models_grows_by_one(older: FittedModel) -> None:
    first = Start.of(older, "trained on")
    child = replace(older, training=older.training.model_copy(update={"lineage": first.lineage}), sha256=None)
    lineage = Start.of(child, "calibrated").lineage
    assert [(ancestor.then, ancestor.sha256) for ancestor in lineage] == [
        ("trained on", older.sha256),
        ("calibrated", ""),
    ]
