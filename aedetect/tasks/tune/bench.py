"""Where settings are held against rows: models are learned from all parts but one, and judged on that one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aedetect.config import Config
from aedetect.data.arrays import Mask
from aedetect.engine.callbacks import Callback, Progress
from aedetect.io.source import Input, has_rows, no_rows
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.tune.division import Division, divided
from aedetect.tasks.tune.judge import FaultsJudge, Figures, Judge, LabelJudge, MadeUpRowsJudge
from aedetect.tasks.tune.results import TunedOn
from aedetect.tasks.tune.rows import read_rows, settled

# Learns a model from rows, with settings; who is told of the progress.
Learn = Callable[[Sequence[Input], Config, Callback], FittedModel]
# Which rows of the inputs have no part in anything, and which judge nothing [rows]; None where all may.
Known = Callable[[Sequence[Input], Config], tuple[Mask, Mask] | None]


def nothing_known(inputs: Sequence[Input], config: Config) -> None:
    """Every row may be judged."""


class OutOfTime(Exception):
    """What was being learned or judged when the time was over does not count."""


@dataclass(frozen=True)
class Bench:
    """Rows in parts, and what learns from them and judges them."""

    division: Division
    judge: Judge
    learn: Learn
    callback: Callback
    tuned_on: TunedOn

    @classmethod
    def of(
        cls,
        inputs: Sequence[Input],
        config: Config,
        unsupervised: bool,
        learn: Learn,
        callback: Callback,
        known: Known = nothing_known,
    ) -> Bench:
        """Divide the rows of the inputs.

        Raises UsageError for columns that are not there, DataError for rows that cannot be divided.
        """
        callback.stage("reading")
        if not any(map(has_rows, inputs)):
            raise no_rows(inputs[0])
        named, seed = settled(config, inputs), config.training.seed
        rows = read_rows(inputs, named, not unsupervised)
        beforehand = known(inputs, named)
        if beforehand is not None:
            callback.notice(_beforehand(*beforehand))
        division = divided(inputs, rows, named, unsupervised, beforehand)
        judge: Judge = LabelJudge(division)
        if unsupervised:
            made_up = MadeUpRowsJudge if rows.seconds is None else FaultsJudge
            judge = made_up(division, seed)
        tuned_on = TunedOn(
            "made-up" if unsupervised else "labels",
            [source.name for source in inputs],
            division.judged,
            0 if unsupervised else division.anomalies,
            division.parts,
            seed,
            None if unsupervised else division.events,
            division.drawn,
        )
        return cls(division, judge, learn, callback, tuned_on)

    @property
    def parts(self) -> int:
        return self.division.parts

    def figures(self, config: Config, part: int, until: float | None) -> tuple[Figures, FittedModel]:
        """What a model with these settings comes to on a part that it did not learn from.

        `until`: on time.monotonic's clock. Raises OutOfTime where it is later when all is done, and
        DataError, ModelError or UsageError where the settings do not go with the rows.
        """
        fitted = self.learn(self.division.learned(part), _within(config, until), _Quiet(self.callback))
        _check_time(until)
        figures = self.judge.judge(fitted, part)
        _check_time(until)
        return figures, fitted


def _beforehand(left_out: Mask, normal: Mask) -> str:
    """What becomes of rows of which something is known beforehand [rows], for people."""
    odd, usual = int(left_out.sum()), int(normal.sum())
    said = []
    if odd:
        said.append(f"{odd:,} row{'s' * (odd != 1)} planned or called anomalies: left out")
    if usual:
        said.append(f"{usual:,} row{'s' * (usual != 1)} called normal: learned from, not judged")
    return "; ".join(said) or "no row is planned, or was given a verdict: nothing is left out"


def _within(config: Config, until: float | None) -> Config:
    """The settings with the time that is left for training, or less where they say so."""
    if until is None:
        return config
    left = until - time.monotonic()
    if left <= 0:
        raise OutOfTime
    most = min(left, config.training.max_time or left)
    return config.model_copy(update={"training": config.training.model_copy(update={"max_time": most})})


def _check_time(until: float | None) -> None:
    if until is not None and time.monotonic() > until:
        raise OutOfTime


class _Quiet(Callback):
    """Passes on how far training is. What is said of the columns would be said each time; `train` says it."""

    def __init__(self, other: Callback):
        self._other = other

    def training(self, member: int, members: int, progress: Progress) -> None:
        self._other.training(member, members, progress)


def reseeded(config: Config) -> Config:
    """The settings with another seed, so that no luck of a training counts twice."""
    seed = (config.training.seed + 1) % 2**63
    return config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})
