from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.errors import DataError
from aedetect.io.json_text import is_document, kind_in_words, lines, values


def read(text: str | bytes, document: bool = True) -> list[tuple[int, Any]]:
    data = text.encode() if isinstance(text, str) else text
    return list(values(io.BytesIO(data), "f.json", document))


def fault(text: str | bytes, document: bool = True) -> str:
    with pytest.raises(DataError) as caught:
        read(text, document)
    return str(caught.value).removeprefix("f.json: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"a": 1}]', True),
        ("\ufeff [\n {", True),
        ("[]", True),
        ('{\n  "a": 1\n}\n', True),
        ('{"a": 1,\n"b": 2}\n', True),
        ('{"a": 1}\n{"a": 2}\n', False),
        ('{"a": 1}', False),
        ('{"a": }\n', False),
        ("[1]\n[2]\n", False),
        ("a,b\n1,2\n", False),
    ],
)
def test_what_is_a_document(text: str, expected: bool) -> None:
    assert is_document(text) == expected


@pytest.mark.parametrize(
    "text",
    ['[{"a": 1},\n {"a": [2]}]\n', '\ufeff{"a": 1}\n{"a":\n[2]}', '{"a": 1}\n{\n"a": [2]}'],
)
def test_objects_in_a_list_or_one_after_the_other(text: str) -> None:
    assert read(text) == [(1, {"a": 1}), (2, {"a": [2]})]


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text() | st.floats(allow_nan=False))))
def test_what_python_writes_comes_back(rows: list[dict[str, Any]]) -> None:
    for indent in (None, 1):
        assert [value for _, value in read(json.dumps(rows, indent=indent))] == rows


def test_objects_longer_than_what_is_read_at_once() -> None:
    rows = [{"a": "x" * 1_500_000}, {"a": 12.5}]
    assert read(json.dumps(rows, indent=0)) == [(2, rows[0]), (5, rows[1])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}\n{"a": 2}]', "line 2: not JSON: Expecting ',' delimiter"),
        ('[{"a": 1},\n', "line 2: not JSON: the list has no end"),
        ('[{"a": 1}]\n[]', "line 2: not JSON: more follows the end of the list"),
        ('{\n"a": 1,\n"b":}', "line 3: not JSON: Expecting value"),
        ("[" * 100_000, "line 1: not JSON: nested too deeply"),
        (b'[{"a":\n"\xe9"}]',
         "line 2: not UTF-8 text; name its encoding with --encoding, e.g. --encoding cp1252"),
    ],
    ids=["comma", "end", "more", "syntax", "deep", "bytes"],
)  # fmt: skip
def test_faults_of_documents(text: str | bytes, message: str) -> None:
    assert fault(text) == message


def test_faults_of_lines() -> None:
    assert fault('{"a": 1}\n{"a": }\n', False) == "line 2: not JSON: Expecting value at character 7"
    assert fault(b'{}\n{"a": "\xe9"}\n', False).startswith("line 2: not UTF-8 text; ")


def test_lines_that_are_empty_count() -> None:
    assert list(lines(io.BytesIO(b"\xef\xbb\xbfa\n\n b\n"), "f")) == [(1, "a\n"), (3, " b\n")]


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "null"), (True, "a boolean"), (1.5, "a number"), ("x", "a string"), ([], "a list")],
)
def test_kinds(value: Any, words: str) -> None:
    assert kind_in_words(value) == words
