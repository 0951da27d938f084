"""Long tables read as wide ones: names become columns, rows keep their numbers and their order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.data.cells import CellRules
from aedetect.data.series.long_table import MOST_CHANNELS, UNKNOWN, LongColumns, LongTable, WideInput
from aedetect.errors import DataError
from aedetect.io.source import TableInput

RULES = CellRules(".", ())
COLUMNS = LongColumns("sensor", "reading", ("time",))
ROWS = pd.DataFrame(
    {"time": ["00:00", "00:00", "00:01", "00:05"], "sensor": ["b", "a", "b", "a"], "reading": [5.0, 1, 6, 2]}
)


def source(rows: pd.DataFrame) -> TableInput:
    return TableInput(pa.Table.from_pandas(rows, preserve_index=False), "long.csv")


def learned(rows: pd.DataFrame = ROWS) -> LongTable:
    return LongTable.learn([source(rows)], COLUMNS, RULES)


def wide(rows: pd.DataFrame, table: LongTable, batch_rows: int = 100) -> pd.DataFrame:
    reader = WideInput(source(rows), table, RULES).open(batch_rows)
    return pa.Table.from_batches(reader.batches(), reader.schema).to_pandas()


def test_each_row_has_the_cell_of_its_channel_only() -> None:
    expected = pd.DataFrame({"time": ROWS["time"], "a": [np.nan, 1, np.nan, 2], "b": [5, np.nan, 6, np.nan]})
    pd.testing.assert_frame_equal(wide(ROWS, learned()), expected, check_dtype=False)
    pd.testing.assert_frame_equal(wide(ROWS, learned(), batch_rows=1), expected, check_dtype=False)


def test_the_order_of_columns_and_rows_changes_nothing() -> None:
    mixed = ROWS.sample(frac=1, random_state=0)[["reading", "time", "sensor"]]
    assert learned(mixed) == learned()
    back = wide(mixed, learned(mixed)).set_index(mixed.index).sort_index()
    pd.testing.assert_frame_equal(back, wide(ROWS, learned()))


def test_values_in_text_are_read_and_empty_ones_are_missing() -> None:
    found = wide(ROWS.assign(reading=["5", "", "6.5", "NA"]), learned())
    assert found["b"].tolist()[::2] == [5.0, 6.5]
    assert found["a"].isna().all()


def test_a_value_that_is_no_number_is_named_with_its_row() -> None:
    with pytest.raises(DataError) as caught:
        wide(ROWS.assign(reading=["5", "1", "high", "2"]), learned(), batch_rows=2)
    assert str(caught.value) == (
        "long.csv: row 3, column 'reading': 'high' is no number; repair it, or train with --na-values and "
        "that text if it means 'missing'"
    )


def test_unknown_and_empty_names_have_no_channel_and_absent_ones_are_missing() -> None:
    rows = ROWS.assign(sensor=["b", "z", "", "b"], reading=["5", "odd", "6", "2"])
    batch = source(rows).table.to_batches()[0]
    assert learned().numbers(batch, RULES).tolist() == [1, UNKNOWN, UNKNOWN, 1]
    reader = WideInput(source(rows), learned(), RULES).open(2)
    assert [len(part) for part in reader.batches()] == [2, 2]
    assert reader.notices(["a", "b"]) == [
        "long.csv: column 'sensor': 2 rows of 'z', which the model did not learn or without a name; these "
        "rows are unscorable",
        "long.csv: column 'sensor': no row of 'a'; what is not there is not judged",
    ]
    found = wide(rows, learned())
    assert found["a"].isna().all()
    assert found["b"].isna().tolist() == [False, True, True, False]


def test_other_columns_are_ignored() -> None:
    rows = ROWS.assign(unit="V")
    assert COLUMNS.ignored(list(rows.columns)) == ["unit"]
    assert list(wide(rows, learned(rows)).columns) == ["time", "a", "b"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS.drop(columns="reading"), "long.csv: has no column 'reading'; there are: time, sensor"),
        (ROWS.assign(sensor=""), "column 'sensor' names no channel that has a reading in column 'reading'"),
        (
            ROWS.assign(sensor="time"),
            "long.csv: column 'sensor' names a channel 'time', as another column is called; rename one of "
            "them",
        ),
        (
            pd.DataFrame(
                {"time": "0", "sensor": [f"s{n}" for n in range(MOST_CHANNELS + 1)], "reading": 1.0}
            ),
            "long.csv: column 'sensor' names more than 500 channels; if it tells series of one kind apart, "
            "give it as --entity",
        ),
    ],
)
def test_what_is_no_long_table_is_refused(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError) as caught:
        learned(rows)
    assert str(caught.value) == message
