from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.data.cells import CellRules
from aedetect.data.labels import ANOMALY, NO_LABEL, NORMAL, LabelReader, known_anomalies
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


@pytest.mark.parametrize("values", [["0", "bad"], [0, 2]])
def test_a_label_that_is_not_a_boolean(values: Any) -> None:
    with pytest.raises(DataError) as caught:
        read(values)
    assert str(caught.value) == (
        f"f: row 2, column 'state': {values[1]!r} is not a boolean; "
        "say with --positive which value marks an anomaly"
    )


def test_values_seen_over_batches() -> None:
    reader = LabelReader("state", "x", CellRules())
    assert (reader.values_seen, reader.values_in_words) == ([], "")
    reader.read(pa.array(["b", "a", None, "b"]), place)
    reader.read(pa.array(["a", "c"]), place)
    assert (reader.values_seen, reader.values_in_words) == (["b", "a", "c"], "'b', 'a', 'c'")
    reader.read(pa.array(list("defgh")), place)
    assert (len(reader.values_seen), reader.values_in_words) == (6, "'b', 'a', 'c', 'd', 'e', …")


def test_no_label_counts_as_normal_in_training() -> None:
    config = Config.build(overrides={"data.label": "state", "data.na_values": ["?"]}).data
    assert known_anomalies(pa.array(["1", "?", "0", ""]), config, place).tolist() == [
        True,
        False,
        False,
        False,
    ]
    worded = Config.build(overrides={"data.label": "state", "data.positive": "bad"}).data
    assert known_anomalies(pa.array(["bad", "good", None]), worded, place).tolist() == [True, False, False]
