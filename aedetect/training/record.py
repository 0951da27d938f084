"""What is kept of a training run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TrainingRecord(BaseModel):
    """What happened in training. `history` holds (step, training loss, held-out loss)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    steps: int
    best_step: int
    stopped: str
    history: tuple[tuple[int, float, float], ...]
