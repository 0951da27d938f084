"""Checkpoints of an unfinished training run: safetensors, nothing that runs code."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aedetect.errors import ModelError
from aedetect.io.atomic import atomic_output
from aedetect.training.loop import LoopState
from aedetect.training.record import TrainingRecord

FORMAT = "aedetect-checkpoint-1"
_KINDS = ("model", "average", "best", "random")


class Checkpointer:
    """Writes the state of a run of one or more members to `path`, at most every `seconds`.

    `fingerprint` names the data and settings of the run: a checkpoint of another run is refused.
    """

    def __init__(self, path: Path, seconds: float, fingerprint: str):
        self.path = path
        self._seconds = seconds
        self._fingerprint = fingerprint
        self._written = time.monotonic()
        self.finished: list[dict[str, Tensor]] = []
        self.records: list[TrainingRecord] = []

    def offer(self, state: LoopState) -> None:
        if time.monotonic() - self._written >= self._seconds:
            self._write(state)
            self._written = time.monotonic()

    def member_done(self, weights: dict[str, Tensor], record: TrainingRecord) -> None:
        self.finished.append({name: tensor.cpu().clone() for name, tensor in weights.items()})
        self.records.append(record)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _write(self, state: LoopState) -> None:
        from safetensors.torch import save

        tensors: dict[str, Tensor] = {}
        for kind in _KINDS:
            tensors |= {f"{kind}.{name}": tensor for name, tensor in getattr(state, kind).items()}
        for index, slots in state.optimizer.items():
            tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in slots.items()}
        for index, weights in enumerate(self.finished):
            tensors |= {f"finished.{index}.{name}": tensor for name, tensor in weights.items()}
        notes = {
            "step": state.step,
            "epoch": state.epoch,
            "batch": state.batch,
            "recent": state.recent,
            "best_step": state.best_step,
            "best_loss": state.best_loss,
            "history": state.history,
            "records": [record.model_dump() for record in self.records],
        }
        data = save(
            {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()},
            {"format": FORMAT, "fingerprint": self._fingerprint, "state": json.dumps(notes)},
        )
        with atomic_output(self.path) as stream:
            stream.write(data)

    def load(self, device: torch.device) -> LoopState | None:
        """The state to go on from, or None where there is no checkpoint.

        Also takes up the members already finished. Raises ModelError for a damaged checkpoint or
        one of other data or settings.
        """
        from safetensors import SafetensorError, safe_open

        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                notes = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if notes.get("format") != FORMAT:
                raise ModelError(
                    f"{self.path}: not a checkpoint of this version; drop --resume to train anew"
                )
            if notes.get("fingerprint") != self._fingerprint:
                raise ModelError(
                    f"{self.path}: this checkpoint was made with other data or settings; "
                    "repeat the same command, or drop --resume to train anew"
                )
            return self._restore(json.loads(notes["state"]), tensors, device)
        except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise ModelError(
                f"{self.path}: the checkpoint is damaged ({error}); drop --resume to train anew"
            ) from None

    def _restore(
        self,
        notes: dict[str, Any],
        tensors: dict[str, Tensor],
        device: torch.device,
    ) -> LoopState:
        parts: dict[str, dict[str, Tensor]] = {kind: {} for kind in _KINDS}
        slots: dict[int, dict[str, Tensor]] = {}
        finished: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            if kind in parts:
                parts[kind][rest] = tensor if kind == "random" else tensor.to(device)
            elif kind in ("optimizer", "finished"):
                index, _, key = rest.partition(".")
                group = slots if kind == "optimizer" else finished
                group.setdefault(int(index), {})[key] = tensor
        self.finished = [finished[index] for index in sorted(finished)]
        self.records = [TrainingRecord.model_validate(record) for record in notes["records"]]
        return LoopState(
            parts["model"],
            parts["average"],
            parts["best"],
            slots,
            random=parts["random"],
            step=notes["step"],
            epoch=notes["epoch"],
            batch=notes["batch"],
            recent=notes["recent"],
            best_step=notes["best_step"],
            best_loss=notes["best_loss"],
            history=[(int(step), float(loss), float(value)) for step, loss, value in notes["history"]],
        )
