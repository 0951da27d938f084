"""Names and order of the tensors in model files: files written by earlier versions must go on loading."""

from __future__ import annotations

import pytest
from support.layouts import layout

from aedetect.config import ModelConfig
from aedetect.models.auxiliary.heads import AuxiliaryHeads
from aedetect.models.base import WindowLayout
from aedetect.models.registry import build, build_series


def perceptron(name: str, depth: int) -> list[str]:
    """Tensors of a `ResidualMLP`."""
    layers = ["first", *(f"others.{index}" for index in range(depth - 1))]
    return [f"{name}.{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


def linear(*names: str) -> list[str]:
    return [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]


def bank(name: str) -> list[str]:
    """Tensors of a `MemoryBank`."""
    return [f"{name}.{buffer}" for buffer in ("points", "penalties", "temperature", "typical")]


DENOISER = ["reference", *perceptron("hidden", 2), *linear("change")]
INNER_DENOISER = [f"denoiser.{name}" for name in DENOISER]
ROWS = {
    "memory": ["basis", *INNER_DENOISER, *bank("latents"), *bank("rows")],
    # The columns, shared with the denoiser, hold nothing that is stored.
    "principal": ["basis", "center", "counts", "level", "typical", *INNER_DENOISER],
    "denoising": DENOISER,
    "variational": [
        *perceptron("encoder", 2),
        *linear("mean", "log_variance"),
        *perceptron("decoder.0", 2),
        *linear("decoder.1"),
    ],
    "bottleneck": [
        *perceptron("encoder.0", 2),
        *linear("encoder.1"),
        *perceptron("decoder.0", 2),
        *linear("decoder.1"),
    ],
}
WINDOWS = {
    "patches": ["basis", "center", "weights", "typical", *bank("memory")],
    "convolutional": [
        "reference",
        *linear("entrance", "layers.0", "layers.1", "layers.2", "layers.3", "exit"),
    ],
}
HEADS = [
    *("codes.basis", "codes.center", "codes.spread", "codes.residual"),
    *("codes.columns.gain", "codes.columns.shift"),
    *perceptron("codes.entrance", 2),
    *linear("codes.bend"),
    *perceptron("codes.exit", 2),
    *linear("codes.unbend"),
    *(f"repair.{name}" for name in ("basis", "variances", "noise", "center", "memory", "closeness")),
    *("repair.columns.gain", "repair.columns.shift"),
    *perceptron("repair.blend.hidden", 3),
    *linear("repair.blend.change"),
    *("sampler.reach", "sampler.repeating"),
]


@pytest.mark.parametrize("architecture", ROWS)
def test_tensors_of_models_of_rows(architecture: str) -> None:
    model = build(layout(2, 3, gaps=True), ModelConfig(architecture=architecture, width=8, depth=2))
    assert list(model.state_dict()) == ROWS[architecture]


@pytest.mark.parametrize("architecture", WINDOWS)
def test_tensors_of_models_of_windows(architecture: str) -> None:
    model = build_series(WindowLayout(12, 2), ModelConfig(architecture=architecture, width=8))
    assert list(model.state_dict()) == WINDOWS[architecture]


def test_tensors_of_the_auxiliary_heads() -> None:
    heads = AuxiliaryHeads(layout(2, 3), ModelConfig(width=8), code_size=2, factors=2, memory_size=5)
    assert list(heads.state_dict()) == HEADS
