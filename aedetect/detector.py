"""The Detector: what Python callers use. Everything it does is done by the rooms below it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.engine.stream import run_to_table
from aedetect.engine.task import Task
from aedetect.errors import UsageError
from aedetect.io.inputs import Data, as_inputs
from aedetect.scoring.fitted import FittedModel
from aedetect.training.calibrate import calibrated
from aedetect.training.fit import fit
from aedetect.training.request import FitRequest

if TYPE_CHECKING:
    import pandas as pd


class Detector:
    """Learns what normal rows look like; scores and flags new ones.

    >>> detector = Detector().fit("normal.csv")        # doctest: +SKIP
    >>> detector.score("new.csv")                       # doctest: +SKIP

    `config` is a Config, the path of a TOML file, or a mapping of dotted setting names such as
    ``{"threshold.alert_rate": 0.05}``.
    """

    def __init__(self, config: Config | str | os.PathLike[str] | dict[str, Any] | None = None):
        if isinstance(config, Config):
            self.config = config
        elif isinstance(config, dict):
            self.config = Config.build(overrides=config)
        else:
            self.config = Config.build(config)
        self._fitted: FittedModel | None = None

    @classmethod
    def of(cls, fitted: FittedModel) -> Detector:
        """A detector over a fitted model."""
        detector = cls(fitted.config)
        detector._fitted = fitted
        return detector

    @property
    def fitted(self) -> FittedModel:
        """What was learned. Raises UsageError before `fit`."""
        if self._fitted is None:
            raise UsageError("this Detector is not fitted yet; call fit, or load a model file")
        return self._fitted

    def fit(
        self,
        data: Data,
        *,
        callback: Callback | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        start: Detector | None = None,
    ) -> Self:
        """Learn from `data`: a DataFrame, an Arrow table, or one or more paths.

        `checkpoint` names a file to save progress in; with `resume` training goes on from it. With
        `start` it goes on from the weights of an older detector, whose columns and scaling are kept.
        Raises DataError where the data cannot be learned from, UsageError for settings at odds
        with them.
        """
        path = Path(checkpoint) if checkpoint is not None else None
        older = start.fitted if start is not None else None
        inputs = as_inputs(data, self.config.data)
        self._fitted = fit(FitRequest(inputs, self.config, callback or Callback(), path, resume, older))
        self.config = self._fitted.config
        return self

    def calibrated(self, data: Data | None = None, *, callback: Callback | None = None) -> Detector:
        """This detector with the threshold and p-values that the normal rows `data` give.

        Scores stay as they are. Without `data` only the threshold follows the settings, as after
        `adjusted`. Raises DataError or ModelError where the data cannot be used.
        """
        inputs = as_inputs(data, self.config.data) if data is not None else None
        return Detector.of(calibrated(self.fitted, inputs, callback or Callback()))

    @property
    def threshold(self) -> float:
        """Scores above this are flagged, unless another one is asked for."""
        return self.fitted.threshold

    def adjusted(self, settings: Config) -> Detector:
        """This detector with those scoring, threshold, event and label settings that `settings` sets."""
        return Detector.of(self.fitted.adjusted(settings))

    def score(
        self,
        data: Data,
        *,
        threshold: float | None = None,
        alert_rate: float | None = None,
        prefix: str = "",
        history: Data | None = None,
    ) -> pd.DataFrame:
        """The rows of `data` with the columns that `aedetect score` adds, as one DataFrame.

        Of time series, `history` holds rows that went before, which are not scored again.
        Raises DataError or ModelError where the data cannot be read or lack columns.
        """
        from aedetect.scoring.base import PriorRows
        from aedetect.tasks.score import ScoreTask, Shape

        before = as_inputs(history, self.config.data) if history is not None else ()
        inputs = as_inputs(data, self.config.data)
        fitted = self.fitted.with_threshold(threshold, alert_rate)
        task = ScoreTask(fitted, inputs, Shape(prefix=prefix), PriorRows(before))
        table, _ = run_to_table(task, inputs)
        return table.to_pandas()  # type: ignore[no-any-return]

    def encode(self, data: Data) -> pd.DataFrame:
        """The id columns of `data` and each row's code, z0, z1, …; NaN where a row cannot be read.

        Raises DataError or ModelError where the data cannot be read or lack columns.
        """
        from aedetect.tasks.encode import Encode

        return self._converted(Encode(self.fitted), data)

    def decode(self, codes: Data) -> pd.DataFrame:
        """Rows in the model's columns, rebuilt from what `encode` gave; other columns are kept.

        Raises DataError or ModelError where `codes` are none of this model's.
        """
        from aedetect.tasks.encode import Decode

        return self._converted(Decode(self.fitted), codes)

    def clean(self, data: Data, *, noise: float = 0.5, only_anomalous_cells: bool = False) -> pd.DataFrame:
        """`data` without noise of this size (in standard deviations) on its numbers.

        Values that no row can have are put right too. With `only_anomalous_cells`, the cells to
        blame for a flagged row are replaced, and nothing else. Raises as `score` does.
        """
        from aedetect.tasks.clean import Clean, CleanOptions

        return self._converted(Clean(self.fitted, CleanOptions(noise, only_anomalous_cells)), data)

    def impute(
        self, data: Data, *, mark: bool = False, draws: int | None = None, seed: int = 0
    ) -> pd.DataFrame:
        """`data` with missing cells filled with what is expected there, observed cells as they are.

        `mark` adds the column `imputed`, which names each row's filled cells. `draws` gives so many
        plausible fills of each row instead, numbered in the column `draw`. Raises as `score` does.
        """
        from aedetect.tasks.impute import Impute

        return self._converted(Impute(self.fitted, mark, draws, seed), data)

    def sample(self, count: int, *, seed: int = 0, where: dict[str, str] | None = None) -> pd.DataFrame:
        """`count` new rows like those learned from, with the categories that `where` asks for.

        Raises UsageError for categories that the model does not know.
        """
        import pyarrow as pa

        from aedetect.tasks.sample import sample_batches, sample_schema

        batches = list(sample_batches(self.fitted, count, seed, where))
        return pa.Table.from_batches(batches, sample_schema(self.fitted)).to_pandas()  # type: ignore[no-any-return]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. Raises OutputError where that fails."""
        self.fitted.save(path)

    def _converted(self, task: Task, data: Data) -> pd.DataFrame:
        table, _ = run_to_table(task, as_inputs(data, self.config.data))
        return table.to_pandas()  # type: ignore[no-any-return]


def load(path: str | os.PathLike[str], *, device: str = "auto", sha256: str | None = None) -> Detector:
    """The Detector in the model file at `path`; runs no code from it.

    Raises ModelError for a file that is missing, damaged, too new, no model file, or one whose
    digest is not `sha256`.
    """
    return Detector.of(FittedModel.load(path, device=device, sha256=sha256))
