from __future__ import annotations

import pyarrow as pa
import pytest

from aedetect.data.schema import Column, Schema
from aedetect.data.written_numbers import Writing
from aedetect.errors import DataError, ModelError
from aedetect.io.source import TableInput

SCHEMA = Schema(
    columns=tuple(
        Column(name=name, role=role, reason="", type="string", constant="C" if role == "constant" else None)
        for name, role in (("temp", "numeric"), ("no", "id"), ("unit", "constant"), ("note", "text"))
    ),
    na_values=("?",),
)


def arriving(*names: str, type_: pa.DataType | None = None) -> pa.Schema:
    return pa.schema([pa.field(name, type_ or pa.string()) for name in names])


def test_learned_columns_and_constants_are_looked_at() -> None:
    assert [column.name for column in SCHEMA.inputs] == ["temp", "unit"]


def test_names_by_role() -> None:
    assert SCHEMA.names("id") == ["no"]


def test_rules() -> None:
    assert (SCHEMA.rules.decimal, SCHEMA.rules.na_values) == (".", ("?",))


def test_columns_never_learned_may_be_missing_and_order_is_free() -> None:
    assert SCHEMA.check("f", arriving("unit", "temp")) == []


@pytest.mark.parametrize(
    ("extra", "notice"),
    [
        (["a"], "f: column 'a' is not known to the model and ignored"),
        (["a", "b"], "f: columns 'a', 'b' are not known to the model and ignored"),
        (
            list("abcdefg"),
            "f: columns 'a', 'b', 'c', 'd', 'e' and 2 more are not known to the model and ignored",
        ),
    ],
)
def test_extra_columns_are_noticed(extra: list[str], notice: str) -> None:
    assert SCHEMA.check("f", arriving("temp", "unit", "no", *extra)) == [notice]


@pytest.mark.parametrize("here", [["temp", "Unit"], ["unit"], ["no"]])
def test_missing_columns(here: list[str]) -> None:
    lacking = [name for name in ("temp", "unit") if name not in here]
    with pytest.raises(ModelError) as caught:
        SCHEMA.check("f", arriving(*here))
    subject = f"column {lacking[0]!r} is" if len(lacking) == 1 else "columns 'temp', 'unit' are"
    renamed = "the file has 'Unit', which the model does not know: is that 'unit'? rename it, or retrain"
    remedy = renamed if "Unit" in here else "score a file with the same columns, or retrain"
    assert str(caught.value) == f"f: {subject} missing, which the model was trained on; {remedy}"


def test_a_column_that_training_files_lacked_may_be_missing() -> None:
    schema = SCHEMA.with_optional({"temp", "note"})
    assert schema.optional == ("temp",)
    assert schema.check("f", arriving("unit")) == [
        "f: column 'temp' is missing, as in some files of the training data"
    ]
    table = TableInput(pa.table({"unit": ["C", "C"]}))
    (batch,) = schema.completed(table).open(10).batches()
    assert batch.to_pydict() == {"unit": ["C", "C"], "temp": [None, None]}
    assert SCHEMA.completed(table) is table
    assert "optional" not in SCHEMA.model_dump()


def test_an_input_without_columns_lacks_none() -> None:
    assert SCHEMA.check("f", pa.schema([])) == []


def test_type_that_cannot_be_read() -> None:
    fields = [pa.field("temp", pa.list_(pa.int8())), pa.field("unit", pa.string())]
    with pytest.raises(DataError) as caught:
        SCHEMA.check("f", pa.schema(fields))
    assert str(caught.value) == (
        "f: column 'temp' holds list<item: int8> values, which cannot be read as numeric, "
        "as it was in training; has its type changed?"
    )


def test_round_trip_through_json() -> None:
    assert Schema.model_validate_json(SCHEMA.model_dump_json()) == SCHEMA


def test_another_decimal_mark_exchanges_both() -> None:
    writings = {"a": Writing(thousands=",", decimal="."), "b": Writing(decimal=".")}
    schema = Schema(columns=(), writings=writings).with_decimal(",")
    assert schema.decimal == ","
    assert schema.writings == {"a": Writing(thousands=".", decimal=","), "b": Writing(decimal=",")}
