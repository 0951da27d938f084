"""Scoring inside Ray Data: what `Dataset.map_batches` and `map_groups` take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from aedetect.integrations import batches
from aedetect.integrations.batches import Keep, Options
from aedetect.integrations.engines import RAY
from aedetect.integrations.packed_model import Model


class Scorer:
    """Scores the rows of a Ray dataset, each by itself: one is made in each worker.

    Parameters
    ----------
    model : path or bytes
        A model file of tables, which each worker reads, or its bytes, which Ray sends to them.
    keep : 'all', 'id' or 'none'
        Which of the columns go to the output.
    prefix : str
        Before the names of the added columns.
    empty : sequence of str
        Columns that hold no value in any row of the dataset, by which no row is judged.
    settings : mapping, optional
        Scoring, threshold and event settings in place of the model's, as for `Detector.adjusted`.
    sha256 : str, optional
        The digest that the model file must have.

    Raises
    ------
    UsageError, ModelError
        The model cannot be used, or is one of time series; Ray is missing or too old.
    """

    def __init__(
        self,
        model: Model,
        *,
        keep: Keep = "all",
        prefix: str = "",
        empty: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        sha256: str | None = None,
    ):
        RAY.check()
        options = Options(keep, prefix, tuple(empty))
        other = "SeriesScorer with Dataset.groupby(…).map_groups"
        self._scorer = batches.RowScorer.of(model, options, settings, sha256, other)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """The rows [rows, columns] with the added columns [rows, columns + 5].

        Raises ModelError for columns that are missing, and DataError for those that cannot be read.
        """
        return self._scorer.score(rows)


class SeriesScorer:
    """Scores whole series of a Ray dataset, for `Dataset.groupby(entity columns).map_groups`.

    Parameters
    ----------
    model, keep, prefix, settings, sha256
        As for `Scorer`; the model is one of time series.

    Raises
    ------
    UsageError, ModelError
        The model cannot be used, or is one of tables; Ray is missing or too old.
    """

    def __init__(
        self,
        model: Model,
        *,
        keep: Keep = "all",
        prefix: str = "",
        settings: Mapping[str, Any] | None = None,
        sha256: str | None = None,
    ):
        RAY.check()
        other = "Scorer with Dataset.map_batches"
        self._scorer = batches.SeriesScorer.of(model, Options(keep, prefix), settings, sha256, other)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """All rows of a series [rows, columns] with the added columns [rows, columns + 6].

        Raises ModelError for columns that are missing, and DataError for those that cannot be read, or for
        names of series that Ray tells apart and aedetect does not.
        """
        self._scorer.check_names(rows)
        return self._scorer.score(rows)
