"""A row's verdict does not depend on its company."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import tiny_frame

import aedetect
from aedetect import Detector
from aedetect.engine.stream import run_to_table
from aedetect.engine.summary import RunSummary
from aedetect.errors import DataError, ModelError
from aedetect.io.source import TableInput
from aedetect.tasks.score import ScoreTask, Shape

RESULTS = ["anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_features", "anomaly_status"]


@pytest.fixture(scope="module")
def detector(tiny_model: Path) -> Detector:
    return aedetect.load(tiny_model, device="cpu")


@pytest.fixture(scope="module")
def odd_rows() -> pa.Table:
    """Rows as text, as CSV gives them: normal, strange, empty, infinite and unreadable ones."""
    frame = tiny_frame(1500, seed=3).astype(str)
    random = np.random.default_rng(0)
    for column in frame:
        for value in ("", "?", "inf", "1e300", "-5"):
            frame.loc[random.choice(len(frame), 8, replace=False), column] = value
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.fixture(scope="module")
def expected(detector: Detector, odd_rows: pa.Table) -> pa.Table:
    return scored(detector, odd_rows)[0]


def scored(
    detector: Detector, table: pa.Table, batch_rows: int | None = None, shape: Shape | None = None
) -> tuple[pa.Table, RunSummary]:
    if batch_rows:
        cut = table.combine_chunks().to_batches(max_chunksize=batch_rows)
        table = pa.Table.from_batches(cut, table.schema)
    source = TableInput(table)
    return run_to_table(ScoreTask(detector.fitted, [source], shape or Shape()), [source])


def bits(table: pa.Table) -> list[object]:
    """The results in a form in which equal means bit for bit."""
    scores = [np.array(table.column(name).to_numpy()).tobytes() for name in RESULTS[:2]]
    return [*scores, *(table.column(name).to_pylist() for name in RESULTS[2:])]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=6), st.permutations(["temp", "load", "site", "open"]))
def test_verdicts_do_not_depend_on_cuts_or_column_order(
    detector: Detector, odd_rows: pa.Table, expected: pa.Table, cuts: list[int], order: list[str]
) -> None:
    rows = odd_rows.select(order)
    bounds = [0, *sorted(cuts), len(rows)]
    pieces = [rows.slice(start, end - start) for start, end in pairwise(bounds)]
    assert bits(scored(detector, pa.concat_tables(pieces))[0]) == bits(expected)


@pytest.mark.parametrize("batch_rows", [1, 7, 1023, 1024, 1025])
def test_verdicts_do_not_depend_on_batches(
    detector: Detector, odd_rows: pa.Table, expected: pa.Table, batch_rows: int
) -> None:
    rows = odd_rows.slice(0, 60) if batch_rows == 1 else odd_rows
    found, outcome = scored(detector, rows, batch_rows)
    assert bits(found) == bits(expected.slice(0, len(rows)))
    assert outcome.counts["rows"] == len(rows)


def test_verdicts_do_not_depend_on_the_other_rows(
    detector: Detector, odd_rows: pa.Table, expected: pa.Table
) -> None:
    order = np.random.default_rng(1).permutation(len(odd_rows))
    assert bits(scored(detector, odd_rows.take(order))[0]) == bits(expected.take(order))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 299), max_size=3))
def test_verdicts_do_not_depend_on_files(detector: Detector, cuts: list[int]) -> None:
    # All cells can be read: a file of which one column cannot be read at all is refused.
    frame = tiny_frame(300, seed=4)
    frame.loc[::7, "temp"] = 1e300
    frame.loc[::11, "site"] = ""
    whole = detector.score(frame)
    bounds = [0, *sorted(set(cuts)), 300]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{start:04d}.csv" for start in bounds[:-1]]
        for path, (start, end) in zip(paths, pairwise(bounds), strict=True):
            frame[start:end].to_csv(path, index=False)
        found = detector.score(paths)
    pd.testing.assert_frame_equal(found[RESULTS], whole[RESULTS], check_exact=True)


def test_rows_come_out_in_their_order_and_number(odd_rows: pa.Table, expected: pa.Table) -> None:
    assert expected.select(["temp", "load", "site", "open"]).equals(odd_rows)


def test_every_row_ends_as_one_of_three(detector: Detector, odd_rows: pa.Table, expected: pa.Table) -> None:
    counts = scored(detector, odd_rows, 100)[1].counts
    flags = expected.column("is_anomaly").to_pylist()
    assert (counts["normal"], counts["anomalies"], counts["unscorable"]) == tuple(
        map(flags.count, (False, True, None))
    )
    assert counts["normal"] + counts["anomalies"] + counts["unscorable"] == counts["rows"] == len(odd_rows)
    assert min(counts["normal"], counts["anomalies"], counts["unscorable"]) > 0


def test_null_results_mean_unscorable_and_nothing_else(expected: pa.Table) -> None:
    frame = expected.to_pandas()
    unscorable = frame["anomaly_status"] == "unscorable"
    for name in RESULTS[:3]:
        assert (frame[name].isna() == unscorable).all()
    assert (frame["anomaly_features"].notna() == frame["is_anomaly"].eq(True)).all()
    assert np.isfinite(frame.loc[~unscorable, "anomaly_score"].astype(float)).all()


def test_an_extra_column_changes_nothing_but_a_notice(
    detector: Detector, odd_rows: pa.Table, expected: pa.Table
) -> None:
    wider = odd_rows.append_column("extra", pa.array(["x"] * len(odd_rows)))
    found, outcome = scored(detector, wider)
    assert bits(found) == bits(expected)
    assert any("'extra'" in text for text in outcome.warnings)


def test_a_missing_column_is_named(detector: Detector, odd_rows: pa.Table) -> None:
    with pytest.raises(ModelError, match="'load'"):
        scored(detector, odd_rows.drop_columns("load"))


def test_a_column_of_which_nothing_can_be_read_has_changed_its_type(
    detector: Detector, odd_rows: pa.Table
) -> None:
    broken = odd_rows.slice(0, 5).set_column(0, "temp", pa.array(["warm"] * 5))
    with pytest.raises(DataError) as caught:
        scored(detector, broken)
    assert str(caught.value) == (
        "data: column 'temp': no cell can be read as numeric, as it was in training "
        "(the first is in row 1); has its type changed?"
    )


def test_only_anomalies_leaves_out_the_rest_but_counts_it(detector: Detector, odd_rows: pa.Table) -> None:
    found, outcome = scored(detector, odd_rows, shape=Shape(only_anomalies=True))
    assert found.column("is_anomaly").unique().to_pylist() == [True]
    assert len(found) == outcome.counts["anomalies"] < outcome.counts["rows"]


def test_several_inputs_bear_their_names(detector: Detector) -> None:
    tables = [pa.Table.from_pandas(tiny_frame(rows), preserve_index=False) for rows in (3, 2)]
    inputs = [TableInput(table, f"t{index}") for index, table in enumerate(tables)]
    assert detector.score(inputs)["source_file"].tolist() == ["t0", "t0", "t0", "t1", "t1"]
