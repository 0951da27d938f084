from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.data.cells import CellRules
from aedetect.data.labels import ANOMALY, NO_LABEL, NORMAL, LabelReader, known_anomalies, label_reader
from aedetect.errors import DataError


def place(index: int) -> str:
    return f"f: row {index + 1}"


def read(values: Any, positive: str | None = None, **rules: Any) -> list[int]:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return LabelReader("state", positive, CellRules(**rules)).read(array, place).tolist()


@pytest.mark.parametrize(
    "values",
    [
        ["yes", "No", ""], ["1", "0.0", "NA"], [1, 0, None], [1.0, 0.0, float("nan")], [True, False, None],
        ["on", "off", "none"], pa.array(["y", "n", None]).dictionary_encode(),
        ["Anomaly", "normal", ""], ["fraud", "Legit", "NA"], ["malicious", "BENIGN", None],
        pa.array([b"Y", b"N", None]), pa.array([b"yes", b"no", b""], pa.large_binary()),
        pa.array([Decimal(1), Decimal(0), None], pa.decimal128(10, 2)),
    ],
)  # fmt: skip
def test_booleans(values: Any) -> None:
    assert read(values) == [ANOMALY, NORMAL, NO_LABEL]


def test_a_word_that_marks_anomalies() -> None:
    assert read(["DoS", "scan", " DoS ", "", None], "DoS") == [ANOMALY, NORMAL, ANOMALY, NO_LABEL, NO_LABEL]


@pytest.mark.parametrize("normal", ["None", "NULL", "NA", "nan"])
def test_with_a_word_for_anomalies_every_other_text_is_a_label(normal: str) -> None:
    assert read(["DoS", normal], "DoS") == [ANOMALY, NORMAL]
    assert read(["DoS", normal], normal) == [NORMAL, ANOMALY]


def test_na_values_are_no_labels() -> None:
    assert read(["DoS", "?", "scan"], "DoS", na_values=("?",)) == [ANOMALY, NO_LABEL, NORMAL]
    assert read(["1", "?", "0"], na_values=("?",)) == [ANOMALY, NO_LABEL, NORMAL]


def unread(values: Any) -> str:
    reader = LabelReader("state", None, CellRules())
    reader.read(values if isinstance(values, pa.Array) else pa.array(values), place)
    with pytest.raises(DataError) as caught:
        reader.check_read()
    return str(caught.value)


UUID = uuid.UUID("e4b06ce6-0741-c7a8-7ce4-2c8218072e8c")


@pytest.mark.parametrize(
    ("values", "value", "there"),
    [
        (["0", "bad", "0"], "bad", "'0' (2) and 'bad' (1)"),
        ([0, 2, 2], "2", "'2' (2) and '0' (1)"),
        (["normal", "dos", "probe", "dos"], "dos", "'dos' (2), 'normal' (1) and 'probe' (1)"),
        ([0, *range(2, 9)], "2", "'0' (1), '2' (1), '3' (1), '4' (1), '5' (1) and 3 more"),
        (["1", "x" * 60], "x" * 39 + "…", f"'1' (1) and '{'x' * 39}…' (1)"),
        (pa.array([None, b"\xff\x00"]), "ff00", "'ff00' (1)"),
        (pa.array([None, ["a", "b"]]), '["a", "b"]', '\'["a", "b"]\' (1)'),
        (pa.array([None, {"a": 1}]), '{"a": 1}', "'{\"a\": 1}' (1)"),
        (pa.array([None, UUID.bytes], pa.uuid()), str(UUID), f"'{UUID}' (1)"),
        (pa.array([None, timedelta(hours=25)]), "25:00:00", "'25:00:00' (1)"),
    ],
)
def test_labels_that_are_no_booleans(values: Any, value: str, there: str) -> None:
    assert unread(values) == (
        f"f: row 2, column 'state': {value!r} is not a boolean; the labels are {there}; "
        "say with --positive which value marks an anomaly"
    )


def test_labels_of_all_batches_are_named() -> None:
    reader = LabelReader("state", None, CellRules())
    for batch in (["ok", "bad"], ["bad", "worse"]):
        reader.read(pa.array(batch), place)
    with pytest.raises(DataError) as caught:
        reader.check_read()
    assert str(caught.value) == (
        "f: row 1, column 'state': 'ok' is not a boolean; the labels are 'bad' (2), 'ok' (1) and "
        "'worse' (1); say with --positive which value marks an anomaly"
    )


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        ([1.0, 0.0], "1"), ([1, 0], "1.0"), (["1.0", "0.0"], "1"), ([True, False], "True"),
        ([True, False], "1"), ([True, False], "yes"),
        ([" DoS ", "scan"], "DoS "), (pa.array([b"Y", b"N"]), "Y"),
        (pa.array([UUID.bytes, bytes(16)], pa.uuid()), str(UUID)), ([["a"], ["b"]], '["a"]'),
    ],
)  # fmt: skip
def test_a_value_that_marks_anomalies_however_it_is_written(values: Any, positive: str) -> None:
    assert read(values, positive) == [ANOMALY, NORMAL]


@pytest.mark.parametrize(
    ("values", "positive", "said"),
    [
        (["Legit", "Legit", "Fraud"], "fraud",
         "; the labels are 'Legit' (2) and 'Fraud' (1); did you mean --positive Fraud?"),
        (["No", "Yes please"], "yes PLEASE",
         "; the labels are 'No' (1) and 'Yes please' (1); did you mean --positive 'Yes please'?"),
        ([0, 1, 0], "2", "; the labels are '0' (2) and '1' (1)"),
        ([False], "2", "; the labels are 'false' (1)"),
        ([None, ""], "x", ": it holds no label"),
    ],
)  # fmt: skip
def test_a_value_that_no_row_has(values: Any, positive: str, said: str) -> None:
    reader = LabelReader("state", positive, CellRules())
    reader.read(pa.array(values), place)
    with pytest.raises(DataError) as caught:
        reader.check_matched("f")
    assert str(caught.value) == f"f: no row has {positive!r} (--positive) in column 'state'{said}"


def test_values_in_words_over_batches() -> None:
    reader = LabelReader("state", "b", CellRules())
    assert reader.values_in_words == ""
    reader.read(pa.array(["b", "a", None, "b"]), place)
    reader.read(pa.array(["c"]), place)
    assert reader.values_in_words == "'b' (2), 'a' (1) and 'c' (1)"
    reader.check_matched("f")


def test_no_label_counts_as_normal_in_training() -> None:
    config = Config.build(overrides={"data.label": "state", "data.na_values": ["?"]}).data
    assert known_anomalies(pa.array(["1", "?", "0", ""]), label_reader(config), place).tolist() == [
        True,
        False,
        False,
        False,
    ]
    worded = Config.build(overrides={"data.label": "state", "data.positive": "bad"}).data
    cells = pa.array(["bad", "good", None])
    assert known_anomalies(cells, label_reader(worded), place).tolist() == [True, False, False]


def test_labels_of_parts_add_up() -> None:
    whole, total = (LabelReader("state", None, CellRules()) for _ in range(2))
    values = ["yes", "no", "maybe", "yes", "perhaps"]
    whole.read(pa.array(values), place)
    for first, end in ((0, 2), (2, 5)):
        part = LabelReader("state", None, CellRules())
        part.read(pa.array(values[first:end]), lambda index, first=first: place(first + index))
        total.add(part)
    assert (total.counts, total.unread) == (whole.counts, ("f: row 3", "maybe"))
    with_positive = LabelReader("state", "yes", CellRules())
    for part_of in (values[:2], values[2:]):
        part = LabelReader("state", "yes", CellRules())
        part.read(pa.array(part_of), place)
        with_positive.add(part)
    assert with_positive.matches == 2
