import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aedetect.training.feed import MemoryFeed, StreamFeed

CPU = torch.device("cpu")


def numbered(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.float32)[:, None]


def memory_feed(rows: int, batch: int, seed: int = 0):
    return MemoryFeed(numbered(rows), batch, seed, CPU)


def stream_feed(rows: int, batch: int, seed: int = 0, block: int = 7, buffer: int = 20):
    blocks = [numbered(rows)[start : start + block] for start in range(0, rows, block)]
    return StreamFeed(lambda: iter(blocks), rows, buffer, batch, seed, CPU)


@pytest.mark.parametrize("make", [memory_feed, stream_feed])
@given(rows=st.integers(1, 200), batch=st.integers(1, 64))
def test_an_epoch_gives_every_row_once(make, rows, batch):
    batches = list(make(rows, batch).epoch(0))
    assert all(0 < len(found) <= batch for found in batches)
    assert sorted(torch.cat(batches).flatten().tolist()) == list(range(rows))


@pytest.mark.parametrize("make", [memory_feed, stream_feed])
def test_order_depends_on_seed_and_epoch_alone(make):
    def order(seed: int, epoch: int):
        return torch.cat(list(make(100, 8, seed).epoch(epoch))).flatten().tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_a_stream_is_mixed_beyond_its_blocks():
    first = next(stream_feed(1000, 50, block=10, buffer=500).epoch(0)).flatten()
    assert first.max() - first.min() > 200
