"""`aedetect refresh`: learn anew from recent rows, and swap the models if the new one is no worse."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aedetect.cli import options
from aedetect.cli.command import entry_of, look, look_at_muting, running, warn_of
from aedetect.cli.groups import group
from aedetect.cli.next_steps import Given, next_steps
from aedetect.cli.options import argument, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain
from aedetect.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from aedetect.config import Config
    from aedetect.engine.callbacks import Callback
    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.kept_models import KeptModel
    from aedetect.tasks.refresh.results import Refreshment
    from aedetect.tasks.suppression.request import MutingRequest

_DIGITS = 12


@group()
class HeldOptions:
    """What both models are held against."""

    gate: list[str] | None = option(
        "--gate INPUT", "Rows known to be normal, on which both models are compared; may be repeated."
    )
    labelled: list[str] | None = option(
        "--labelled INPUT", "Rows with labels, which both models are held against too; may be repeated."
    )


@group()
class SwapOptions:
    """What becomes of the models."""

    keep: str = option(
        "--keep N", "Keep the last N models that were replaced, beside the model; default: 3.", default="3"
    )
    dry_run: bool = option("--dry-run", "Compare both models, and swap nothing.", default=False)
    roll_back: bool = option(
        "--roll-back",
        "Put the model back that was replaced last; once more undoes it. Takes no inputs.",
        default=False,
    )
    to: str | None = option("--to DIGEST", "With --roll-back: the kept model whose SHA-256 begins so.")


def refresh(
    model: options.ModelOptions,
    held: HeldOptions,
    labels: options.LabelOptions,
    swap: SwapOptions,
    muting: options.MutingOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    inputs: list[str] | None = argument(
        "INPUT...", "Recent rows: files, directories, quoted globs, '-' for CSV on stdin, or URIs."
    ),
) -> None:
    """Learn a model anew from recent rows, and put it in the old one's place if it is no worse.

    It has the settings and columns of the old model. Rows that the old model flags are not learned, nor
    those that a calendar mutes. Both are compared on --gate: the new one must keep the accepted share of
    false alarms, as far as chance goes, and not give clearly more than the old one; with --labelled its
    average precision must not be clearly lower. The swap is one step, and the last models are kept. A new
    model that is worse is no error: the exit code is 0, and `swapped` false in --json.

    Example: aedetect refresh 'dumps/*.csv' -m model.aed --gate known-normal.csv

    Example: aedetect refresh -m model.aed --roll-back
    """
    with running("refresh", messages) as out:
        keep = options.whole(swap.keep, "--keep")
        if keep < 0:
            raise UsageError(f"--keep = {swap.keep!r}: at least 0")
        if swap.to is not None and not swap.roll_back:
            raise UsageError("--to goes with --roll-back")
        for words in () if swap.roll_back else (inputs, held.gate, held.labelled):
            look(words or [])
        look([], model)
        look_at_muting(muting)
        named_labels = {"data.label": labels.label, "data.positive": labels.positive}
        settings = run.settings(reading.overrides(), named_labels)
        if swap.roll_back:
            _check_alone(inputs, held, swap)
            _roll_back(out, model, swap.to)
            return
        if not inputs or not held.gate:
            raise UsageError("name recent rows (INPUT), and with --gate rows that are known to be normal")
        result = _Refresh(out, model, settings, keep, swap.dry_run)
        swapped = result.run(inputs, held, labels, muting.request(run.config))
        given = Given(reading, run).words
        next_steps(
            out,
            ["refresh", "-m", model.model, "--roll-back"] if swapped else [],
            ["drift", *inputs, "-m", model.model, *given],
        )


def _check_alone(inputs: Sequence[str] | None, held: HeldOptions, swap: SwapOptions) -> None:
    """Raises UsageError where more is asked for than to roll back."""
    if inputs or held.gate or held.labelled or swap.dry_run:
        raise UsageError(
            "--roll-back puts a kept model back and learns nothing: it goes with -m and --to alone"
        )


class _Refresh:
    """A run of the command on one model file."""

    def __init__(self, out: Output, model: options.ModelOptions, settings: Config, keep: int, dry_run: bool):
        self._out, self._model, self._settings = out, model, settings
        self._keep, self._dry_run, self._path = keep, dry_run, _on_disk(model.model)

    def run(
        self,
        words: list[str],
        held: HeldOptions,
        labels: options.LabelOptions,
        mutes: MutingRequest,
    ) -> bool:
        """Do it; whether the models were swapped."""
        from aedetect.engine.summary import Clock, envelope
        from aedetect.io.locate import left_out
        from aedetect.io.lock import Locks
        from aedetect.scoring.feedback_store import read_notes
        from aedetect.scoring.kept_models import kept_models, replace_model
        from aedetect.tasks.refresh.refresh import RefreshRequest, refreshed
        from aedetect.training.planned_rows import PlanRequest
        from aedetect.training.relearn import relearned

        out, path, clock = self._out, self._path, Clock()
        recent, gate, labelled = (self._opened(each or []) for each in (words, held.gate, held.labelled))
        with Locks([str(path)]), TerminalProgress(out) as callback:
            old = self._loaded()
            for text in left_out(words):
                callback.notice(text)
            recent, gate, labelled = (self._as_trained(each, old) for each in (recent, gate, labelled))
            recent = self._apart(recent, [*gate, *labelled], callback)
            adjusted = old.adjusted(self._settings)
            mutes.check_unused([str(path)])
            suppression = mutes.build(adjusted, callback.notice)
            request = RefreshRequest(recent, gate, labelled, labels.label, labels.positive, suppression)
            notes = read_notes(mutes.feedback) if mutes.feedback is not None else ()
            planned = PlanRequest(mutes.calendars, mutes.time_of, time_zone=mutes.time_zone)
            learn = partial(relearned, planned=planned, notes=notes)
            result = refreshed(old, request, learn, callback, lambda fitted: fitted.adjusted(self._settings))
            swapped = result.no_worse and not self._dry_run
            if swapped:
                self._check_unchanged(old)
                replace_model(path, result.new, self._keep)
        kept = kept_models(path)
        body = self._body(result, old, swapped, kept, callback.notices)
        warn_of(out, body["warnings"], callback.notices)
        out.result(envelope("refresh", self._entry(result, old, swapped), body, clock.as_dict()))
        self._tell(result, swapped, kept)
        return swapped

    def _opened(self, words: Sequence[str]) -> list[FileInput]:
        from aedetect.io.atomic import check_writable
        from aedetect.io.files import open_inputs, read_options

        check_writable(self._model.model)
        return open_inputs(words, read_options(self._settings.data)) if words else []

    def _as_trained(self, sources: Sequence[FileInput], old: FittedModel) -> list[FileInput]:
        from aedetect.io.files import as_trained

        return as_trained(old.placed(sources), old.config.data, self._settings.data)

    def _loaded(self) -> FittedModel:
        """The model in use, with the label that this run names."""
        from dataclasses import replace

        from aedetect.cli.command import loaded

        old, asked = loaded(self._model, self._settings), self._settings.data
        named = asked.model_dump(include={"label", "positive"} & asked.model_fields_set)
        data = old.config.data.model_copy(update=named)
        return replace(old, config=old.config.model_copy(update={"data": data}))

    def _apart(
        self, recent: Sequence[FileInput], held: Sequence[FileInput], callback: Callback
    ) -> list[FileInput]:
        from aedetect.tasks.refresh.held_apart import held_apart

        rest, said = held_apart(recent, held)
        for text in said:
            callback.notice(text)
        return rest

    def _check_unchanged(self, old: FittedModel) -> None:
        """Raises OutputError where the model file was replaced while this run learned."""
        import hashlib

        path = self._path
        if hashlib.sha256(path.read_bytes()).hexdigest() != old.sha256:
            raise OutputError(f"{path}: another model was put in its place meanwhile; nothing was swapped")

    def _entry(self, result: Refreshment, old: FittedModel, swapped: bool) -> dict[str, str | None]:
        """The model that is in use now."""
        from aedetect.scoring.kept_models import digest_of_file

        if not swapped:
            return entry_of(self._model.model, old)
        path = self._path
        return {"path": str(path), "sha256": digest_of_file(path), "trained": result.new.training.started}

    def _body(
        self,
        result: Refreshment,
        old: FittedModel,
        swapped: bool,
        kept: Sequence[KeptModel],
        notices: Sequence[str],
    ) -> dict[str, Any]:
        warnings = list(dict.fromkeys([*notices, *result.warnings, *result.new.threshold_policy.warnings]))
        return {
            "swapped": swapped,
            "dry_run": self._dry_run,
            "reason": result.reason,
            "before": {"sha256": old.sha256, "trained": old.training.started},
            **result.as_dict(),
            "kept": [one.as_dict() for one in kept],
            "warnings": warnings,
        }

    def _tell(self, result: Refreshment, swapped: bool, kept: Sequence[KeptModel]) -> None:
        out, path, recent = self._out, plain(str(self._model.model)), result.recent
        training = result.new.training
        out.say(
            f"{counted(recent.rows, 'recent row')}: {counted(recent.flagged_rows, 'row')} flagged by the old "
            f"model and left out"
            + (f", {recent.by_calendar:,} muted by a calendar" if recent.by_calendar else "")
            + f"; {training.rows:,} learned in {training.seconds:.1f} s"
        )
        if not (out.json or out.quiet):
            out.say()
            out.table(_compared(result))
            out.say()
        for check in result.checks:
            out.say(f"{'passed' if check.passed else 'failed'}: {plain(check.text)}")
        if swapped:
            out.say(f"{path}: swapped, as the new model is no worse")
        elif result.no_worse:
            out.say(f"{path}: the new model is no worse; nothing was swapped (--dry-run)")
        else:
            out.say(f"{path}: not swapped, as the new model is worse; the old one stays")
        for line in _kept_lines(kept):
            out.say(line)


def _compared(result: Refreshment) -> Table:
    table = simple_table("", "old model", "new model", right=("old model", "new model"))
    gate, figures = result.gate, result.as_dict()
    shares = [gate.share(flagged) for flagged in (gate.old, gate.new)]
    table.add_row(
        f"flagged of {gate.rows:,} normal rows", *(f"{flagged:,}" for flagged in (gate.old, gate.new))
    )
    table.add_row("false alarms", *(f"{share.value:.2%}" for share in shares))
    table.add_row("95% interval", *(f"{share.low:.2%} to {share.high:.2%}" for share in shares))
    labelled = figures["labelled"]
    for name, words in (("average_precision", "average precision"), ("auroc", "AUROC")):
        if labelled is not None and labelled["old"][name] and labelled["new"][name]:
            table.add_row(words, *(f"{labelled[which][name]['value']:.3f}" for which in ("old", "new")))
    return table


def _kept_lines(kept: Sequence[KeptModel]) -> list[str]:
    return [
        f"kept: {plain(str(one.path))}, SHA-256 {one.sha256[:_DIGITS]}…, "
        + (f"trained {one.trained}" if one.trained else "damaged")
        for one in kept
    ]


def _on_disk(model: str) -> Path:
    """The path of the model. Raises UsageError for an address."""
    from aedetect.io.stores import is_address

    if is_address(model):
        raise UsageError(
            f"{model}: former models are kept beside the one in use, which must be a file on this machine; "
            "copy it there, and back afterwards"
        )
    return Path(model)


def _roll_back(out: Output, model: options.ModelOptions, to: str | None) -> None:
    from aedetect.engine.summary import Clock, envelope
    from aedetect.io.atomic import check_writable
    from aedetect.io.lock import Locks
    from aedetect.scoring.kept_models import kept_models, roll_back
    from aedetect.scoring.model_file import read_model_file

    clock, path = Clock(), _on_disk(model.model)
    check_writable(path)
    with Locks([str(path)]):
        manifest, _, before = read_model_file(path, model.model_sha256)
        back = roll_back(path, to)
    kept = kept_models(path)
    body = {
        "rolled_back": True,
        "before": {"sha256": before, "trained": manifest.training.started},
        "kept": [one.as_dict() for one in kept],
        "warnings": [],
    }
    entry = {"path": str(path), "sha256": back.sha256, "trained": back.trained}
    out.result(envelope("refresh", entry, body, clock.as_dict()))
    out.say(
        f"{plain(str(path))}: rolled back to the model trained {back.trained} (SHA-256 "
        f"{back.sha256[:_DIGITS]}…); the same command undoes this"
    )
    for line in _kept_lines(kept):
        out.say(line)
