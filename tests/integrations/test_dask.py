"""Scoring inside Dask, on a cluster of two processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.engine_rows import (
    NUMBER,
    by_command_line,
    check_same,
    machine_rows,
    mixed_rows,
    printed_by,
    shuffled,
    snippets,
)
from support.prompt import Prompt

from aedetect.errors import ModelError, UsageError

dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

from aedetect.integrations import dask  # noqa: E402


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A cluster of two processes, which all DataFrames of the test are computed by."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def by_dask(rows: pa.Table, parts: int) -> Any:
    """A Dask DataFrame of so many partitions, with an index of its own."""
    frame = rows.to_pandas().assign(at=lambda frame: frame[NUMBER] * 10).set_index("at")
    return dd.from_pandas(frame, npartitions=parts, sort=False)


def check_types(scored: Any) -> pd.DataFrame:
    """The computed rows, each partition of which is as the metadata say."""
    for part in scored.to_delayed():
        pd.testing.assert_series_equal(part.dtypes.compute(), scored.dtypes)
    computed = scored.compute()
    pd.testing.assert_series_equal(computed.dtypes, scored.dtypes)
    assert (computed.index == computed[NUMBER] * 10).all()
    assert isinstance(computed, pd.DataFrame)
    return computed


@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 7])
def test_rows_are_as_the_command_line_has_them(
    client: Any, prompt: Prompt, tiny_model: Path, parts: int
) -> None:
    rows = mixed_rows()
    scored = check_types(dask.score(by_dask(shuffled(rows), parts), tiny_model))
    expected = by_command_line(prompt, rows, tiny_model)
    check_same(pa.Table.from_pandas(scored, preserve_index=False), expected)


@pytest.mark.slow
def test_rows_of_parquet_files_are_as_the_command_line_has_them(
    client: Any, prompt: Prompt, tiny_model: Path
) -> None:
    rows = mixed_rows()
    expected = by_command_line(prompt, rows, tiny_model, "--prefix", "new_")
    (prompt.folder / "dumps").mkdir()
    for part in range(3):
        parquet.write_table(rows.slice(1000 * part, 1000), prompt.folder / "dumps" / f"{part}.parquet")
    scored = dask.score(dd.read_parquet(str(prompt.folder / "dumps")), str(tiny_model), prefix="new_")
    check_same(pa.Table.from_pandas(scored.compute(), preserve_index=False), expected)


@pytest.mark.slow
@pytest.mark.parametrize("parts", [1, 5])
def test_series_are_as_the_command_line_has_them(
    client: Any, prompt: Prompt, pumps_model: Path, parts: int
) -> None:
    rows = machine_rows()
    scored = check_types(dask.score_series(by_dask(shuffled(rows), parts), pumps_model.read_bytes()))
    expected = by_command_line(prompt, rows, pumps_model)
    check_same(pa.Table.from_pandas(scored, preserve_index=False), expected)


@pytest.mark.slow
def test_a_series_is_one_however_its_name_is_written(client: Any, prompt: Prompt, pumps_model: Path) -> None:
    rows = machine_rows()
    names = [f" {name}" if place % 3 else name for place, name in enumerate(rows["machine"].to_pylist())]
    rows = rows.set_column(1, "machine", pa.array(names))
    scored = dask.score_series(by_dask(shuffled(rows), 4), pumps_model).compute()
    expected = by_command_line(prompt, rows, pumps_model)
    check_same(pa.Table.from_pandas(scored, preserve_index=False), expected)


@pytest.mark.slow
def test_what_the_page_shows(client: Any, page_folder: Path, prompt: Prompt) -> None:
    whole, printed, of_series = snippets("Dask")
    rows = machine_rows()
    names: dict[str, Any] = {"pumps": by_dask(rows, 3)}
    assert printed_by(whole, names) == printed
    printed_by(of_series, names)
    scored = pa.Table.from_pandas(names["scored"].compute(), preserve_index=False)
    check_same(scored, by_command_line(prompt, rows, page_folder / "pumps.aed"))


def test_threads_of_this_process_give_the_same(tiny_model: Path) -> None:
    rows = mixed_rows(400)
    scored = dask.score(by_dask(rows, 8), tiny_model)
    many, one = (scored.compute(scheduler=scheduler) for scheduler in ("threads", "sync"))
    pd.testing.assert_frame_equal(many, one, check_exact=True)


def test_what_does_not_fit_is_refused_before_anything_is_computed(
    tiny_model: Path, pumps_model: Path
) -> None:
    data = by_dask(mixed_rows(20), 2)
    with pytest.raises(UsageError, match=r"rows are scored together; use dask\.score_series$"):
        dask.score(data, pumps_model)
    with pytest.raises(UsageError, match=r"rows are scored one by one; use dask\.score$"):
        dask.score_series(data, tiny_model)
    said = "data: column 'site' is missing, which the model was trained on; "
    with pytest.raises(ModelError, match=f"^{re.escape(said)}"):
        dask.score(data.drop(columns="site"), tiny_model)
    with pytest.raises(UsageError, match=r"^data: has a column 'is_anomaly' already, .* give prefix, "):
        dask.score(data.assign(is_anomaly=1), tiny_model)
