"""The model file: a safetensors file whose metadata holds one JSON manifest.

Loading runs no code from the file. Everything is checked before use: the size of the header, a
digest over the whole file, the format version, and each tensor's name, shape, type, digest and
finiteness against the manifest.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from aedetect._version import __version__
from aedetect.config import Config
from aedetect.data.features.encoder import EncoderState
from aedetect.data.schema import Schema
from aedetect.data.series.scaling import SeriesState
from aedetect.errors import OutputError
from aedetect.io.atomic import atomic_output
from aedetect.scoring.manifest import Manifest, TensorInfo, TrainingSummary
from aedetect.scoring.model_header import (
    BLANK_DIGEST,
    FORMAT_VERSION,
    MOST_HEADER_BYTES,
    Damaged,
    check_asked_for,
    check_digest,
    digest_place,
    header_size,
    raw_manifest,
    read_whole,
    refusing,
)

Tensors = dict[str, np.ndarray[Any, Any]]


def write_model_file(
    path: str | os.PathLike[str],
    schema: Schema,
    features: EncoderState,
    config: Config,
    training: TrainingSummary,
    tensors: Mapping[str, np.ndarray[Any, Any]],
    series: SeriesState | None = None,
) -> None:
    """Write a model file in one step. Raises OutputError where that fails, or it could not be read back."""
    data = pack(schema, features, config, training, tensors, series)
    if (size := header_size(data)) > MOST_HEADER_BYTES:
        raise OutputError(
            f"{os.fspath(path)}: what the model file says of its columns takes {size / 1e6:,.0f} MB, and "
            f"{MOST_HEADER_BYTES / 1e6:,.0f} MB are read back at most: leave columns out with --exclude"
        )
    with atomic_output(path) as stream:
        stream.write(data)


def pack(
    schema: Schema,
    features: EncoderState,
    config: Config,
    training: TrainingSummary,
    tensors: Mapping[str, np.ndarray[Any, Any]],
    series: SeriesState | None = None,
) -> bytes:
    """The bytes of a model file."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        file_sha256=BLANK_DIGEST,
        aedetect_version=__version__,
        model_schema=schema,
        features=features,
        config=config,
        training=training,
        series=series,
        tensors={name: _describe(tensor) for name, tensor in plain.items()},
    )
    blank = save(plain, {"manifest": manifest.model_dump_json()})
    place = digest_place(blank)
    digest = hashlib.sha256(blank).hexdigest().encode()
    return blank[:place] + digest + blank[place + len(digest) :]


def read_model_file(path: str | os.PathLike[str], sha256: str | None = None) -> tuple[Manifest, Tensors, str]:
    """The manifest, the tensors and the SHA-256 of the model file at `path`.

    Raises ModelError for a file that is missing, damaged, of a newer format, no model file, or, before
    anything else in it is looked at, one whose digest is not `sha256`.
    """
    with refusing(path):
        return unpack_checked(read_whole(path), sha256)


def unpack_checked(data: bytes, sha256: str | None = None) -> tuple[Manifest, Tensors, str]:
    """What `read_model_file` gives, of the bytes of a model file. Raises Damaged where these will not do."""
    digest = check_asked_for(data, sha256)
    manifest, tensors = unpack(data)
    return manifest, tensors, digest


def read_checked(path: str | os.PathLike[str], sha256: str) -> bytes:
    """The bytes of the model file at `path`. Raises ModelError where they cannot be read or are others."""
    with refusing(path):
        data = read_whole(path)
        check_asked_for(data, sha256)
    return data


def unpack(data: bytes) -> tuple[Manifest, Tensors]:
    """What `pack` packed, with every check made."""
    raw = raw_manifest(data)
    check_digest(data, raw.get("file_sha256"))
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        manifest = Manifest.model_validate(raw)
        tensors: Tensors = load(data)
    except (SafetensorError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"the model file is damaged ({str(error).splitlines()[0]})") from None
    _check_tensors(manifest, tensors)
    return manifest, tensors


def _check_tensors(manifest: Manifest, tensors: Tensors) -> None:
    if set(manifest.tensors) != set(tensors):
        raise Damaged("the model file is damaged (its tensors are not those of the manifest)")
    for name, tensor in tensors.items():
        if manifest.tensors[name] != _describe(tensor):
            raise Damaged(f"the model file is damaged (tensor {name!r} is not as the manifest says)")
        # A quantile of an empty column, and a gap in a row, are no numbers.
        gappy = name in ("features.quantiles", "explain.normal_rows")
        if not gappy and tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise Damaged(f"the model file is damaged (tensor {name!r} holds values that are not finite)")
    _check_calibration(tensors)


def _check_calibration(tensors: Tensors) -> None:
    scores, scale = tensors.get("calibration.scores"), tensors.get("calibration.scale")
    sound = (
        scores is not None
        and scale is not None
        and scores.dtype == np.float64
        and scores.ndim == 1
        and len(scores) > 0
        and bool((np.diff(scores) >= 0).all())
        and scale.shape == (1,)
        and float(scale[0]) > 0
    )
    if not sound:
        raise Damaged("the model file is damaged (its calibration is not one)")


def _describe(tensor: np.ndarray[Any, Any]) -> TensorInfo:
    return TensorInfo(
        shape=tensor.shape, dtype=str(tensor.dtype), sha256=hashlib.sha256(tensor.tobytes()).hexdigest()
    )
