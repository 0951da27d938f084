"""`aedetect evaluate`: how good is it, against labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalProgress
from aedetect.cli.exit import reported
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.tasks.evaluate import Evaluation

USUAL_RATES = "0.001,0.01,0.05"


def evaluate(
    inputs: options.Inputs,
    model: options.Model,
    label: options.Label = None,
    positive: options.Positive = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Also judge each value of this column apart.", show_default=False
        ),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL2.aed",
            help="Judge a second model on the same rows, and test whether it differs.",
            show_default=False,
        ),
    ] = None,
    at: Annotated[str, typer.Option(metavar="R,R", help="Alert rates to show verdicts at.")] = USUAL_RATES,
    alert_rate: options.AlertRate = None,
    threshold: options.Threshold = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Hold scores against labels: how well they rank, what the threshold catches.

    Gives AUROC and average precision, precision, recall and F1 at the threshold and at others, and
    whether the promise on false alarms is kept; each with the range that chance leaves it (95%).
    Rows without a label or a score are left out and counted. Of time series also by event: caught or
    missed, how soon, false events a day, range-based precision and recall, VUS-PR.

    Example: aedetect evaluate march.csv -m model.aed --label is_fraud
    """
    out = Output("evaluate", json, quiet, verbose)
    with reported(out):
        rates = _rates(at)
        overrides = {
            **options.reading(format, delimiter, encoding),
            **options.flagging(alert_rate, threshold),
            "training.device": device,
            # Named here, it is not called unknown.
            "data.label": label,
        }
        _evaluate(out, inputs, model, (label, positive, by), compare, rates, overrides, config)


def _evaluate(
    out: Output,
    inputs: list[str],
    model: Path,
    columns: tuple[str | None, str | None, str | None],
    compare: Path | None,
    rates: list[float],
    overrides: dict[str, Any],
    config: Path | None,
) -> None:
    import time
    from datetime import UTC, datetime

    from aedetect._version import __version__
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.evaluate import EvaluateRequest, evaluate

    started, clock = datetime.now(UTC), time.monotonic()
    settings = options.settings(config, overrides)
    fitted, sources, told = options.opened(inputs, model, settings)
    other = FittedModel.load(compare, device=settings.training.device).adjusted(settings) if compare else None
    label, positive, by = columns
    with TerminalProgress(out, settings.training.device) as callback:
        found = evaluate(fitted, sources, EvaluateRequest(label, positive, by, other, rates), callback)
    for text in found.warnings:
        if text not in callback.notices:
            out.warn(text)
    out.result(
        {
            "schema_version": 1,
            "aedetect_version": __version__,
            "command": "evaluate",
            "model": told,
            "compared": {"path": str(compare), "sha256": other.sha256} if other else None,
            "by": by,
            **found.as_dict(),
            "warnings": found.warnings,
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 3),
            "exit_code": 0,
        }
    )
    if not (out.json or out.quiet):
        _show(out, found, by, (str(model), str(compare)))


def _show(out: Output, found: Evaluation, by: str | None, models: tuple[str, str]) -> None:
    from aedetect.cli import evaluate_tables as tables
    from aedetect.tasks.evaluate import sentences

    out.say(sentences.headline(found))
    out.say()
    if found.judged.auroc:
        out.table(tables.ranking(found.judged))
        out.say()
    out.figures(tables.verdicts(found))
    out.say()
    if found.by_event:
        out.table(tables.by_event(found))
        out.say()
    out.say(sentences.promise_of(found))
    if by is not None:
        out.say()
        out.figures(tables.segments(found, by))
    if found.comparison:
        out.say()
        out.figures(tables.comparison(found.comparison, *models))
        out.say()
        out.say(tables.differing_verdicts(found.comparison))


def _rates(text: str) -> list[float]:
    rates = []
    for word in text.split(","):
        try:
            rate = float(word)
        except ValueError:
            rate = 0.0
        if not 0 < rate < 1:
            raise UsageError(
                f"--at {text!r}: {word!r} is no rate between 0 and 1; write e.g. --at 0.001,0.01"
            )
        rates.append(rate)
    return rates
