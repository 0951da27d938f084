"""What the tasks that turn rows into other rows have in common: encode, decode, clean, impute."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import pyarrow as pa

from aedetect.engine.task import CountNames
from aedetect.io.source import Input, batch_rows
from aedetect.models.threads import single_threaded
from aedetect.scoring.fitted import FittedModel

# `unusable`: rows in which cells could not be read. `cells`: those that were changed.
ROWS_COUNTS = CountNames(
    run={"rows": "rows", "unusable": "unusable", "changed_cells": "cells"},
    file=("rows", "unusable", "cells"),
)


class RowsTask:
    """A task whose inputs do not depend on one another, under one fitted model."""

    counts = ROWS_COUNTS
    independent = True
    divisible = True

    def __init__(self, fitted: FittedModel):
        self.fitted = fitted
        self.batch_rows = batch_rows(fitted.config, len(fitted.encoder.owners))

    @property
    def side_fields(self) -> Sequence[pa.Field]:
        return ()

    def completed(self, source: Input) -> Input:
        return self.fitted.schema.completed(source)

    def threads(self) -> AbstractContextManager[int]:
        return single_threaded(self.fitted.device)
