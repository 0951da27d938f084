"""Columns that a model needs and a file lacks, told from the heads of both before either is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from aedetect.config import DataConfig
from aedetect.data.renamed import missing_columns
from aedetect.errors import DataError, ModelError, UsageError
from aedetect.io import sniff
from aedetect.io.csv_form import records
from aedetect.io.files import options_as_trained
from aedetect.io.locate import locate
from aedetect.io.source import ReadOptions
from aedetect.scoring.model_header import Damaged, check_digest, raw_manifest, read_head, read_whole

# As `data.schema.Column.is_input` has it; that module needs Arrow.
_NEEDED_ROLES = ("numeric", "categorical", "boolean", "datetime", "constant", "time", "entity")


def check_columns(words: Sequence[str], model: str, asked: DataConfig) -> None:
    """Raises the ModelError of an only input that lacks columns of the model, as far as it is cheap to tell.

    That is so of a CSV file on disk that is neither packed nor in another encoding; all else is left to
    whoever reads both. `asked`: how inputs are to be read.
    """
    if len(words) != 1 or not os.path.isfile(words[0]) or not os.path.isfile(model):
        return
    try:
        manifest = raw_manifest(read_head(model))
        lacking = _lacking(words[0], manifest, asked)
        if lacking is not None:
            # What is damaged may have had other names.
            check_digest(read_whole(model), manifest["file_sha256"])
    except (AttributeError, KeyError, TypeError, ValueError, Damaged):
        # The manifest is none, which is told with all that is to be said of it when the model is loaded.
        return
    if lacking is not None:
        raise lacking


def _lacking(word: str, manifest: Mapping[str, Any], asked: DataConfig) -> ModelError | None:
    schema, config = manifest["model_schema"], manifest["config"]
    if config["series"].get("series_name") is not None:
        # Of a long table the columns are in its rows.
        return None
    trained = DataConfig.model_validate(config["data"])
    (place,) = locate([word])
    names = _names(place.path, options_as_trained(trained, asked))
    columns, groups = schema["columns"], schema.get("groups", ())
    present = {*names, *schema.get("optional", ()), *(key for key, _ in place.above)}
    needed = [each["name"] for each in columns if each["role"] in _NEEDED_ROLES or each["name"] in groups]
    lacking = [name for name in needed if name not in present]
    if not names or not lacking:
        return None
    known = {asked.label or trained.label, *(each["name"] for each in columns)}
    return missing_columns(place.name, lacking, [name for name in names if name not in known])


def _names(path: str, options: ReadOptions) -> list[str]:
    """The columns of a CSV file by its first bytes; none where these do not tell."""
    with open(path, "rb") as stream:
        head = stream.read(sniff.HEAD_BYTES)
    whole = len(head) < sniff.HEAD_BYTES
    if sniff.compression_of(head) is not None or not sniff.is_utf8(options.encoding):
        return []
    try:
        shape = sniff.sniff(path, head, None, options, whole)
        text = StringIO(head.decode("utf-8-sig"), newline="")
    except (DataError, UsageError, UnicodeDecodeError):
        return []
    if shape.format != "csv" or not shape.form.header:
        return []
    filled = (record.fields for record in records(text, shape.form) if record.fields)
    names, below = next(filled, []), next(filled, None)
    # A header that goes on beyond the first bytes is not known.
    plain = (below is not None or whole) and len(set(names)) == len(names)
    return names if plain and "\0" not in "".join(names) else []
