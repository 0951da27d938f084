"""Learning anew from newer rows, with the settings of an older model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from aedetect.config import Config
from aedetect.data.arrays import Floats
from aedetect.data.labels import marked_anomalies
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError
from aedetect.io.source import Input, batch_rows
from aedetect.models.threads import single_threaded
from aedetect.scoring.base import NumberedBatch
from aedetect.scoring.calibration import Calibration
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.table import TableScorer
from aedetect.training.fit import fit
from aedetect.training.planned_rows import PlanRequest, name_of_all
from aedetect.training.profiling import LEAST_ROWS
from aedetect.training.request import FitRequest
from aedetect.training.warm_start import Start

REFRESHED = "refreshed"
# Of a line of models that is refreshed every night, so many are named.
_MOST_ANCESTORS = 30


def relearned(
    older: FittedModel,
    recent: Sequence[Input],
    flagged: Sequence[Input],
    left_out: Mapping[str, int],
    callback: Callback,
    planned: PlanRequest | None = None,
    notes: Sequence[Note] = (),
) -> FittedModel:
    """A model of the `recent` rows, with the settings of `older` and in its line.

    `flagged`: the rows that `older` flagged, which are not learned. As many of them as chance explains are
    normal; they calibrate the threshold, which would be too low without them, and more so with each refresh.
    `left_out`: how many rows are not learned, by reason. `planned`: further rows that are not; `notes`: what
    people said of rows. Raises DataError or UsageError where the rows cannot
    be learned from, or too few are left.
    """
    _check_enough(recent, name_of_all(recent or flagged), left_out)
    columns = list(dict.fromkeys(name for source in recent for name in source.open(1024).schema.names))
    new = _new_columns(older, columns, callback)
    settings = _settings(older, recent, columns, new)
    fitted = fit(FitRequest(recent, settings, callback, planned=planned or PlanRequest(), notes=notes))
    training = fitted.training.model_copy(
        update={
            "lineage": Start.of(older, REFRESHED).lineage[-_MOST_ANCESTORS:],
            "rows_left_out": {**fitted.training.rows_left_out, **left_out},
        }
    )
    # Later rows may have columns again that these lack.
    data = older.config.data.model_copy(update={"exclude": [*older.config.data.exclude, *new]})
    config = fitted.config.model_copy(update={"data": data, "training": older.config.training})
    return _with_false_alarms(replace(fitted, training=training, config=config), older, flagged)


def _check_enough(recent: Sequence[Input], name: str, left_out: Mapping[str, int]) -> None:
    rows, needed = 0, LEAST_ROWS
    for source in recent:
        for batch in source.open(1024).batches():
            rows += len(batch)
            if rows >= needed:
                return
    why = ", ".join(f"{count:,} are {reason}" for reason, count in left_out.items() if count)
    raise DataError(
        f"{name}: {rows} row{'s' * (rows != 1)} left to learn from ({why or 'there are no more'}); "
        f"training needs at least {needed}"
    )


def _new_columns(older: FittedModel, columns: Sequence[str], callback: Callback) -> list[str]:
    """Those of the columns that the older model does not know, which is said."""
    known = {column.name for column in older.input_schema.columns}
    new = [name for name in columns if name not in known and name != older.config.data.label]
    if new:
        one = len(new) == 1
        named = ", ".join(repr(name) for name in new[:5]) + (f" and {len(new) - 5} more" * (len(new) > 5))
        callback.notice(
            f"column{'s' * (not one)} {named} {'is' if one else 'are'} new and not learned: the model before "
            f"does not know {'it' if one else 'them'}; `aedetect train` learns a model of other columns"
        )
    return new


def _settings(
    older: FittedModel, recent: Sequence[Input], columns: Sequence[str], new: Sequence[str]
) -> Config:
    """The settings of the older model for rows of today: of its columns alone, of those that they have."""
    config, data = older.config, older.config.data
    # Of a long table settings may name channels, which are no columns.
    named = set(columns) if older.long_table is None else {*columns, *data.exclude, *data.roles}
    excluded = [*(name for name in data.exclude if name in named), *new]
    update: dict[str, object] = {
        "exclude": excluded,
        "id": [name for name in data.id if name in named],
        "roles": {name: role for name, role in data.roles.items() if name in named},
    }
    if data.label is not None and data.label not in columns:
        update |= {"label": None, "positive": None}
    elif data.positive is not None and not _any_anomaly(recent, config):
        # A label that marks none of the rows is none that training would take.
        update |= {"label": None, "positive": None, "exclude": [*excluded, data.label]}
    device = config.training.model_copy(update={"device": older.device})
    return config.model_copy(update={"data": data.model_copy(update=update), "training": device})


def _any_anomaly(recent: Sequence[Input], config: Config) -> bool:
    return any(
        marked_anomalies(batch, config.data).any()
        for source in recent
        for batch in source.open(batch_rows(config, len(source.open(1024).schema))).batches()
    )


def _with_false_alarms(fitted: FittedModel, older: FittedModel, flagged: Sequence[Input]) -> FittedModel:
    """A model of tables whose calibration has the normal rows among those that the older one flagged.

    So many are normal as the alert rate makes false alarms, and these are the least strange of them.
    Series have none: their threshold follows what they show.
    """
    if fitted.series is not None:
        return fitted
    scores = _scores(fitted, flagged)
    learned, rate = fitted.training.rows, older.threshold_policy.expected_rate
    normal = min(len(scores), round(rate * (learned + len(scores))))
    calibrated = len(fitted.calibration.scores)
    share = round(calibrated * normal / max(learned, 1))
    if not share:
        return fitted
    drawn = np.quantile(scores[:normal], (np.arange(share) + 0.5) / share)
    calibration = Calibration(np.sort(np.concatenate([fitted.calibration.scores, drawn])))
    said = f"{fitted.training.calibration}, with {normal:,} flagged row{'s' * (normal != 1)} as false alarms"
    training = fitted.training.model_copy(update={"calibration": said})
    return replace(fitted, calibration=calibration, training=training)


def _scores(fitted: FittedModel, inputs: Sequence[Input]) -> Floats:
    """The scores of all rows that have one [rows], ascending."""
    session, parts = TableScorer(fitted).open(inputs), [np.empty(0)]
    size = batch_rows(fitted.config, len(fitted.encoder.owners))
    with single_threaded(fitted.device):
        for source in inputs:
            first = 0
            for batch in fitted.schema.completed(source).open(size).batches():
                parts.append(session.score(source, NumberedBatch(first, batch)).scores)
                first += len(batch)
    scores = np.concatenate(parts)
    return np.sort(scores[np.isfinite(scores)])
