"""Checkpoints of an unfinished training run: safetensors, nothing that runs code."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from aedetect.errors import ModelError
from aedetect.io.atomic import atomic_output
from aedetect.scoring.manifest import TrainingRecord
from aedetect.training.loop import LoopState, Snapshot

FORMAT = "aedetect-checkpoint-1"


class Checkpointer:
    """Writes the state of a run of one or more members to `path`, at most every `seconds`.

    Without a path it keeps nothing. `fingerprint` names the data and settings of the run: a
    checkpoint of another run is refused. `finished` and `records` are those of the members that a
    checkpoint holds whole.
    """

    def __init__(self, path: Path | None, seconds: float, fingerprint: str):
        self.path = path
        self._seconds = seconds
        self._fingerprint = fingerprint
        self._written = time.monotonic()
        self.finished: list[dict[str, Tensor]] = []
        self.records: list[TrainingRecord] = []

    @classmethod
    def none(cls) -> Checkpointer:
        """One that keeps nothing."""
        return cls(None, 0.0, "")

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to load."""
        return self.path is not None and self.path.exists()

    def offer(self, take: Callable[[], Snapshot]) -> None:
        """Save the snapshot that `take` makes, if it is time."""
        if self.path is not None and time.monotonic() - self._written >= self._seconds:
            self._write(self.path, take())
            self._written = time.monotonic()

    def member_done(self, weights: dict[str, Tensor], record: TrainingRecord) -> None:
        """Keep a finished member for the checkpoints to come."""
        if self.path is None:
            return
        self.finished.append({name: tensor.cpu().clone() for name, tensor in weights.items()})
        self.records.append(record)

    def _write(self, path: Path, snapshot: Snapshot) -> None:
        from safetensors.torch import save

        tensors = {f"weights.{name}": tensor for name, tensor in snapshot.tensors.items()}
        tensors |= {f"random.{name}": tensor for name, tensor in snapshot.random.items()}
        for index, weights in enumerate(self.finished):
            tensors |= {f"finished.{index}.{name}": tensor for name, tensor in weights.items()}
        notes = {
            "state": asdict(snapshot.state),
            "records": [record.model_dump() for record in self.records],
        }
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        text = json.dumps(notes)
        metadata = {
            "format": FORMAT,
            "fingerprint": self._fingerprint,
            "notes": text,
            "sha256": _digest(text, tensors),
        }
        data = save(tensors, metadata)
        with atomic_output(path) as stream:
            stream.write(data)

    def load(self, device: torch.device) -> Snapshot | None:
        """The snapshot to go on from, or None where there is no checkpoint.

        Also takes up the members already finished. Raises ModelError for a damaged checkpoint or
        one of other data or settings.
        """
        from safetensors import SafetensorError, safe_open

        if self.path is None or not self.has_checkpoint:
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if metadata.get("format") != FORMAT:
                raise ModelError(
                    f"{self.path}: not a checkpoint of this version; drop --resume to start over"
                )
            if metadata.get("fingerprint") != self._fingerprint:
                raise ModelError(
                    f"{self.path}: this checkpoint was made with other data or settings; "
                    "repeat the same command, or drop --resume to start over"
                )
            if metadata["sha256"] != _digest(metadata["notes"], tensors):
                raise ValueError("its digest does not match")
            notes = json.loads(metadata["notes"])
            self.records = [TrainingRecord.model_validate(record) for record in notes["records"]]
            state = LoopState(**notes["state"])
            state.history = [(int(step), float(loss), float(value)) for step, loss, value in state.history]
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ModelError(
                f"{self.path}: the checkpoint is damaged ({error}); drop --resume to start over"
            ) from None
        finished: dict[int, dict[str, Tensor]] = {}
        parts: dict[str, dict[str, Tensor]] = {"weights": {}, "random": {}}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "finished":
                index, _, key = rest.partition(".")
                finished.setdefault(int(index), {})[key] = tensor
            else:
                parts[kind][rest] = tensor
        self.finished = [finished[index] for index in sorted(finished)]
        weights = {name: tensor.to(device) for name, tensor in parts["weights"].items()}
        return Snapshot(state, weights, parts["random"])


def _digest(notes: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(notes.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
