"""The search itself: the default first, then what the values that did well so far suggest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.errors import AedetectError, DataError, UsageError
from aedetect.io.source import Input
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.tune.bench import Bench, Known, Learn, OutOfTime, nothing_known, reseeded
from aedetect.tasks.tune.gain import Gain, mean
from aedetect.tasks.tune.results import Stopped, Trial, Tuning, unfinished_text
from aedetect.tasks.tune.space import Settings, Space, with_settings

if TYPE_CHECKING:
    import optuna

USUAL_TRIALS, LEAST_TRIALS = 20, 2
# Settings are drawn at random until so many were tried; then by what did well.
_RANDOM_TRIALS = 6
# From the second part on, a trial that does worse than the median of so many others is given up.
_WARMUP_PARTS, _WARMUP_TRIALS = 1, 4
# The comparison at the end trains the default and the best anew; so much longer it may take than the default.
_COMPARISON = 2.2


@dataclass(frozen=True)
class TuneRequest:
    """What settings are searched for.

    `config`: what is set in it is not searched. `unsupervised`: by made-up anomalies, not by labels.
    `trials`: how many, the default being one. `max_time`: of all together, in seconds. `known`: of which rows
    something is known beforehand, so that they do not judge.
    """

    inputs: Sequence[Input]
    config: Config
    unsupervised: bool = False
    trials: int = USUAL_TRIALS
    max_time: float | None = None
    known: Known = nothing_known


def check_request(config: Config, unsupervised: bool, trials: int) -> None:
    """Raises UsageError for what cannot be searched, before anything is read."""
    if trials < LEAST_TRIALS:
        raise UsageError(f"--trials = {trials}: at least {LEAST_TRIALS}, as the first one is the default")
    if config.data.label is None and not unsupervised:
        raise UsageError(
            "by what are settings to be judged? Give --label COLUMN, which marks anomalies, or --unsupervised"
        )
    if find_spec("optuna") is None:
        raise UsageError("tune needs optuna; install it with: pip install 'aedetect[tune]'")


@dataclass
class Search:
    """A search under way. `trials`: those made so far."""

    request: TuneRequest
    learn: Learn
    callback: Callback = field(default_factory=Callback)
    trials: list[Trial] = field(default_factory=list)
    _bench: Bench | None = None
    _stopped: Stopped | None = None

    def run(self) -> Tuning:
        """Search until all trials are made, or the time is over.

        Settings are suggested by tree-structured Parzen estimators (Bergstra et al., 2011), seeded by those
        of the request. Raises UsageError for columns that are not there; DataError for rows that cannot be
        divided, or that the default settings cannot learn from. A later trial that fails is told of.
        """
        request, began = self.request, time.monotonic()
        check_request(request.config, request.unsupervised, request.trials)
        until = None if request.max_time is None else began + request.max_time
        bench = Bench.of(
            *(request.inputs, request.config, request.unsupervised, self.learn, self.callback, request.known)
        )
        self._bench = bench
        fitted = self._default(bench, until)
        searched: dict[str, str] = {}
        if fitted is not None:
            space = Space.around(request.config, fitted)
            searched = {one.name: one.in_words for one in space.dimensions}
            if not space.dimensions:
                raise UsageError("all settings that could be searched are set: nothing is left to tune")
            self._search(bench, space, until)
        best = self.best
        gain = self._gain(bench, best, until) if best.settings else None
        config = request.config
        if gain is not None and gain.is_real:
            config = with_settings(config, best.settings)
        seconds = time.monotonic() - began
        return Tuning(
            config, bench.tuned_on, tuple(self.trials), best, gain, searched, seconds, self._stopped
        )

    @property
    def best(self) -> Trial:
        """The trial with the highest figure so far, the earliest of equals."""
        judged = [trial for trial in self.trials if trial.status == "judged"]
        return max(judged, key=lambda trial: (trial.value, -trial.number))

    def unfinished(self) -> str | None:
        """The file of settings of a search that is stopped here; None before a trial was judged."""
        if self._bench is None or not any(trial.status == "judged" for trial in self.trials):
            return None
        best = self.best
        config = with_settings(self.request.config, best.settings)
        return unfinished_text(config, best, len(self.trials), self._bench.tuned_on)

    def _default(self, bench: Bench, until: float | None) -> FittedModel | None:
        """Try the default settings; a model that learned with them, None where no time was left."""
        began, figures, fitted = time.monotonic(), [], None
        try:
            for part in range(bench.parts):
                self.callback.stage(self._stage(1, part, bench.parts))
                one, fitted = bench.figures(self.request.config, part, until)
                figures.append(one.choosing)
        except OutOfTime:
            self._stopped, fitted = "max-time", None
        self._add(Trial(1, {}, figures, "judged", time.monotonic() - began))
        if fitted is not None and np.isnan(mean(figures)):
            raise DataError(f"{bench.tuned_on.inputs[0]}: no part has anomalies and normal rows with a score")
        return fitted

    def _search(self, bench: Bench, space: Space, until: float | None) -> None:
        study = _study(self.request.config.training.seed)
        default = self.trials[0]
        _enter(study, space, default)
        tried = {_key({}): default}
        last = None if until is None else until - _COMPARISON * default.seconds
        while len(self.trials) < self.request.trials:
            if last is not None and time.monotonic() + default.seconds > last:
                self._stopped = "max-time"
                return
            asked = study.ask()
            settings = space.suggest(asked)
            earlier = tried.get(_key(settings))
            if earlier is not None:
                trial = Trial(len(self.trials) + 1, settings, earlier.figures, "repeated", 0.0)
            else:
                try:
                    trial = self._tried(bench, asked, settings, last)
                except OutOfTime:
                    self._stopped = "max-time"
                    return
                tried[_key(settings)] = trial
            _tell(study, asked, trial, earlier or trial)
            self._add(trial)

    def _tried(self, bench: Bench, asked: optuna.Trial, settings: Settings, until: float | None) -> Trial:
        """Judge settings part by part, until the others do better. Raises OutOfTime."""
        number, began = len(self.trials) + 1, time.monotonic()
        config, figures = with_settings(self.request.config, settings), []
        status, error = "judged", None
        for part in range(bench.parts):
            self.callback.stage(self._stage(number, part, bench.parts))
            try:
                one, _ = bench.figures(config, part, until)
            except AedetectError as failure:
                status, error = "failed", str(failure)
                break
            figures.append(one.choosing)
            if np.isnan(mean(figures)):
                continue
            asked.report(mean(figures), part)
            if part < bench.parts - 1 and asked.should_prune():
                status = "given up"
                break
        seconds = time.monotonic() - began
        return Trial(number, settings, figures, status, seconds, error)  # type: ignore[arg-type]

    def _gain(self, bench: Bench, best: Trial, until: float | None) -> Gain | None:
        """Both settings on the halves that chose nothing, trained anew; None where no time was left."""
        default, tuned = reseeded(self.request.config), None
        tuned = with_settings(default, best.settings)
        figures: list[tuple[float, float]] = []
        try:
            for part in range(bench.parts):
                self.callback.stage(f"comparing with the default, part {part + 1} of {bench.parts}")
                pair = [bench.figures(config, part, until)[0].reporting for config in (default, tuned)]
                figures.append((pair[0], pair[1]))
        except OutOfTime:
            self._stopped = "max-time"
            return None
        return Gain([one for one, _ in figures], [other for _, other in figures])

    def _add(self, trial: Trial) -> None:
        self.trials.append(trial)
        self.callback.remark(_line(trial))
        if trial.error is not None:
            self.callback.notice(f"trial {trial.number} ({trial.in_words}) failed: {trial.error}")

    def _stage(self, number: int, part: int, parts: int) -> str:
        return f"trial {number} of {self.request.trials}, part {part + 1} of {parts}"


def _key(settings: Settings) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(settings.items()))


def _line(trial: Trial) -> str:
    """'trial 3: 0.912, model.width = 64'."""
    figure = "" if np.isnan(trial.value) else f" {trial.value:.3f}"
    status = "" if trial.status == "judged" else f" ({trial.status})"
    return f"trial {trial.number}:{figure}{status}, {trial.in_words}"


def _study(seed: int) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(n_startup_trials=_RANDOM_TRIALS, seed=seed % 2**32)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_WARMUP_TRIALS, n_warmup_steps=_WARMUP_PARTS)
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def _enter(study: optuna.Study, space: Space, default: Trial) -> None:
    """The default as the first trial of a study."""
    from optuna.trial import create_trial

    values, distributions = space.default_parameters()
    steps = {part: mean(default.figures[: part + 1]) for part in range(len(default.figures))}
    known = {part: value for part, value in steps.items() if not np.isnan(value)}
    study.add_trial(
        create_trial(
            params=values, distributions=distributions, value=default.value, intermediate_values=known
        )
    )


def _tell(study: optuna.Study, asked: optuna.Trial, trial: Trial, judged: Trial) -> None:
    """Tell a study what a trial came to; `judged`: the earlier trial of the same settings, or itself."""
    from optuna.trial import TrialState

    if judged.status == "failed" or np.isnan(trial.value):
        study.tell(asked, state=TrialState.FAIL)
    elif judged.status == "given up":
        study.tell(asked, state=TrialState.PRUNED)
    else:
        study.tell(asked, trial.value)
