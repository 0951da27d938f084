import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout

from aedetect.config import ModelConfig
from aedetect.inference import BLOCK_ROWS, mean_errors, member_errors
from aedetect.models import build

CPU = torch.device("cpu")
MATRIX = np.random.default_rng(0).standard_normal((3000, 5)).astype(np.float32)


def model(seed: int):
    torch.manual_seed(seed)
    return build(layout(5), ModelConfig(width=32)).eval()


MODEL = model(0)
WHOLE = member_errors(MODEL, MATRIX, CPU)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 2999), max_size=6))
def test_errors_do_not_depend_on_the_cut(cuts):
    parts = np.split(MATRIX, sorted(cuts))
    found = np.concatenate([member_errors(MODEL, part, CPU) for part in parts])
    assert np.array_equal(found, WHOLE)


def test_errors_do_not_depend_on_the_number_of_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert np.array_equal(member_errors(MODEL, MATRIX, CPU), WHOLE)
    finally:
        torch.set_num_threads(before)


def test_members_are_averaged():
    models = [model(0), model(1)]
    each = [member_errors(one, MATRIX[:10], CPU) for one in models]
    np.testing.assert_allclose(mean_errors(models, MATRIX[:10], CPU), (each[0] + each[1]) / 2, rtol=1e-6)


def test_nothing_in_nothing_out():
    assert mean_errors([MODEL], MATRIX[:0], CPU).shape == (0, 5)
    assert len(MATRIX) > 2 * BLOCK_ROWS
