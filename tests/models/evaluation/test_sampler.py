"""New rows, in numpy and in torch."""

from __future__ import annotations

import numpy as np
import torch
from support.heads import MEMORY_ROWS, heads, in_torch

EVERYWHERE = np.arange(MEMORY_ROWS)


def test_numpy_and_torch_agree() -> None:
    ours, theirs = heads(), in_torch()
    drawn = ours.sampler.draw(ours.repair.memory, EVERYWHERE, 200, np.random.default_rng(0))
    assert drawn.shape == (200, 6)
    assert drawn.dtype == np.float32
    same = theirs.sampler.draw(
        theirs.repair.memory, torch.from_numpy(EVERYWHERE), 200, np.random.default_rng(0)
    )
    np.testing.assert_allclose(drawn, same, atol=1e-4)


def test_a_seed_gives_the_same_rows_again() -> None:
    ours = heads()
    first, again, other = (
        ours.sampler.draw(ours.repair.memory, EVERYWHERE, 50, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_are_drawn_near_those_asked_for() -> None:
    ours = heads()
    asked = np.flatnonzero(ours.repair.memory[:, 0] > 1)
    drawn = ours.sampler.draw(ours.repair.memory, asked, 300, np.random.default_rng(0))
    everywhere = ours.sampler.draw(ours.repair.memory, EVERYWHERE, 300, np.random.default_rng(0))
    assert drawn[:, 0].mean() > 1 > everywhere[:, 0].mean()


def test_a_single_row_is_drawn_as_it_is() -> None:
    ours = heads()
    drawn = ours.sampler.draw(ours.repair.memory, EVERYWHERE[:1], 3, np.random.default_rng(0))
    np.testing.assert_allclose(drawn, np.repeat(ours.repair.memory[:1], 3, axis=0), rtol=1e-5)
