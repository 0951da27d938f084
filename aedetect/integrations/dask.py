"""Scoring inside Dask: DataFrames of Dask in, DataFrames of Dask out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.integrations import batches
from aedetect.integrations.batches import Keep, Options
from aedetect.integrations.engines import DASK
from aedetect.integrations.packed_model import Model
from aedetect.io.frames import table_of_frame

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd

# Says which series a row is of while rows are brought together.
_SERIES = "__aedetect_series__"


def score(
    data: dd.DataFrame,
    model: Model,
    *,
    keep: Keep = "all",
    prefix: str = "",
    empty: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    sha256: str | None = None,
) -> dd.DataFrame:
    """Score the rows of a Dask DataFrame, each by itself; partitions and index stay as they are.

    Parameters
    ----------
    data : dask DataFrame, [rows, columns]
        The rows; columns are matched by name.
    model : path or bytes
        A model file of tables, which is read here, or its bytes; Dask sends them to the workers.
    keep : 'all', 'id' or 'none'
        Which of the columns go to the output.
    prefix : str
        Before the names of the added columns.
    empty : sequence of str
        Columns that hold no value in any row of `data`, by which no row is judged.
    settings : mapping, optional
        Scoring, threshold and event settings in place of the model's, as for `Detector.adjusted`.
    sha256 : str, optional
        The digest that the model file must have.

    Returns
    -------
    dask DataFrame, [rows, columns + 5]
        `anomaly_score` and `anomaly_p_value` (float64), `is_anomaly` (boolean, which knows missing ones),
        `anomaly_features` and `anomaly_status` (text).

    Raises
    ------
    UsageError, ModelError, DataError
        The model cannot be used, is one of time series or made for other columns; Dask is missing or too old.
    """
    DASK.check()
    options = Options(keep, prefix, tuple(empty))
    scorer = batches.RowScorer.of(model, options, settings, sha256, "dask.score_series")
    return data.map_partitions(_scored, _sent(scorer), meta=_checked(data, scorer))


def score_series(
    data: dd.DataFrame,
    model: Model,
    *,
    keep: Keep = "all",
    prefix: str = "",
    settings: Mapping[str, Any] | None = None,
    sha256: str | None = None,
) -> dd.DataFrame:
    """Score the series in a Dask DataFrame, once the rows of each are brought into one partition.

    That changes the order of rows; the index goes with them.

    Parameters
    ----------
    data, model, keep, prefix, settings, sha256
        As for `score`; the model is one of time series.

    Returns
    -------
    dask DataFrame, [rows, columns + 6]
        As of `score`, and `anomaly_event` (Int64, which knows missing ones).

    Raises
    ------
    UsageError, ModelError, DataError
        The model cannot be used, is one of tables or made for other columns; Dask is missing or too old.
    """
    DASK.check()
    scorer = batches.SeriesScorer.of(model, Options(keep, prefix), settings, sha256, "dask.score")
    meta, sent = _checked(data, scorer), _sent(scorer)
    if scorer.entity:
        named = data.map_partitions(_named, sent, meta=_named(data._meta, scorer))
        together = named.shuffle(on=_SERIES)
    else:
        together = data.repartition(npartitions=1)
    return together.map_partitions(_scored, sent, meta=meta)


def _sent(scorer: batches.BatchScorer) -> Any:
    """A scorer that workers are sent once, and not with each partition."""
    from dask import delayed

    return delayed(scorer, pure=True)


def _checked(data: dd.DataFrame, scorer: batches.BatchScorer) -> pd.DataFrame:
    """The empty DataFrame that says what the output is like; raises for columns that will not do."""
    scorer.schema(table_of_frame(data._meta).schema)
    return _scored(data._meta, scorer)


def _scored(frame: pd.DataFrame, scorer: batches.BatchScorer) -> pd.DataFrame:
    """One partition with the added columns, of the same types in all partitions."""
    results = scorer.results(_known(frame, scorer)).to_pandas(types_mapper=_pandas_types().get)
    names = scorer.remaining([str(name) for name in frame.columns if name != _SERIES])
    scored = frame[[name for name in frame.columns if str(name) in names]].copy(deep=False)
    for name in results.columns:
        scored[name] = results[name].array
    return scored


def _named(frame: pd.DataFrame, scorer: batches.SeriesScorer) -> pd.DataFrame:
    """One partition with a column that says which series rows are of: as aedetect tells them apart."""
    names = [pc.fill_null(part, "") for part in scorer.series_names(_known(frame, scorer))]
    joined = pc.binary_join_element_wise(*names, "\x1f")
    return frame.assign(**{_SERIES: joined.to_pandas(types_mapper=_pandas_types().get).array})


def _known(frame: pd.DataFrame, scorer: batches.BatchScorer) -> pa.Table:
    known = scorer.known
    return table_of_frame(frame[[name for name in frame.columns if str(name) in known]])


def _pandas_types() -> dict[pa.DataType, Any]:
    """Types of pandas that know missing values, so that a partition with some is as one without."""
    import pandas as pd

    return {
        pa.bool_(): pd.BooleanDtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.string(): pd.StringDtype("pyarrow"),
    }
