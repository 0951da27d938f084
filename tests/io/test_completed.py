from __future__ import annotations

import pyarrow as pa

from aedetect.io.completed import CompletedInput
from aedetect.io.source import TableInput


def test_an_input_has_the_columns_that_it_lacked() -> None:
    source = TableInput(pa.table({"a": [1, 2, 3]}), "t")
    completed = CompletedInput(source, [pa.field("b", pa.string()), pa.field("c", pa.float64())])
    reader = completed.open(2)
    table = pa.Table.from_batches(reader.batches(), reader.schema)
    assert table.to_pydict() == {"a": [1, 2, 3], "b": [None] * 3, "c": [None] * 3}
    assert [field.type for field in reader.schema] == [pa.int64(), pa.string(), pa.float64()]
    assert (completed.name, completed.is_text, completed.locate(2)) == ("t", False, "row 2")
