"""Parquet files of one schema put together by row groups: pages are copied as they are, nothing is decoded.

A Parquet file is its pages, and behind them a footer that says where each begins: the format's `FileMetaData`
(parquet-format 2.10) in the compact protocol of Thrift. Pages of the second file stand farther back in the
joined one by as much as the first is long; so do page indexes and Bloom filters, copied with them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import IO, Any

from aedetect.io import thrift_compact as thrift

_MAGIC = b"PAR1"
_COPIED_AT_ONCE = 1 << 20
# Fields by their numbers in parquet.thrift.
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
_CHUNK_OFFSET, _CHUNK_DATA, _OFFSET_INDEX, _COLUMN_INDEX = 2, 3, 4, 6
_PAGES, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM_FILTER = 9, 10, 11, 14
_MOST_ORDINALS = 1 << 15


def join_parquet(paths: Sequence[str], stream: IO[bytes]) -> None:
    """Write the row groups of the files, in their order, as one file.

    Schema and key-value metadata are those of the first. Raises ValueError where the schemas differ or one is
    no Parquet file, OSError where reading or writing fails.
    """
    stream.write(_MAGIC)
    position, joined = len(_MAGIC), thrift.Struct()
    groups: list[thrift.Struct] = []
    for path in paths:
        with open(os.fsencode(path), "rb") as source:
            footer, end = _footer(source, path)
            source.seek(len(_MAGIC))
            _copy(source, stream, end - len(_MAGIC))
        if not joined:
            joined = footer
        elif joined[_SCHEMA] != footer[_SCHEMA]:
            raise ValueError(f"{path}: its columns are not those of {paths[0]}")
        else:
            joined.set(_ROWS, joined.value(_ROWS) + footer.value(_ROWS))
        for group in footer.value(_GROUPS).items:
            _shift(group, position - len(_MAGIC))
            groups.append(group)
        position += end - len(_MAGIC)
    for number, group in enumerate(groups):
        _number(group, number)
    joined.value(_GROUPS).items = groups
    packed = thrift.pack(joined)
    stream.write(packed + len(packed).to_bytes(4, "little") + _MAGIC)


def _footer(source: IO[bytes], path: str) -> tuple[thrift.Struct, int]:
    """The footer of a file, and where it begins."""
    size = source.seek(0, os.SEEK_END)
    source.seek(max(size - 8, 0))
    tail = source.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or length > size - 12:
        raise ValueError(f"{path}: no Parquet file")
    source.seek(size - 8 - length)
    return thrift.unpack(source.read(length)), size - 8 - length


def _shift(group: thrift.Struct, by: int) -> None:
    """Let a row group tell that its pages stand so many bytes farther back."""
    for part, fields in _with_offsets(group):
        for number in fields:
            # Where writers have nothing to say they say 0.
            if part.value(number):
                part.set(number, part.value(number) + by)


def _with_offsets(group: thrift.Struct) -> Iterator[tuple[thrift.Struct, tuple[int, ...]]]:
    yield group, (_GROUP_OFFSET,)
    for chunk in group.value(_COLUMNS).items:
        yield chunk, (_CHUNK_OFFSET, _OFFSET_INDEX, _COLUMN_INDEX)
        data: Any = chunk.value(_CHUNK_DATA)
        if data is not None:
            yield data, (_PAGES, _INDEX_PAGE, _DICTIONARY_PAGE, _BLOOM_FILTER)


def _number(group: thrift.Struct, number: int) -> None:
    if group.value(_ORDINAL) is None:
        return
    if number < _MOST_ORDINALS:
        group.set(_ORDINAL, number)
    else:
        # It is optional, and has no room for more.
        del group[_ORDINAL]


def _copy(source: IO[bytes], stream: IO[bytes], size: int) -> None:
    """Copy the next bytes, so many of them."""
    while size:
        data = source.read(min(size, _COPIED_AT_ONCE))
        if not data:
            raise ValueError("the file became shorter while it was read")
        stream.write(data)
        size -= len(data)
