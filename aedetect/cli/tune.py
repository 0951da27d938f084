"""`aedetect tune`: search settings that find more than the default ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from aedetect.cli import completion, options
from aedetect.cli.command import look, look_beside, running
from aedetect.cli.groups import group
from aedetect.cli.next_steps import next_steps
from aedetect.cli.options import COLUMNS, TRAINING, option
from aedetect.cli.output import Output
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.tables import simple_table
from aedetect.cli.text import counted, plain
from aedetect.cli.train import (
    ColumnOptions,
    SeriesOptions,
    TrainReadingOptions,
    VerdictOptions,
    check_flags,
    check_learns,
)
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.config import Config
    from aedetect.engine.callbacks import Progress
    from aedetect.engine.output_names import Target
    from aedetect.io.files import FileInput
    from aedetect.tasks.tune.gain import Gain
    from aedetect.tasks.tune.results import Tuning
    from aedetect.tasks.tune.search import Search

_UNFINISHED = ".unfinished"
_FIGURES = ("default", "tuned", "gain", "standard error")


@dataclass(frozen=True)
class Asked:
    """How settings are searched; `max_time` in seconds. `verdicts`: what is known of rows beforehand."""

    unsupervised: bool
    trials: int
    max_time: float | None
    verdicts: VerdictOptions


@group(COLUMNS)
class LabelledColumnOptions(ColumnOptions):
    """What each column is for."""

    label: str | None = option(
        "--label COLUMN",
        "The column that marks anomalies: settings are judged by how well those are found.",
        completion.columns,
    )


@group(TRAINING)
class SearchOptions:
    """How settings are judged, and how long they are searched."""

    unsupervised: bool = option(
        "--unsupervised",
        "Judge settings without labels, by how well anomalies made up of held-out rows are told from these.",
        default=False,
    )
    trials: str = option(
        "--trials N", "How many settings to try, the default ones being the first; default: 20.", default="20"
    )
    max_time: str | None = option("--max-time TIME", "Stop the search after this long, e.g. 10m.")
    architecture: str | None = option(
        "--architecture NAME",
        "Try settings of this architecture alone, by its name as for `aedetect train`.",
        completion.architectures,
    )
    epochs: str | None = option(
        "--epochs N", "Passes over the rows in each training; default: sized to the data."
    )
    contamination: str | None = option(
        "--contamination R|auto",
        "Share of anomalies that may hide in the training data, or auto: some may; default: 0.",
        completion.contamination,
    )
    seed: str | None = option("--seed N", "Same seed, same machine, same search; default: 0.")


def tune(
    inputs: options.Inputs,
    output: Annotated[str, option("--output -o BEST.toml", "The settings file to write.", default=...)],
    column: LabelledColumnOptions,
    search: SearchOptions,
    series: SeriesOptions,
    verdicts: VerdictOptions,
    reading: TrainReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
) -> None:
    """Search settings that find more anomalies than the default ones, and say what they gain.

    Rows are divided into parts. Models learn from all parts but one and are judged on that one, by average
    precision: on one half of it settings are chosen, on the other the gain over the default is measured.
    Where the gain is within noise, it says 'keep the default', and the file holds the default settings. What
    --config or a flag sets is not searched.

    Example: aedetect tune connections.csv --label attack --trials 20 -o best.toml

    Example: aedetect tune normal.csv --unsupervised --max-time 10m -o best.toml

    Example: aedetect train normal.csv -o model.aed --config best.toml
    """
    with running("tune", messages) as out:
        if column.label is not None and search.unsupervised:
            raise UsageError("--label and --unsupervised exclude each other; choose one")
        look(inputs)
        look_beside(verdicts.feedback, verdicts.calendar)
        trials = options.whole(search.trials, "--trials")
        most = None if search.max_time is None else options.duration(search.max_time, "--max-time")
        overrides = _overrides(column, search, series, reading)
        settings = run.settings(overrides)
        check_flags(overrides, settings, bool(verdicts.calendar))
        check_learns(settings)
        from aedetect.engine.output_names import Target

        target = Target.of(output, "best.toml")
        asked = Asked(search.unsupervised, trials, most, verdicts)
        _Tune(out, target, settings).run(inputs, asked, run.config)
        next_steps(out, ["train", *inputs, "-o", "model.aed", "--config", target.path])


def _overrides(
    column: ColumnOptions, search: SearchOptions, series: SeriesOptions, reading: TrainReadingOptions
) -> dict[str, Any]:
    return {
        **column.overrides(),
        **series.overrides(),
        **reading.overrides(),
        "model.architecture": search.architecture,
        "training.epochs": search.epochs,
        "training.contamination": search.contamination,
        "training.seed": search.seed,
        "threshold.alarms_per_day": None,
    }


class _Tune:
    """A run of the command that writes one file."""

    def __init__(self, out: Output, target: Target, settings: Config):
        self._out, self._target, self._settings = out, target, settings

    def run(self, words: list[str], asked: Asked, config: Path | None) -> None:
        """Search, write the file, and say what was gained."""
        from aedetect.engine.summary import Clock, envelope
        from aedetect.io.locate import left_out
        from aedetect.io.lock import Locks
        from aedetect.tasks.tune.search import Search, TuneRequest, check_request
        from aedetect.training.fit import learner
        from aedetect.training.known_rows import known_rows

        clock, out, path = Clock(), self._out, self._target.path
        check_request(self._settings, asked.unsupervised, asked.trials)
        sources = self._sources(words, config)
        planned, notes = asked.verdicts.planned(), asked.verdicts.notes()
        self._target.make_folder()
        with Locks([str(path)]), _Progress(out) as callback:
            for text in left_out(words):
                callback.notice(text)
            known = partial(known_rows, planned=planned, notes=notes)
            how = (asked.unsupervised, asked.trials, asked.max_time, known)
            search = Search(TuneRequest(sources, self._settings, *how), learner(planned, notes), callback)
            out.on_stop = lambda: self._unfinished(search)
            tuning = search.run()
            out.on_stop = str
            tuning.save(path)
        body = {"output": str(path), **tuning.as_dict(), "warnings": callback.notices}
        summary = envelope("tune", {}, body, clock.as_dict())
        # There is none yet.
        del summary["model"]
        out.result(summary)
        self._tell(tuning)

    def _sources(self, words: list[str], config: Path | None) -> list[FileInput]:
        """The inputs, once it is clear that the file can be written."""
        from aedetect.engine.output_names import SETTINGS, check_suffix
        from aedetect.io.atomic import same_file
        from aedetect.io.files import open_inputs, read_options
        from aedetect.io.locate import STDIN

        path, data, series = self._target.path, self._settings.data, self._settings.series
        if str(path) == STDIN:
            raise UsageError("-o -: settings go to a file, not to stdout; name one, e.g. -o best.toml")
        self._target.check()
        named = {*data.columns, *data.id, *data.roles, *series.time_columns, *series.entity, data.label or ""}
        sources = [source.with_columns(named) for source in open_inputs(words, read_options(data))]
        read = [source.location.place for source in sources if source.location.path != STDIN]
        for other, what in [*((one, "an input") for one in read), (config, "the file of --config")]:
            if other is not None and same_file(path, other):
                raise UsageError(f"{path}: the settings would overwrite {what}; choose another name")
        check_suffix(path, SETTINGS)
        return sources

    def _unfinished(self, search: Search) -> str:
        """What is left of a search that was stopped."""
        from aedetect.tasks.tune.results import write_settings

        text = search.unfinished()
        if text is None:
            return ", and no trial was judged yet"
        path = Path(self._target.path + _UNFINISHED)
        write_settings(path, text)
        count = len(search.trials)
        trials = "the only trial" if count == 1 else f"the best of {count} trials"
        return f"; {path} holds {trials}, which was not held against the default on other rows"

    def _tell(self, tuning: Tuning) -> None:
        out, path = self._out, plain(str(self._target.path))
        count = len(tuning.trials)
        stopped = " (--max-time)" if tuning.stopped else ""
        out.say(
            f"{counted(count, 'trial')} in {tuning.seconds:.1f} s{stopped}, on {tuning.tuned_on.in_words}"
        )
        if tuning.best.settings and not (out.json or out.quiet):
            out.say()
            out.table(_settings_table(tuning, self._settings))
        if tuning.gain is not None and not (out.json or out.quiet):
            out.say()
            out.table(_gain_table(tuning.gain))
        out.say()
        out.say(tuning.verdict)
        which = "default settings" if tuning.keep_default else f"settings of trial {tuning.best.number}"
        out.say(f"{path}: holds the {which}, for train --config {path}")


def _settings_table(tuning: Tuning, settings: Config) -> Table:
    """The settings of the best trial beside the default ones."""
    from aedetect.tasks.tune.results import shown
    from aedetect.tasks.tune.space import value_of

    best = f"trial {tuning.best.number}"
    table = simple_table("setting", "default", best, right=("default", best))
    for name, value in tuning.best.settings.items():
        table.add_row(name, shown(value_of(settings, name)), shown(value))
    return table


def _gain_table(gain: Gain) -> Table:
    """Both on the rows that chose nothing."""
    table = simple_table("", "default", "tuned", "gain", "standard error", right=_FIGURES)
    default, tuned = gain.means
    table.add_row(
        "average precision",
        f"{default:.3f}",
        f"{tuned:.3f}",
        f"{gain.value:+.3f}",
        f"{gain.standard_error:.3f}",
    )
    return table


class _Progress(TerminalProgress):
    """A line for each trial on a terminal, and below them how far the present one is."""

    def training(self, member: int, members: int, progress: Progress) -> None:
        self._update(total=members * progress.steps, completed=member * progress.steps + progress.step)

    def remark(self, text: str) -> None:
        if self._bar:
            self._bar.stop()
            self._output.note(text)
            self._bar.start()
        elif self._output.verbose:
            self._output.note(text)
