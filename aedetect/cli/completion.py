"""What a shell offers for a half-typed word: columns, model files, names.

Each of these is called while somebody waits for a key to answer: it reads the head of a file at
most, loads nothing heavy, and offers nothing where that fails.
"""

from __future__ import annotations

import csv
import functools
import glob
import gzip
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

Completer = Callable[[typer.Context, str], list[str]]

ARCHITECTURES = (
    *("auto", "evidence", "memory", "principal", "denoising", "variational", "bottleneck"),
    *("patches", "convolutional"),
)
PLACES = ("ray", "ray://")
ROLES = ("numeric", "categorical", "boolean", "datetime", "id", "ignored")
_MOST_HEADER_BYTES = 16 << 20
_HEAD_BYTES = 1 << 16
_DELIMITERS = (",", ";", "\t", "|")
# Names come from files, and what is offered is put into a command line, or read by the shell before
# that: whatever a shell could take for more than a name is not offered.
_NAME = re.compile(r"[\w .,:=+@%/()\[\]-]+")
_TO_ESCAPE = re.compile(r"([ ()\[\]])")


def _offering(candidates: Callable[[typer.Context, str], Iterable[str]]) -> Completer:
    """Of what `candidates` gives, what begins as typed; nothing where it fails."""

    @functools.wraps(candidates)
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            words = [word for word in candidates(ctx, incomplete) if word.startswith(incomplete)]
            return [_typable(word) for word in words if _NAME.fullmatch(word)]
        except Exception:
            # A shell would print the error into the line that somebody is typing.
            return []

    return complete


def _typable(word: str) -> str:
    """A word as it is typed: bash, alone among shells, escapes nothing itself."""
    in_bash = os.environ.get("_AEDETECT_COMPLETE") == "complete_bash"
    return _TO_ESCAPE.sub(r"\\\1", word) if in_bash else word


def _of(names: Sequence[str]) -> Completer:
    return _offering(lambda ctx, incomplete: names)


formats = _of(("csv", "tsv", "jsonl", "parquet", "arrow"))
encodings = _of(("utf-8", "utf-16", "latin-1", "cp1252"))
devices = _of(("auto", "cpu", "cuda", "mps"))
architectures = _of(ARCHITECTURES)
places = _of(PLACES)
contamination = _of(("auto",))


@_offering
def time_zones(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of time zones, such as Europe/Berlin."""
    from zoneinfo import available_timezones

    return sorted(available_timezones())


@_offering
def model_files(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Model files in the folder typed so far; where there is none, the shell offers all files."""
    folder = os.path.dirname(incomplete)
    return sorted(
        os.path.join(folder, entry.name)
        for entry in os.scandir(folder or ".")
        if entry.name.endswith(".aed") and entry.is_file()
    )


@_offering
def columns(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Columns of the inputs typed before, else of the model."""
    return _columns(ctx)


@_offering
def column_lists(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Columns for a list such as A,B: what stands before the last comma is kept."""
    before, comma, _ = incomplete.rpartition(",")
    named = before.split(",")
    return [before + comma + name for name in _columns(ctx) if name not in named]


@_offering
def roles(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """COLUMN=ROLE for the columns of the inputs typed before."""
    return _pairs(dict.fromkeys(_columns(ctx), ROLES), incomplete)


@_offering
def categories(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """COLUMN=VALUE for the categories that the model knows."""
    features = _manifest(ctx)["features"]["categorical"]
    return _pairs({each["column"]: each["values"] for each in features}, incomplete)


@_offering
def entities(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the series that the model was trained on."""
    return sorted({name for names in _manifest(ctx)["series"]["names"] for name in names})


def _pairs(values: dict[str, Sequence[str]], incomplete: str) -> list[str]:
    """Pairs of name and value; while several names are possible, the names alone."""
    possible = [
        name for name in values if f"{name}=".startswith(incomplete) or incomplete.startswith(f"{name}=")
    ]
    if len(possible) > 1:
        return [f"{name}=" for name in possible]
    return [f"{name}={value}" for name in possible for value in values[name]]


def _columns(ctx: typer.Context) -> list[str]:
    delimiter = ctx.params.get("delimiter")
    for word in _inputs(ctx):
        # A shell hands over patterns and '~' as they were typed.
        for path in sorted(glob.glob(os.path.expanduser(word))):
            names = header_of(path, delimiter)
            if names:
                return names
    manifest = _manifest(ctx)
    label = manifest["config"]["data"]["label"]
    return [*(column["name"] for column in manifest["model_schema"]["columns"]), *([label] if label else [])]


def _inputs(ctx: typer.Context) -> list[str]:
    """Words that name inputs; where the last option still lacks its value, they are not sorted in yet."""
    named = ctx.params.get("inputs") or ctx.params.get("input") or ()
    return [str(word) for word in ([named] if isinstance(named, str) else [*named, *ctx.args])]


def _manifest(ctx: typer.Context) -> dict[str, Any]:
    return manifest_of(os.path.expanduser(ctx.params["model"]))


def manifest_of(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a model file, unchecked: good enough to offer words from, and for nothing else."""
    with open(path, "rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if size > _MOST_HEADER_BYTES:
            raise ValueError(f"{path}: no model file")
        manifest: dict[str, Any] = json.loads(json.loads(stream.read(size))["__metadata__"]["manifest"])
    return manifest


def header_of(path: str, delimiter: str | None = None) -> list[str]:
    """Names of columns in a text file: of its first line (CSV), or the keys of its first row (JSON lines)."""
    file = Path(path)
    if not file.is_file():
        return []
    with gzip.open(file) if path.endswith(".gz") else file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES).decode("utf-8-sig")
    first = head.splitlines()[0]
    if first.startswith("{"):
        return list(json.loads(first))
    mark = {"\\t": "\t", "tab": "\t"}.get(delimiter or "", delimiter)
    mark = mark or max(_DELIMITERS, key=first.count)
    return next(csv.reader([first], delimiter=mark))
