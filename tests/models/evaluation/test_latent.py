"""Rows to codes and back, in numpy and in torch."""

from __future__ import annotations

import numpy as np
import torch
from support.heads import heads, in_torch, rows

BATCH = rows(64, seed=1, gaps=0.1)


def test_numpy_and_torch_agree() -> None:
    ours, theirs = heads().codes, in_torch().codes
    codes = ours.encode(BATCH)
    assert codes.shape == (64, 2)
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes, theirs.encode(torch.from_numpy(BATCH)), atol=1e-4)
    np.testing.assert_allclose(ours.decode(codes), theirs.decode(torch.from_numpy(codes)), atol=1e-4)
    np.testing.assert_allclose(ours.errors(BATCH), theirs.errors(torch.from_numpy(BATCH)), atol=1e-4)


def test_rows_are_rebuilt_from_their_codes() -> None:
    codes = heads().codes
    np.testing.assert_array_equal(codes.reconstruct(BATCH), codes.decode(codes.encode(BATCH)))


def test_what_is_missing_has_no_error() -> None:
    errors = heads().codes.errors(BATCH)
    missing = np.isnan(BATCH)
    assert missing.any()
    assert (errors[missing] == 0).all()
    assert (errors[~missing] > 0).all()


def test_a_row_does_not_depend_on_those_beside_it() -> None:
    codes, order = heads().codes, np.random.default_rng(0).permutation(64)
    np.testing.assert_array_equal(codes.encode(BATCH[order]), codes.encode(BATCH)[order])
