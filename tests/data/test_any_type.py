from __future__ import annotations

import uuid
from datetime import time, timedelta
from typing import Any

import pyarrow as pa
import pytest

from aedetect.data.any_type import names, value
from aedetect.data.cells import CellRules

ID = uuid.UUID("e4b06ce6-0741-c7a8-7ce4-2c8218072e8c")


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (pa.array([ID.bytes, None], pa.uuid()), str(ID)),
        (pa.array([b"Y", None]), "Y"),
        (pa.array([b"\xff", None]), "ff"),
        (pa.array([b"Y", None]).dictionary_encode(), "Y"),
        (pa.array([["a", "b"], None]), '["a", "b"]'),
        (pa.array([{"a": 1}, None]), '{"a": 1}'),
        (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), '[["k", 1]]'),
        (pa.array([timedelta(hours=25), None]), "25:00:00"),
        (pa.array([time(14, 30), None]), "14:30:00"),
        (pa.array([1.0, None]), "1"),
        (pa.array([" a ", None]), "a"),
    ],
)
def test_names_of_any_type(array: pa.Array, name: str) -> None:
    assert names(array, CellRules()).to_pylist() == [name, None]


@pytest.mark.parametrize(
    ("array", "expected"),
    [(pa.array([ID.bytes], pa.uuid()), str(ID)), (pa.array([["a"]]), '["a"]'), (pa.array([1.5]), 1.5)],
)
def test_one_cell(array: pa.Array, expected: Any) -> None:
    assert value(array) == expected
