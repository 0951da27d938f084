from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from aedetect.config import Config, DataConfig
from aedetect.data.cells import CellRules
from aedetect.data.missing_marks import marks_in_words, missing_marks
from aedetect.data.profile import ColumnProfile
from aedetect.io.inputs import as_inputs
from aedetect.training.profiling import profile_inputs

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
        ([*NUMBERS, "\u2013", "\u2014"], {"\u2013": 1, "\u2014": 1}),
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


def test_a_dash_among_amounts_of_money_is_missing() -> None:
    frame = pd.DataFrame({"x": ["-", "$1,200.50", "$3.20", "($7.00)"] * 30, "n": range(120)})
    found = profile_inputs(as_inputs([frame], Config().data), Config())
    assert found.notices[0].startswith("column 'x': '-' (30 cells) is read as missing")
    assert "'$1,200.50' is read as 1200.5" in next(
        column.reason for column in found.schema.columns if column.name == "x"
    )
