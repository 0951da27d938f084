import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layouts import layout

from aedetect.config import ModelConfig
from aedetect.engine.workers import ordered
from aedetect.models.ensemble import mean_errors, member_errors, window_scores
from aedetect.models.evaluation.kernels import BLOCK_ROWS
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import build, build_series
from aedetect.models.threads import single_threaded

CPU = "cpu"
MATRIX = np.random.default_rng(0).standard_normal((3000, 5)).astype(np.float32)


def model(seed: int):
    torch.manual_seed(seed)
    return build(layout(5), ModelConfig(width=32)).eval().settled()


MODEL = model(0)
WHOLE = member_errors(MODEL, MATRIX, CPU)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 2999), max_size=6))
def test_errors_do_not_depend_on_the_cut(cuts):
    parts = np.split(MATRIX, sorted(cuts))
    found = np.concatenate([member_errors(MODEL, part, CPU) for part in parts])
    assert np.array_equal(found, WHOLE)


def test_results_come_in_order_however_long_each_takes():
    ended = [threading.Event() for _ in range(5)]

    def work(index):
        # The first and the third end after the one that follows them.
        if index in (0, 2):
            assert ended[index + 1].wait(timeout=60)
        ended[index].set()
        return index

    assert list(ordered(work, range(5), workers=3)) == [0, 1, 2, 3, 4]


def test_an_error_in_a_thread_is_raised_where_its_result_is_due():
    found = []
    with pytest.raises(ZeroDivisionError):
        found.extend(ordered(lambda number: 1 // number, [1, 1, 0, 1], workers=2))
    assert found == [1, 1]


def test_torch_gets_its_threads_back():
    before = torch.get_num_threads()
    with single_threaded(CPU) as threads:
        assert (threads, torch.get_num_threads()) == (before, 1)
    assert torch.get_num_threads() == before


def test_members_are_averaged():
    models = [model(0), model(1)]
    each = [member_errors(one, MATRIX[:10], CPU) for one in models]
    np.testing.assert_allclose(mean_errors(models, MATRIX[:10], CPU), (each[0] + each[1]) / 2, rtol=1e-6)


def test_nothing_in_nothing_out():
    assert mean_errors([MODEL], MATRIX[:0], CPU).shape == (0, 5)
    assert len(MATRIX) > 2 * BLOCK_ROWS


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_short_segment_is_scored_as_it_is(
    channels: int, missing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, steps = np.random.default_rng(channels), 12
    segment = random.standard_normal((60, channels)).astype(np.float32)
    learned = np.lib.stride_tricks.sliding_window_view(segment, steps, axis=0).transpose(0, 2, 1).copy()
    network = build_series(WindowLayout(steps, channels), ModelConfig())
    windows = torch.from_numpy(learned)
    network.fit_score_normalisation(windows[:20], windows, torch.zeros(len(windows), dtype=torch.bool))
    judge = network.eval().settled()
    segment[random.random(segment.shape) < missing] = np.nan
    given: list[int] = []
    score = judge.sliding_scores

    def seen(part: np.ndarray, left: int, right: int) -> np.ndarray:
        given.append(len(part))
        return score(part, left, right)

    monkeypatch.setattr(judge, "sliding_scores", seen)
    scores = window_scores([judge], segment, steps, CPU)
    assert np.isfinite(scores).all()
    # In a block of the usual size they would round alike, and take many times as long.
    monkeypatch.setattr(type(judge), "rounds_alike", False)
    np.testing.assert_array_equal(window_scores([judge], segment, steps, CPU), scores)
    assert given == [60, BLOCK_ROWS + steps - 1]
