"""What is kept of a training run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from aedetect.config import Config
from aedetect.data.features.encoder import EncoderState
from aedetect.data.schema import Schema
from aedetect.data.series.scaling import SeriesState


class TrainingRecord(BaseModel):
    """What happened in training. `history` holds (step, training loss, held-out loss)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    steps: int
    best_step: int
    stopped: str
    history: tuple[tuple[int, float, float], ...]


class TensorInfo(BaseModel):
    """What the manifest says of one tensor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: tuple[int, ...]
    dtype: str
    sha256: str


class Ancestor(BaseModel):
    """An older model file, and what was done to it: 'trained on' or 'calibrated'."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    trained: str
    inputs: tuple[str, ...]
    rows: int
    then: str


class TrainingSummary(BaseModel):
    """How the model came to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: tuple[str, ...]
    rows: int
    rows_left_out: dict[str, int]
    calibration: str
    members: tuple[TrainingRecord, ...]
    device: str
    started: str
    seconds: float
    versions: dict[str, str]
    lineage: tuple[Ancestor, ...] = ()


class Manifest(BaseModel):
    """The JSON in a model file's metadata.

    `file_sha256` is the digest of the whole file with these 64 digits written as zeros.
    """

    # Pydantic before 2.10 keeps every name that begins with `model_` for itself, and warns.
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    format_version: int
    file_sha256: str
    aedetect_version: str
    model_schema: Schema
    features: EncoderState
    config: Config
    training: TrainingSummary
    series: SeriesState | None = None
    tensors: dict[str, TensorInfo]
