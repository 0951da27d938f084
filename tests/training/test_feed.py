import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from aedetect.training.feed import MemoryFeed

CPU = torch.device("cpu")


def numbered(rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.float32)[:, None]


def memory_feed(rows: int, batch: int, seed: int = 0):
    return MemoryFeed(numbered(rows), batch, seed, CPU)


@given(rows=st.integers(1, 200), batch=st.integers(1, 64))
def test_an_epoch_gives_every_row_once(rows, batch):
    batches = list(memory_feed(rows, batch).epoch(0))
    assert all(0 < len(found) <= batch for found in batches)
    assert sorted(torch.cat(batches).flatten().tolist()) == list(range(rows))


def test_order_depends_on_seed_and_epoch_alone():
    def order(seed: int, epoch: int):
        return torch.cat(list(memory_feed(100, 8, seed).epoch(epoch))).flatten().tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)
