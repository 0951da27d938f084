"""Why rows, or events of time series, were flagged: what `aedetect explain` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aedetect.engine.callbacks import Callback
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.scoring.scorers import scorer_of
from aedetect.scoring.series import SeriesScorer
from aedetect.tasks.explain.choose_events import chosen_events, row_of
from aedetect.tasks.explain.events import SeriesExplainer, SeriesExplanation
from aedetect.tasks.explain.request import ExplainRequest
from aedetect.tasks.explain.rows import Explainer, Explanation
from aedetect.tasks.explain.select import choose

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

NO_NORMAL_ROWS = (
    "the model file holds no normal rows to compare with, as it was made by an older version, so what was "
    "expected is not known; retrain"
)


@dataclass(frozen=True)
class Explanations:
    """What was asked for, explained, and how many rows were read and flagged.

    `events`: how many there are in all; None for models that know no events. `strangest`: the number of
    the row that scores highest, flagged or not, where it is known. `zone`: what is to be said after a
    time, ' UTC', ' Europe/Berlin' or nothing. `rate`: the p-value up to which rows are flagged; None where
    the threshold on the score counts. `muted`: rows that would be flagged and are fine; `muted_events`:
    events of such rows alone, which are not among `events`.
    """

    explained: Sequence[Explanation | SeriesExplanation]
    rows: int
    anomalies: int
    threshold: float
    events: int | None = None
    strangest: int | None = None
    zone: str = ""
    rate: float | None = None
    muted: int = 0
    muted_events: int | None = None
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the contract of `explain --json`, but for its envelope."""
        return {
            "rows": self.rows,
            "anomalies": self.anomalies,
            "muted": self.muted,
            **({} if self.events is None else {"events": self.events, "muted_events": self.muted_events}),
            "threshold": self.threshold,
            **({} if self.events is None else {"p_value_limit": self.rate}),
            **({} if self.events is None else {"zone": self.zone.strip() or None}),
            "explained": [one.as_dict() for one in self.explained],
        }


def explain(
    fitted: FittedModel, inputs: Sequence[Input], request: ExplainRequest, callback: Callback | None = None
) -> Explanations:
    """Score the inputs and say why the rows or events asked for scored as they did.

    Rows of a table are of one input; series may run through several. Raises UsageError for what the
    model does not know (ids, events, series), DataError for rows, ids and events that are not there,
    ModelError where an input cannot be used.
    """
    callback = callback or Callback()
    scorer = scorer_of(fitted)
    # Events have other reasons than rows: when, and what the model expected at that time.
    if isinstance(scorer, SeriesScorer):
        return _explain_series(scorer, inputs, request, callback)
    return _explain_rows(fitted, inputs, request, callback)


def _explain_rows(
    fitted: FittedModel, inputs: Sequence[Input], request: ExplainRequest, callback: Callback
) -> Explanations:
    if request.event is not None or request.entity:
        raise UsageError("no model of time series, which --event and --entity are for")
    if len(inputs) > 1:
        raise UsageError(f"{inputs[0].name} and {len(inputs) - 1} more: explain one input at a time")
    chosen = choose(fitted, inputs[0], request, callback)
    explainer = Explainer(fitted)
    explained = [explainer.explain(row) for row in chosen.ranked]
    warnings = list(chosen.warnings)
    if explained and not explainer.knows_normal_rows:
        warnings.append(NO_NORMAL_ROWS)
        callback.notice(NO_NORMAL_ROWS)
    return Explanations(
        explained,
        chosen.rows,
        chosen.anomalies,
        fitted.threshold,
        strangest=chosen.strangest.row if chosen.strangest else None,
        muted=chosen.muted,
        warnings=warnings,
    )


def _explain_series(
    scorer: SeriesScorer, inputs: Sequence[Input], request: ExplainRequest, callback: Callback
) -> Explanations:
    fitted = scorer.fitted
    if request.ids:
        raise UsageError("--id is for models of tables; of time series give --event, --row or --entity")
    if request.rows and len(inputs) > 1:
        raise UsageError(f"--row: {len(inputs)} files; name the one that the row is in")
    callback.stage(inputs[0].name)
    warnings = [text for source in inputs for text in fitted.check(source)]
    session = scorer.open(inputs, suppression=request.suppression, keep=True)
    # An input that could not be read says so now.
    session.check(inputs)
    warnings += [text for source in inputs for text in session.warnings(source)]
    for text in warnings:
        callback.notice(text)
    explainer = SeriesExplainer(fitted, session)
    if request.rows:
        explained = [explainer.row(row_of(session, inputs[0], number)) for number in request.rows]
    else:
        events, _ = chosen_events(session, request.event, request.entity, request.top)
        explained = [explainer.event(event) for event in events]
    return Explanations(
        explained,
        len(session.scores),
        int(session.flagged.sum()),
        fitted.threshold,
        events=len(session.found_events),
        zone=session.zone,
        rate=fitted.alarm_rule.rate if fitted.alarm_rule else None,
        muted=sum(session.muted_within(source) for source in inputs),
        muted_events=len(session.muted_events),
        warnings=warnings,
    )
