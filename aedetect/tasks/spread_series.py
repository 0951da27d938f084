"""Runs over time series whose series are judged by the workers of a cluster."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aedetect.config import Config
from aedetect.engine.cluster import Workers
from aedetect.engine.distributed import Place
from aedetect.engine.places import opened_workers
from aedetect.io.files import FileInput
from aedetect.io.source import Input
from aedetect.scoring.base import PriorRows
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.spread.judging import Mute
from aedetect.scoring.spread.session import SpreadSession
from aedetect.scoring.spread.spread import Spreading, spread_session, why_not_spread
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.recipe import ModelTask


@dataclass(frozen=True)
class SpreadRun:
    """How the series of a run are spread over the workers at `place`.

    `model`: the path of the model, adjusted to `settings`. `mute`: what mutes rows, made in another process;
    None where nothing does. `output`: of the run, in a folder that all workers share unless they are on this
    machine. `keeps_rows`: why all rows are to be held in this process, as a clause; None where none need be.
    """

    place: Place
    model: str
    settings: Config
    mute: Mute | None
    output: str | None
    keeps_rows: str | None = None

    def why_not(self, fitted: FittedModel, inputs: Sequence[Input]) -> str | None:
        """What is said where the series are judged on this machine after all; None where they are spread."""
        reason = self.keeps_rows or why_not_spread(fitted, inputs)
        if reason is None and any(map(_is_here_alone, inputs)):
            reason = "standard input is this machine's alone"
        return None if reason is None else f"--on {self.place.name}: judged on this machine, as {reason}"

    @contextlib.contextmanager
    def session(
        self,
        fitted: FittedModel,
        inputs: Sequence[Input],
        prior: PriorRows,
        suppression: Suppression | None,
        notice: Callable[[str], None],
    ) -> Iterator[tuple[SpreadSession, Workers]]:
        """A session over `inputs`, whose series the workers have judged, and these.

        Raises what `spread_session` does, and UsageError or OutputError where there are no workers.
        """
        recipe = ModelTask.of(self.model, fitted, self.settings, _itself).carried()
        load = partial(_loaded, recipe, os.getcwd())
        with opened_workers(self.place.name, self.place.jobs, notice) as workers:
            spreading = Spreading(workers, load, self.mute, self._folder)
            with spread_session(fitted, inputs, prior, spreading, suppression) as session:
                yield session, workers

    @property
    def _folder(self) -> str | None:
        """A folder that all workers share; None for that of temporary files."""
        if self.place.name == "ray" or self.output is None or "://" in self.output:
            return None
        folder = self.output if os.path.isdir(self.output) else os.path.dirname(os.path.abspath(self.output))
        return os.path.abspath(folder) if os.path.isdir(folder) else None


def _is_here_alone(source: Input) -> bool:
    return not isinstance(source, FileInput) or source.spool is not None


def _itself(fitted: FittedModel) -> Any:
    return fitted


def _loaded(recipe: ModelTask, folder: str, threads: int) -> Any:
    """The model in another process, where paths are meant from `folder`."""
    # A machine that lacks it lacks the inputs as well, which are named one by one.
    with contextlib.suppress(OSError):
        os.chdir(folder)
    return recipe.build(threads)
