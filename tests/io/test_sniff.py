from __future__ import annotations

import pytest

from aedetect.errors import DataError, UsageError
from aedetect.io.csv_form import CsvForm
from aedetect.io.sniff import Shape, compression_of, sniff
from aedetect.io.source import ReadOptions


def shape_of(head: bytes | str, name: str = "f.csv", **options: str) -> Shape:
    return sniff(name, head.encode() if isinstance(head, str) else head, None, ReadOptions(**options))


@pytest.mark.parametrize(
    ("head", "kind"), [(b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"a,b", None), (b"", None)]
)
def test_compression(head: bytes, kind: str | None) -> None:
    assert compression_of(head) == kind


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b|c\n1|2|3\n", "|"),
        ("a\n1\n", ","),
        ("time;value, unit\n1;2\n2;3\n", ";"),
        ("a,b\n1,2\n1\n", ","),
        ('a,"b;c;d",e\n1,2,3\n', ","),
        ("\na;b\n\n1;2\n", ";"),
        ("a;b\r1;2\r", ";"),
        ("a,b;c\n1,2", ","),
    ],
)
def test_delimiter(head: str, mark: str) -> None:
    assert shape_of(head) == Shape("csv", None, CsvForm(mark))


def test_delimiter_given_wins() -> None:
    assert shape_of("a,b\n1,2\n", delimiter=";").form.delimiter == ";"


def test_tsv_is_cut_at_tabs() -> None:
    assert shape_of("a,b\n", "f.tsv").form.delimiter == "\t"


@pytest.mark.parametrize(
    ("head", "name", "format"),
    [
        (b"PAR1....", "f.csv", "parquet"),
        (b"ARROW1..", "f", "arrow"),
        (b"\xff\xff\xff\xff\x10", "f.arrow", "arrow"),
        (b'{"a": 1}', "f", "jsonl"),
        (b'[{"a": 1}]', "f.json", "jsonl"),
        (b'[{"a": 1}]', "f.csv", "jsonl"),
        (b'[\n{\n"a": 1}]', "f", "jsonl"),
        (b"[1, 2]", "f.json", "jsonl"),
        (b"[a],[b]\n1,2\n", "f.csv", "csv"),
        (b'{"a": 1}', "f.csv", "csv"),
        (b"a,b", "f.jsonl", "jsonl"),
        (b"a,b", "f.unknown", "csv"),
    ],
)
def test_content_decides_over_the_name(head: bytes, name: str, format: str) -> None:
    assert shape_of(head, name).format == format


@pytest.mark.parametrize(
    ("head", "name", "options", "message"),
    [
        (b"", "f.parquet", {}, "f.parquet: the file is empty"),
        (b"\xff\xfea\0", "f.csv", {}, "UTF-16"),
        (b"a\0,\0b\0\n\0", "f.csv", {}, "UTF-16"),
        (b"abc\0\1\2\3\xff\xfe\xfd", "f.csv", {}, "f.csv: holds binary data, not text"),
        (b"<!-- oops --><html>", "f.csv", {}, "HTML or XML page"),
        (b"BZh91AY", "f.csv", {}, "a bzip2 file"),
        (b"\xfd7zXZ\0", "f.csv", {}, "an xz file"),
        (
            b"a,b",
            "f.parquet",
            {},
            "not a Parquet file; it starts with 'a,b'; if it is a text file, give --format csv",
        ),
        (b"P\x01\0", "f.parquet", {}, r"not a Parquet file; it starts with 'P\\x01\\x00'$"),
        (b"<table border=1><tr><td>1</td></tr>", "f.csv", {}, "an HTML or XML page"),
        (b"<rows><row a='1'/></rows>", "f.csv", {}, "an HTML or XML page"),
        (b"\x01\xff", "f.arrow", {}, r"not an Arrow file; it starts with '\\x01\\\\xff'$"),
        (b"PAR1", "f.x", {"format": "csv"}, "holds parquet data, not csv; drop --format csv"),
    ],
)
def test_refused(head: bytes, name: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        shape_of(head, name, **options)


def test_column_named_like_a_tag_is_no_web_page() -> None:
    assert shape_of("<script>,b\n1,2\n").format == "csv"


def test_unknown_encoding() -> None:
    with pytest.raises(UsageError, match="--encoding klingon: not known"):
        shape_of("a,b", encoding="klingon")


@pytest.mark.parametrize(
    ("head", "binary"),
    [(b"a,b\n1,\0\n", False), (b"a,b\n" + b"1,x\n" * 99 + bytes(5), False), (bytes(range(256)) * 20, True)],
)
def test_a_zero_byte_alone_makes_no_binary_file(head: bytes, binary: bool) -> None:
    if not binary:
        assert shape_of(head).format == "csv"
        return
    with pytest.raises(DataError, match=r"^f.csv: holds binary data, not text$"):
        shape_of(head)
