from __future__ import annotations

import pyarrow as pa
import pytest

from aedetect.config import DataConfig
from aedetect.data.cells import CellRules
from aedetect.data.missing_marks import marks_in_words, missing_marks
from aedetect.data.profile import ColumnProfile

NUMBERS = [str(number) for number in range(20)]


def profile(*cells: str) -> ColumnProfile:
    column = ColumnProfile(pa.field("x", pa.string()), True, False, CellRules())
    column.update(pa.array(cells), lambda index: f"row {index + 1}")
    return column


@pytest.mark.parametrize(
    ("cells", "marks"),
    [
        ([*NUMBERS, "-", "?", "?"], {"-": 1, "?": 2}),
        ([*NUMBERS, " ? "], {"?": 1}),
        ([*NUMBERS, "?", "x"], None),
        (NUMBERS, None),
        (["a", "b", "?"] * 9, None),
        (["1", "?", "?"] * 9, None),
        ([*(f"0{number}" for number in NUMBERS), "?"], None),
    ],
)
def test_marks(cells: list[str], marks: dict[str, int] | None) -> None:
    assert missing_marks({"x": profile(*cells)}, DataConfig()).get("x") == marks


@pytest.mark.parametrize("setting", [{"id": ["x"]}, {"roles": {"x": "categorical"}}, {"label": "x"}])
def test_columns_settled_by_hand_are_left(setting: dict[str, object]) -> None:
    config = DataConfig.model_validate(setting)
    assert missing_marks({"x": profile(*NUMBERS, "?")}, config) == {}


def test_words() -> None:
    assert marks_in_words("my x", {"?": 2}) == (
        "column 'my x': '?' (2 cells) is read as missing, here and in the other columns; "
        "give --role 'my x=categorical' if it means something"
    )
