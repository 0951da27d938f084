"""What a Detector does beside detecting: the autoencoder's other jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aedetect.io.inputs import Data, as_inputs

if TYPE_CHECKING:
    import pandas as pd

    from aedetect.detector import Detector
    from aedetect.engine.stream import Job


class OtherJobs:
    """Methods of `Detector`, in a file of their own."""

    @property
    def _this(self) -> Detector:
        return cast("Detector", self)

    def encode(self, data: Data) -> pd.DataFrame:
        """The id columns of `data` and each row's code, z0, z1, …; NaN where a row cannot be read.

        Raises DataError or ModelError where the data cannot be read or lack columns.
        """
        from aedetect.tasks.encode import Encode

        return self._converted(Encode(self._this), data)

    def decode(self, codes: Data) -> pd.DataFrame:
        """Rows in the model's columns, rebuilt from what `encode` gave; other columns are kept.

        Raises DataError or ModelError where `codes` are none of this model's.
        """
        from aedetect.tasks.encode import Decode

        return self._converted(Decode(self._this), codes)

    def clean(self, data: Data, *, noise: float = 0.5, only_anomalous_cells: bool = False) -> pd.DataFrame:
        """`data` without noise of this size (in standard deviations) on its numbers.

        Values that no row can have are put right too. With `only_anomalous_cells`, the cells to
        blame for a flagged row are replaced, and nothing else. Raises as `score` does.
        """
        from aedetect.tasks.repairing import Clean, CleanOptions

        threshold = self._this.threshold if only_anomalous_cells else None
        return self._converted(Clean(self._this, CleanOptions(noise, threshold)), data)

    def impute(
        self, data: Data, *, mark: bool = False, draws: int | None = None, seed: int = 0
    ) -> pd.DataFrame:
        """`data` with missing cells filled with what is expected there, observed cells as they are.

        `mark` adds the column `imputed`, which names each row's filled cells. `draws` gives so many
        plausible fills of each row instead, numbered in the column `draw`. Raises as `score` does.
        """
        from aedetect.tasks.repairing import Impute

        return self._converted(Impute(self._this, mark, draws, seed), data)

    def sample(self, count: int, *, seed: int = 0, where: dict[str, str] | None = None) -> pd.DataFrame:
        """`count` new rows like those learned from, with the categories that `where` asks for.

        Raises UsageError for categories that the model does not know.
        """
        import pyarrow as pa

        from aedetect.tasks.sample import sample_batches, sample_schema

        batches = list(sample_batches(self._this, count, seed, where))
        return pa.Table.from_batches(batches, sample_schema(self._this)).to_pandas()  # type: ignore[no-any-return]

    def _converted(self, job: Job, data: Data) -> pd.DataFrame:
        from aedetect.engine.stream import convert_to_table

        table = convert_to_table(job, as_inputs(data, self._this.config.data))
        return table.to_pandas()  # type: ignore[no-any-return]
