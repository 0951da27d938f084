"""`aedetect evaluate`: how good is it, against labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aedetect.cli import completion, options
from aedetect.cli.command import look, look_at_columns, opened, running, warn_of
from aedetect.cli.next_steps import Given, beside, next_steps
from aedetect.cli.options import THRESHOLD, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.evaluate import Evaluation
    from aedetect.tasks.scored_rows import Spread
    from aedetect.tasks.spread_series import SpreadRun

USUAL_RATES = "0.001,0.01,0.05"


@dataclass(frozen=True)
class Asked:
    """What the scores are held against, and what else is judged."""

    label: str | None
    positive: str | None
    by: list[str]
    compare: Path | None
    rates: list[float]


def evaluate(
    inputs: options.Inputs,
    model: options.ModelOptions,
    labels: options.LabelOptions,
    threshold: options.ThresholdOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    by: list[str] | None = option(
        "--by COLUMN",
        "Also judge each value of this column apart; repeated, each combination. By the columns of train "
        "--group, with the promise to each group.",
        completion.columns,
    ),
    compare: Path | None = option(
        "--compare MODEL2.aed",
        "Judge a second model on the same rows, and test whether it differs.",
        completion.model_files,
    ),
    at: str = option(
        "--at R,R",
        f"Alert rates to show verdicts at; default: {USUAL_RATES}.",
        panel=THRESHOLD,
        default=USUAL_RATES,
    ),
    jobs: options.Jobs = None,
    on: options.On = None,
) -> None:
    """Hold scores against labels: how well they rank, what the threshold catches.

    Gives AUROC and average precision, precision, recall and F1 at the threshold and at others, and
    whether the promise on false alarms is kept; each with the range that chance leaves it (95%).
    Rows without a label or a score are left out and counted. Of time series also by event: caught or
    missed, how soon, false events a day, range-based precision and recall, VUS-PR.

    Example: aedetect evaluate march.csv -m model.aed --label is_fraud

    Example: aedetect evaluate march.csv -m model.aed --label is_fraud --by region
    """
    with running("evaluate", messages) as out:
        request = Asked(labels.label, labels.positive, by or [], compare, options.rates(at, "--at"))
        look(inputs, model)
        # The label is named here, so that it is not called an unknown column.
        where = {"scoring.jobs": jobs, "scoring.on": on}
        label = {"data.label": request.label}
        settings = run.settings(reading.overrides(), threshold.overrides(), label, where)
        look_at_columns(inputs, model, settings)
        _evaluate(out, inputs, model, request, settings)
        given = Given(reading, run, threshold)
        shown = ["-m", model.model, "-o", beside(inputs[0], "-report.html"), *labels.words, *given.of_report]
        next_steps(out, ["report", *inputs, *shown])


def _evaluate(
    out: Output, words: list[str], model: options.ModelOptions, request: Asked, settings: Config
) -> None:
    from aedetect.engine.places import check_place
    from aedetect.engine.summary import Clock, envelope
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.evaluate import EvaluateRequest, evaluate

    clock = Clock()
    if settings.scoring.on is not None:
        check_place(settings.scoring.on)
    subject = opened(words, model, settings)
    device = settings.training.device
    compare = request.compare
    other = FittedModel.load(compare, device=device).adjusted(settings) if compare else None
    with TerminalProgress(out) as callback:
        spread = _spread(request, subject.fitted, other, model.model, settings)
        held = EvaluateRequest(request.label, request.positive, request.by, other, request.rates, spread)
        evaluation = evaluate(subject.fitted, subject.sources, held, callback)
    warnings = [*subject.left_out, *evaluation.warnings]
    warn_of(out, warnings, callback.notices)
    body = {
        "compared": {"path": str(compare), "sha256": other.sha256} if other else None,
        "by": request.by[0] if len(request.by) == 1 else request.by or None,
        **evaluation.as_dict(),
        "workers": evaluation.workers,
        "warnings": warnings,
    }
    out.result(envelope("evaluate", subject.entry, body, clock.as_dict()))
    if not (out.json or out.quiet):
        _show(out, evaluation, request.by, (str(model.model), str(compare)))


def _spread(
    request: Asked, fitted: FittedModel, other: FittedModel | None, model: str, settings: Config
) -> tuple[Spread | SpreadRun | None, Spread | SpreadRun | None]:
    """Who scores the rows, under the model and under the second one."""
    from aedetect.tasks.evaluate.passes import spread_of

    label = request.label or fitted.config.data.label
    columns = list(dict.fromkeys([*([] if label is None else [label]), *request.by]))
    second = None if other is None else spread_of(str(request.compare), other, settings, columns)
    return spread_of(model, fitted, settings, columns), second


def _show(out: Output, evaluation: Evaluation, by: list[str], models: tuple[str, str]) -> None:
    from aedetect.cli import evaluate_tables as tables
    from aedetect.tasks.evaluate import sentences

    out.say(sentences.headline(evaluation))
    out.say()
    if evaluation.judged.auroc:
        out.table(tables.ranking(evaluation.judged))
        out.say()
    out.figures(tables.verdicts(evaluation))
    out.say()
    if evaluation.by_event:
        out.table(tables.by_event(evaluation))
        out.say()
    out.say(sentences.promise_of(evaluation))
    if by:
        out.say()
        out.figures(tables.segments(evaluation, ", ".join(by)))
    if evaluation.thresholds:
        out.say()
        out.figures(tables.promises(evaluation, ", ".join(by)))
    if evaluation.comparison:
        out.say()
        out.figures(tables.comparison(evaluation.comparison, *models))
        out.say()
        out.say(tables.differing_verdicts(evaluation.comparison))
