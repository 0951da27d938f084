"""Columns of many rows are the same in memory and in a file."""

from __future__ import annotations

import errno
import tempfile
from typing import Any

import numpy as np
import pytest

from aedetect.errors import OutputError
from aedetect.scoring import row_columns
from aedetect.scoring.row_columns import row_column


@pytest.mark.parametrize("fill", [np.nan, False, 0])
@pytest.mark.parametrize("rows", [0, 1, 7, 20])
def test_a_column_in_a_file_is_like_one_in_memory(
    fill: float | bool, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_columns, "_WRITTEN_AT_ONCE", 7)
    held, mapped = (row_column(rows, fill, in_file) for in_file in (False, True))
    assert (held.dtype, held.shape) == (mapped.dtype, mapped.shape)
    np.testing.assert_array_equal(held, mapped)
    for column in (held, mapped):
        column[rows // 2 :] = 1
    np.testing.assert_array_equal(held, mapped)


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(OutputError, match="no space left on the device"):
        row_column(3, False, True)
