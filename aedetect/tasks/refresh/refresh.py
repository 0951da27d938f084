"""From recent rows to a new model, held against the old one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from aedetect.engine.callbacks import Callback
from aedetect.io.files import FileInput
from aedetect.io.source import Input, has_rows, no_rows
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.evaluate import EvaluateRequest, evaluate
from aedetect.tasks.refresh.gate import GateFigures, gate_figures, verdicts_on
from aedetect.tasks.refresh.recent import RecentRows, recent_rows
from aedetect.tasks.refresh.results import Refreshment
from aedetect.tasks.refresh.rule import checks_of, most_passed

FLAGGED, BY_CALENDAR = "flagged by the model before", "muted by a calendar"
# A share of flagged rows that is more than false alarms and a few anomalies.
_MUCH, _MUCH_TIMES = 0.05, 5.0
# A gate is short where it passes more than so many times the accepted share.
_LOOSE = 3.0

# Learns a model from recent rows: the model before, the rows to learn, those that it flags, how many rows are
# left out by reason, and who is told of the progress.
Learn = Callable[[FittedModel, Sequence[Input], Sequence[Input], Mapping[str, int], Callback], FittedModel]


@dataclass(frozen=True)
class RefreshRequest:
    """What a new model is learned from, and held against.

    `recent`: rows as they come today. `gate`: rows known to be normal. `labelled`: rows with the column
    `label`, where `positive` marks an anomaly; those of the old model where None. `suppression` mutes rows
    of `recent`.
    """

    recent: Sequence[Input]
    gate: Sequence[Input]
    labelled: Sequence[Input] = ()
    label: str | None = None
    positive: str | None = None
    suppression: Suppression | None = None


def refreshed(
    old: FittedModel,
    request: RefreshRequest,
    learn: Learn,
    callback: Callback,
    adjust: Callable[[FittedModel], FittedModel] = lambda fitted: fitted,
) -> Refreshment:
    """Learn a new model from the recent rows that the old one does not flag, and compare both.

    `adjust` gives a model the settings of this run, under which it scores. Raises DataError, ModelError or
    UsageError where an input or a label cannot be used, the gate has no rows, or too few rows are left.
    """
    if not any(map(has_rows, request.gate)):
        raise no_rows(request.gate[0])
    judge = adjust(old)
    # What cannot be used is said before anything is learned, which may take long.
    verdicts = verdicts_on(judge, request.gate, callback)
    asked = EvaluateRequest(request.label, request.positive, alert_rates=())
    if request.labelled:
        evaluate(judge, request.labelled, asked, callback)
    recent = recent_rows(judge, request.recent, request.suppression, callback)
    left_out = {FLAGGED: recent.flagged_rows, BY_CALENDAR: recent.by_calendar}
    new = learn(old, recent.learned, recent.flagged, left_out, callback)
    callback.stage("comparing both models")
    candidate = adjust(new)
    gate = gate_figures(verdicts, verdicts_on(candidate, request.gate, callback), request.gate)
    labelled, precision = None, None
    if request.labelled:
        labelled = evaluate(judge, request.labelled, replace(asked, compare=candidate), callback)
        assert labelled.comparison is not None
        precision = labelled.comparison.average_precision
    checks = checks_of(candidate, gate, precision)
    warnings = [*recent.warnings, *_warnings(judge, candidate, recent, gate, request)]
    return Refreshment(old, new, recent, gate, checks, labelled, warnings)


def _warnings(
    old: FittedModel, new: FittedModel, recent: RecentRows, gate: GateFigures, request: RefreshRequest
) -> list[str]:
    said = []
    rate = new.threshold_policy.promised_rate
    share = recent.flagged_rows / recent.rows if recent.rows else 0.0
    if share > max(_MUCH, _MUCH_TIMES * (rate or 0.0)):
        said.append(
            f"{share:.1%} of the recent rows were flagged and not learned; if they are normal by now, "
            "retrain with them (`aedetect train`): the new model flags them too"
        )
    learned = set(old.training.inputs)
    # What is in memory has no name of its own.
    known = [one.name for one in request.gate if isinstance(one, FileInput) and one.name in learned]
    if known:
        said.append(
            f"the old model was trained on the gate ({known[0]}): its false alarms there may be too few"
        )
    if rate is not None:
        rows = gate.rows / gate.together
        most = most_passed(rate, rows, len(new.calibration.scores) / gate.together) / rows
        if most > _LOOSE * rate:
            said.append(
                f"the gate of {gate.rows:,} rows is short for an alert rate of {100 * rate:.3g}%: up to "
                f"{most:.2%} of false alarms would pass as chance"
            )
    return said
