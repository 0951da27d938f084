"""Gross training cells are named by input, column and row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aedetect.io.source import TableInput
from aedetect.training.gross_notice import RowOrigins, gross_notices
from aedetect.training.passes import Chunk

OWNERS = ["temp", "load", "load"]


def _origins(*parts: tuple[str, list[int]]) -> RowOrigins:
    origins = RowOrigins()
    for name, numbers in parts:
        table = pa.table({"x": numbers})
        source = TableInput(table, name)
        origins.add(Chunk(source, table.to_batches()[0], np.array(numbers), len(numbers)))
    return origins


def _notices(origins: RowOrigins, rows: int, *cells: tuple[int, int]) -> list[str]:
    gross = np.zeros((rows, 3), dtype=np.bool_)
    for row, channel in cells:
        gross[row, channel] = True
    return list(gross_notices(gross, OWNERS, origins))


def test_nothing_is_said_of_nothing() -> None:
    assert _notices(_origins(("a.csv", [1, 2])), 2) == []


def test_one_cell() -> None:
    assert _notices(_origins(("a.csv", [1, 2])), 2, (1, 0)) == [
        "a.csv: 1 cell is far outside the rest of its column and was set aside: temp row 2"
    ]


def test_columns_of_one_input_batch_by_batch() -> None:
    origins = _origins(("a.csv", list(range(1, 3001))), ("a.csv", list(range(3001, 5001))))
    assert _notices(origins, 5000, (119, 0), (4310, 0), (4310, 1), (4310, 2)) == [
        "a.csv: 3 cells are far outside the rest of their column and were set aside: "
        "temp rows 120, 4,311; load row 4,311"
    ]


def test_rows_left_out_count_in_the_numbers() -> None:
    assert _notices(_origins(("a.csv", [1, 4, 5, 9])), 4, (3, 0))[0].endswith("temp row 9")


def test_each_input_has_its_own() -> None:
    notices = _notices(_origins(("a.csv", [1, 2]), ("b.csv", [1, 2, 3])), 5, (0, 0), (4, 1))
    assert [text.split(":")[0] for text in notices] == ["a.csv", "b.csv"]
    assert notices[1].endswith("load row 3")


def test_at_most_ten_rows_a_column() -> None:
    notices = _notices(_origins(("a.csv", list(range(1, 41)))), 40, *((row, 0) for row in range(14)))
    assert notices[0].endswith("temp rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4 more")
