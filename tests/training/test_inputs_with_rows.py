from __future__ import annotations

import pyarrow as pa
import pytest

from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError
from aedetect.io.source import TableInput
from aedetect.training.inputs_with_rows import with_rows

TABLE = pa.table({"a": [1, 2]})


class Notices(Callback):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


def inputs(*rows: int) -> list[TableInput]:
    return [TableInput(TABLE[:count], f"f{place}") for place, count in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        ((2, 1), []),
        ((0, 2), ["f0 holds no rows and is left out"]),
        ((2, 0, 0, 0, 0), ["4 files (f1, f2, f3 and 1 more) hold no rows and are left out"]),
    ],
)
def test_inputs_of_no_rows_are_left_out_and_said(rows: tuple[int, ...], texts: list[str]) -> None:
    notices = Notices()
    found = with_rows(inputs(*rows), notices)
    assert [source.name for source in found] == [f"f{place}" for place, count in enumerate(rows) if count]
    assert notices.texts == texts


@pytest.mark.parametrize(
    ("rows", "text"),
    [((0,), "f0: holds no rows"), ((0, 0), "2 files (f0, f1) hold no rows, and there are no others")],
)
def test_where_none_has_rows(rows: tuple[int, ...], text: str) -> None:
    with pytest.raises(DataError) as caught:
        with_rows(inputs(*rows), Callback())
    assert str(caught.value) == text
