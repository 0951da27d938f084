"""Tables: a row is scored by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from aedetect.data.arrays import Floats, Integers, Matrix
from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Name
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.models.ensemble import mean_errors
from aedetect.models.threads import single_threaded
from aedetect.scoring.base import AdoptedState, NumberedBatch, PriorRows, Scores
from aedetect.scoring.empty_columns import empty_columns, filled_in
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import FlaggedRows, SeenRows, Suppression

if TYPE_CHECKING:
    import pyarrow as pa


def raw_scores(errors: Matrix) -> Floats:
    """One number a row from its errors [rows, features]: their mean, in float64.

    The one rule from errors to a score: fitting, calibrating and scoring use it.
    """
    return np.asarray(errors.mean(axis=1, dtype=np.float64))


@dataclass(frozen=True)
class TableScorer:
    """Scores rows under a fitted model, each by itself.

    `as_unlearned`: rows that the model was trained on are judged as if it had not been.
    """

    fitted: FittedModel
    as_unlearned: bool = False
    independent = True
    has_events = False

    def open(
        self,
        inputs: Sequence[Input],
        prior: PriorRows | None = None,
        suppression: Suppression | None = None,
    ) -> TableSession:
        """A session over any inputs. Raises UsageError for history, which a table does not have."""
        if prior is not None and prior.history:
            raise UsageError("no model of time series, which --history and --events are for")
        return TableSession(self, suppression)

    def score_rows(self, matrix: Matrix) -> Floats:
        """Scores [rows] of encoded rows [rows, features] by the networks alone, without watched constants.

        Fast within `models.threads.single_threaded`, and safe to call from several threads at once.
        """
        fitted = self.fitted
        return raw_scores(mean_errors(fitted.members, matrix, fitted.device)) / float(fitted.scale)

    def score_apart(self, matrix: Matrix) -> Floats:
        """As `score_rows`, for callers that have not set the threads of torch."""
        with single_threaded(self.fitted.device):
            return self.score_rows(matrix)

    def score_batch(self, batch: pa.RecordBatch, unknown: Collection[str] = ()) -> Scores:
        """Scores of one record batch whose columns were checked against the schema.

        Nothing is known of the columns `unknown`: rows are judged by the others.
        Fast within `models.threads.single_threaded`, and safe to call from several threads at once.
        """
        fitted = self.fitted
        encoded = fitted.encoder.transform(batch)
        matrix = filled_in(encoded.matrix, fitted, unknown) if unknown else encoded.matrix
        errors = mean_errors(fitted.members, matrix, fitted.device, self.as_unlearned)
        # In the very steps that scaled the calibration scores: of rows that are equal to the one
        # at the threshold, the least difference in rounding would flag all.
        scores = raw_scores(errors) / float(fitted.scale)
        errors /= fitted.scale
        width = encoded.matrix.shape[1]
        beyond = fitted.out_of_range_score
        # The mean over features is what a row scores: a changed constant adds `beyond` to it, as does
        # a number far beyond all that were learned.
        added = np.float32(beyond * width)
        changed = encoded.changed_constants & ~np.isin(list(fitted.encoder.state.constant), list(unknown))
        moved = changed * added
        errors[:, : encoded.out_of_range.shape[1]] += encoded.out_of_range * added
        scores = scores + (changed.sum(axis=1) + encoded.out_of_range.sum(axis=1)) * beyond
        scores = np.where(encoded.infinite, np.maximum(scores, beyond), scores)
        scores = np.where(encoded.unscorable, np.nan, scores)
        with np.errstate(invalid="ignore"):
            flagged = scores > fitted.thresholds(encoded.groups)
        return Scores(
            scores,
            fitted.p_values(scores, encoded.groups),
            flagged,
            encoded.unscorable,
            self._attribution(np.concatenate([errors, moved], axis=1), unknown),
            encoded,
            np.zeros(len(scores), dtype=np.bool_),
        )

    @cached_property
    def _owners(self) -> tuple[int, Integers]:
        """How many columns there are, and the place among them of each feature's [features]."""
        columns = self.fitted.columns
        places = {name: index for index, name in enumerate(columns)}
        return len(columns), np.array([places[name] for name in self.fitted.encoder.owners], dtype=np.int64)

    def _attribution(self, errors: Matrix, unknown: Collection[str]) -> Matrix:
        """Shares [rows, columns] of errors [rows, features] by the column that owns the feature.

        Columns that are `unknown` have none.
        """
        count, owners = self._owners
        if count == len(owners):
            shares = errors
        else:
            shares = np.zeros((len(errors), count), dtype=np.float32)
            for feature, column in enumerate(owners):
                shares[:, column] += errors[:, feature]
        if unknown:
            shares = shares * ~np.isin(self.fitted.columns, list(unknown))
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), np.float32(1e-30)))


@dataclass
class TableSession:
    """The session of a table: of an input it is remembered which columns hold nothing."""

    independent = True

    scorer: TableScorer
    suppression: Suppression | None = None
    _source: Input | None = None
    _empty: Sequence[str] = ()
    _lock: Lock = field(default_factory=Lock)

    def score(self, source: Input, batch: NumberedBatch) -> Scores:
        # Batches are scored by several threads, the inputs one after the other.
        with self._lock:
            if self._source is not source:
                self._empty = empty_columns(self.scorer.fitted, source)
                self._source = source
            empty = self._empty
        scores = self.scorer.score_batch(batch.rows, empty)
        if self.suppression is None:
            return scores
        self.suppression.watch(SeenRows(source, batch.first + 1, batch.rows))
        return self._muted(scores, source, batch.rows, self.suppression)

    def _muted(self, scores: Scores, source: Input, rows: pa.RecordBatch, suppression: Suppression) -> Scores:
        """The scores, with those flagged rows muted that are fine."""
        fitted, places = self.scorer.fitted, np.flatnonzero(scores.flagged)
        flagged = FlaggedRows(
            fitted.columns,
            scores.attribution[places],
            scores.scores[places],
            fitted.config.scoring.top_features,
            encoded=scores.encoded.matrix[places],
            cells=rows.take(places),
            source=source,
        )
        reasons = {int(places[at]): reason for at, reason in suppression.reasons(flagged).items()}
        muted = np.zeros_like(scores.flagged)
        muted[list(reasons)] = True
        return replace(scores, flagged=scores.flagged & ~muted, reasons=reasons)

    def warnings(self, source: Input) -> list[str]:
        said = [] if self.suppression is None else self.suppression.notices(source)
        if self._source is not source or not self._empty:
            return said
        named = ", ".join(repr(name) for name in self._empty)
        many = len(self._empty) > 1
        return [
            f"{source.name}: column{'s' * many} {named} {'are' if many else 'is'} empty in all rows, and "
            f"{'were' if many else 'was'} not in training: rows are judged by the other columns",
            *said,
        ]

    def events(self) -> None:
        return None

    @property
    def muted_event_count(self) -> int:
        return 0

    def silences(self) -> None:
        return None

    def adopted_states(self) -> Sequence[AdoptedState]:
        return ()

    def tails(self, source: Input) -> Mapping[Name, SeriesContext]:
        return {}
