"""The head of a model file, read before anything that takes long is loaded: is it one, of this format?"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

from aedetect._version import __version__
from aedetect.errors import ModelError
from aedetect.io.alike import file_meant
from aedetect.io.stores import is_address, reading

# 2: with auxiliary networks (codes, repairs, new rows); a model of format 1 has none.
# 3: says which texts of cells mean 'missing'; under formats 1 and 2 that is the rule of version 0.1.0.
# 4: series on a grid, with three scales of time to raise alarms by; before, with one and none.
# 5: tables by evidence that is added up, where no architecture was named; before, by `memory`.
FORMAT_VERSION = 5
MOST_HEADER_BYTES = 64 << 20
BLANK_DIGEST = "0" * 64


class Damaged(Exception):
    """What was read is not a whole model file; `refusing` says which, as a ModelError."""


@contextlib.contextmanager
def refusing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Within the block the model file at `path` is read: what fails there is a ModelError that names it."""
    try:
        yield
    except OSError as error:
        meant = file_meant(path, ".aed") if isinstance(error, FileNotFoundError) else ""
        raise ModelError(f"{path}: cannot read the model file: {error.strerror}{meant}") from None
    except Damaged as error:
        raise ModelError(f"{path}: {error}") from None


def check_head(path: str | os.PathLike[str], sha256: str | None = None) -> None:
    """Raises the ModelError that reading the model at `path` would end in, as far as its head tells.

    `sha256`: the digest that the file must have, for which it is read to its end. What can be read once
    alone, as a pipe, is left to whoever reads it.
    """
    if not is_address(path) and os.path.exists(path) and not os.path.isfile(path):
        return
    with refusing(path):
        data = read_whole(path) if sha256 is not None else read_head(path)
        check_asked_for(data, sha256)
        raw_manifest(data)


def read_whole(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a model file; of a file that is none the first, for it is not read to its end in vain.

    Raises Damaged where those are too few.
    """
    with _opened(path) as stream:
        data = stream.read(8)
        if header_size(data) <= MOST_HEADER_BYTES:
            data += stream.read()
    return data


def _opened(path: str | os.PathLike[str]) -> AbstractContextManager[IO[bytes]]:
    """The file, or the object of a store, to be read once: what fails there is a ModelError by itself."""
    return reading(path, ModelError) if is_address(path) else open(path, "rb")


def read_head(path: str | os.PathLike[str]) -> bytes:
    """The bytes at the head of a model file. Raises Damaged where those are too few."""
    with _opened(path) as stream:
        data = stream.read(8)
        size = header_size(data)
        return data + stream.read(size) if size <= MOST_HEADER_BYTES else data


def check_asked_for(data: bytes, sha256: str | None) -> str:
    """The SHA-256 of a model file. Raises Damaged where another was asked for."""
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and len(data) > 8 and digest != sha256.lower():
        raise Damaged(f"not the model that was asked for: its SHA-256 is {digest}")
    return digest


def raw_manifest(data: bytes) -> dict[str, Any]:
    """The manifest at the head of a model file, whose version alone is checked. Raises Damaged."""
    # The version comes first: a newer format may differ in everything that follows.
    try:
        raw: dict[str, Any] = json.loads(_manifest_text(data))
        version = raw["format_version"]
    except (KeyError, ValueError, TypeError, RecursionError):
        raise Damaged("not an aedetect model file, or damaged") from None
    if type(version) is not int or version < 1:
        raise Damaged("not an aedetect model file, or damaged")
    if version > FORMAT_VERSION:
        raise Damaged(
            f"format version {version}, made by aedetect {raw.get('aedetect_version')}; this aedetect "
            f"({__version__}) reads up to version {FORMAT_VERSION}: upgrade aedetect"
        )
    return raw


def _manifest_text(data: bytes) -> str:
    size = header_size(data)
    if size > MOST_HEADER_BYTES or size > len(data) - 8:
        raise Damaged("not an aedetect model file, or cut short")
    return str(json.loads(data[8 : 8 + size])["__metadata__"]["manifest"])


def header_size(data: bytes) -> int:
    """Of the first bytes of a model file, how long its head is. Raises Damaged where they are too few."""
    if len(data) < 8:
        raise Damaged("not an aedetect model file (too short)")
    return int(struct.unpack("<Q", data[:8])[0])


def digest_place(data: bytes) -> int:
    """Where in a model file its own digest begins. Raises Damaged where there is none."""
    # The manifest is a JSON text inside a JSON string, so its own quotes are escaped once; text
    # that came from the data is escaped twice and cannot look like this.
    mark = b'\\"file_sha256\\":\\"'
    header = data[8 : 8 + header_size(data)]
    if header.count(mark) != 1:
        raise Damaged("the model file is damaged (no digest)")
    return 8 + header.index(mark) + len(mark)


def check_digest(data: bytes, claimed: object) -> None:
    """Raises Damaged for a model file whose own digest is not the one that it claims."""
    place = digest_place(data)
    blank = data[:place] + BLANK_DIGEST.encode() + data[place + len(BLANK_DIGEST) :]
    if hashlib.sha256(blank).hexdigest() != claimed:
        raise Damaged("the model file is damaged (its digest does not match); restore it or retrain")
