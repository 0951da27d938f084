"""`aedetect calibrate`: a new threshold for the same network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from aedetect.cli import completion, options
from aedetect.cli.command import loaded, look, look_beside, running, sources_for_model, warn_of
from aedetect.cli.next_steps import next_steps, scoring_of_new_rows
from aedetect.cli.options import THRESHOLD, argument, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.text import plain
from aedetect.engine.places import check_place
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aedetect.config import Config
    from aedetect.engine.output_names import Target
    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel


def calibrate(
    model: options.ModelOptions,
    output: Annotated[
        str, option("--output -o NEW.aed", "The model file to write; may be the old one.", default=...)
    ],
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    inputs: list[str] | None = argument(
        "INPUT...", "Normal rows that the model has not learned from; without them only --alert-rate changes."
    ),
    alert_rate: str | None = option(
        "--alert-rate R",
        "Share of normal rows you accept as false alarms, as 0.01 or 1%; default: as trained.",
        panel=THRESHOLD,
    ),
    label: str | None = option(
        "--label COLUMN",
        "The column that marks known anomalies: those rows are left out.",
        completion.columns,
    ),
    positive: options.Positive = None,
    feedback: Path | None = options.learned_feedback(),
    on: options.ReadOn = None,
) -> None:
    """Set a new threshold, from new normal rows or for a new alert rate; the network stays.

    Scores mean the same as before; the p-values and the threshold follow the new rows. The model
    file notes which one it was made from.

    Example: aedetect calibrate april.csv -m model.aed -o model-april.aed
    """
    with running("calibrate", messages) as out:
        if not inputs and alert_rate is None:
            raise UsageError("name new normal rows (INPUT), or an --alert-rate, or both")
        look(inputs or [], model)
        look_beside(feedback)
        settings = run.settings(
            reading.overrides(),
            {"data.label": label, "data.positive": positive, "threshold.alert_rate": alert_rate},
        )
        from aedetect.engine.output_names import Target
        from aedetect.io.stores import name_of

        target = Target.of(output, name_of(model.model))
        if feedback is not None and not inputs:
            raise UsageError("--feedback goes with new normal rows (INPUT)")
        check_place(on)
        if on is not None and run.device not in (None, "auto", "cpu"):
            raise UsageError(f"--device {run.device}: the workers of --on score on CPUs; leave it out")
        _calibrate(out, inputs or [], model, target, settings, feedback, on)


def _before(older: FittedModel) -> str:
    """Which rows the older model flagged."""
    if older.group_thresholds is not None:
        return f"those above that of their group, {older.group_thresholds.in_words}"
    if older.alarm_rule is None:
        return f"those above {older.threshold:.3g}"
    return f"those of at most {older.alarm_rule.rate:.3g}"


def _check_label(sources: Sequence[FileInput], label: str | None) -> None:
    """Raises UsageError where this run names a label column that no input has."""
    from aedetect.config.names import no_column

    if label is None or not sources:
        return
    columns = dict.fromkeys(name for source in sources for name in source.open(1024).schema.names)
    if label not in columns:
        raise UsageError(no_column("--label", label, list(columns)))


def _calibrate(
    out: Output,
    words: list[str],
    model: options.ModelOptions,
    target: Target,
    settings: Config,
    feedback: Path | None,
    on: str | None,
) -> None:
    from aedetect.engine.places import opened_workers
    from aedetect.engine.summary import Clock
    from aedetect.io.locate import left_out
    from aedetect.io.lock import Locks

    clock = Clock()
    sources = sources_for_model(words, target, settings)
    output = target.path
    _check_label(sources, settings.data.label)
    from aedetect.io.files import as_trained
    from aedetect.scoring.feedback_store import read_notes
    from aedetect.training.calibrate import calibrated
    from aedetect.training.summary import train_summary

    notes = read_notes(feedback) if feedback is not None else ()
    target.make_folder()
    with (
        Locks([output]),
        TerminalProgress(out) as callback,
        opened_workers(on, notice=callback.notice) as workers,
    ):
        for text in left_out(words):
            callback.notice(text)
        cpu = {"training": settings.training.model_copy(update={"device": "cpu"})}
        older = loaded(model, settings if on is None else settings.model_copy(update=cpu))
        sources = as_trained(older.placed(sources), older.config.data, settings.data)
        fitted = calibrated(older.adjusted(settings), sources or None, callback, notes, workers)
        fitted.save(output)
    summary = train_summary("calibrate", fitted, output, clock, callback.notices)
    warn_of(out, summary["warnings"], callback.notices)
    used = {} if on is None else {"workers": workers.taken_part}
    out.result(summary | {"threshold_before": older.threshold} | used)
    out.say(
        f"{plain(output)}: {fitted.flagged_in_words} are flagged, "
        f"{fitted.promise_in_words}; before, {_before(older)}"
    )
    next_steps(out, scoring_of_new_rows(output, *words[:1]))
