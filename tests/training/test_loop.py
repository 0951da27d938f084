import time

import numpy as np
import pytest
import torch
from support.layouts import layout

from aedetect.config import ModelConfig, TrainingConfig
from aedetect.errors import DataError
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import build, build_series
from aedetect.training.feed import MemoryFeed
from aedetect.training.loop import (
    Hooks,
    has_weights,
    planned_steps,
    rows_a_step,
    seeded,
    train,
    trimmed_share,
)

CPU = torch.device("cpu")


def setup(rows: int = 300, outliers: int = 0):
    random = np.random.default_rng(0)
    plane = random.standard_normal((rows, 2)).astype(np.float32)
    matrix = np.column_stack([plane, plane.sum(axis=1), plane[:, 0] - plane[:, 1]]).astype(np.float32)
    if outliers:
        matrix[:outliers] = [2, 2, -3, 3] + 0.1 * random.standard_normal((outliers, 4))
    torch.manual_seed(0)
    return build(layout(4), ModelConfig(width=32)), matrix


def run(config: TrainingConfig, hooks: Hooks | None = None, deadline=None, resume=None, outliers: int = 0):
    model, matrix = setup(outliers=outliers)
    feed = MemoryFeed(matrix[:250], config.batch_size, 0, CPU)
    with seeded(1, CPU):
        record = train(
            model,
            feed,
            torch.from_numpy(matrix[250:]),
            config,
            hooks or Hooks(),
            seed=1,
            deadline=deadline,
            resume=resume,
        )
    return model, record


def weights(model) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in model.state_dict().values()])


@pytest.mark.slow
def test_learns_and_records():
    _, record = run(TrainingConfig(epochs=60, batch_size=64))
    assert (record.steps, record.rows, record.stopped) == (240, 250, "planned")
    assert record.history[-1][2] < 0.8 * record.history[0][2]
    assert record.best_step == min(record.history, key=lambda entry: entry[2])[0]


def test_same_seed_same_weights():
    config = TrainingConfig(epochs=5)
    assert torch.equal(weights(run(config)[0]), weights(run(config)[0]))


def test_resuming_ends_as_if_never_interrupted():
    config = TrainingConfig(epochs=20)
    taken = []

    def keep(take):
        snapshot = take()
        if snapshot.state.step == 10:
            taken.append(
                type(snapshot)(
                    type(snapshot.state)(**{**vars(snapshot.state), "history": list(snapshot.state.history)}),
                    {name: tensor.clone() for name, tensor in snapshot.tensors.items()},
                    dict(snapshot.random),
                )
            )

    whole, record = run(config, Hooks(snapshot=keep))
    resumed, again = run(config, resume=taken[0])
    assert torch.equal(weights(whole), weights(resumed))
    assert record == again


def test_a_snapshot_can_be_gone_on_from_twice():
    taken = []

    def keep(take):
        if not taken:
            snapshot = take()
            state = type(snapshot.state)(**{**vars(snapshot.state), "history": list(snapshot.state.history)})
            tensors = {name: tensor.clone() for name, tensor in snapshot.tensors.items()}
            taken.append(type(snapshot)(state, tensors, dict(snapshot.random)))

    run(TrainingConfig(epochs=2), Hooks(snapshot=keep))
    names = set(taken[0].tensors)
    run(TrainingConfig(epochs=2), resume=taken[0])
    assert set(taken[0].tensors) == names == {"weights", "average", "mean", "square", "best"}


def test_an_epoch_is_as_many_steps_as_there_are_batches():
    seen = []
    _, record = run(
        TrainingConfig(epochs=3, batch_size=100),
        Hooks(lambda progress: seen.append((progress.step, progress.steps))),
    )
    assert seen == [(step, 9) for step in range(1, 10)]
    assert [step for step, _, _ in record.history] == list(range(1, 10))


def test_a_model_without_weights_is_fitted_without_a_step():
    model = build_series(WindowLayout(6, 1), ModelConfig(architecture="patches"))
    assert not has_weights(model)
    windows = torch.from_numpy(np.random.default_rng(0).standard_normal((80, 6, 1)).astype(np.float32))
    feed = MemoryFeed(windows[:60].numpy(), 16, 0, CPU)
    record = train(model, feed, windows[60:], TrainingConfig(), Hooks(), seed=0)
    assert (record.rows, record.steps, record.history) == (60, 0, ())
    # What is typical of the validation set is known by now; before, it was 1.
    assert (model.typical != 1).all()


def test_the_share_that_no_step_learns_from():
    shares = [trimmed_share(TrainingConfig(contamination=value)) for value in (0.0, 0.1, "auto")]
    assert shares == [0.0, 0.1, 0.05]


def test_stops_when_out_of_time_with_the_best_so_far():
    _, record = run(TrainingConfig(epochs=100_000), deadline=time.monotonic() + 0.3)
    assert record.stopped == "out of time"
    assert 0 < record.best_step <= record.steps < 100_000


def test_stops_early_without_progress():
    _, record = run(TrainingConfig(epochs=4000, patience=1, learning_rate=0.05))
    assert record.stopped == "early"


def test_a_diverging_loss_is_named():
    with pytest.raises(
        DataError, match="^training diverged: the loss is no longer finite; try a lower training"
    ):
        run(TrainingConfig(epochs=400, learning_rate=1e6, gradient_clip=1e9))


@pytest.mark.slow
def test_trimming_keeps_the_network_from_learning_hidden_anomalies():
    """A tight cluster off the plane, 10% of the rows: with the trimmed loss it stays strange."""
    config = TrainingConfig(epochs=300)
    matrix = torch.from_numpy(setup(outliers=25)[1])

    def contrast(settings: TrainingConfig) -> float:
        model, _ = run(settings, outliers=25)
        with torch.no_grad():
            errors = model.errors(matrix).mean(dim=1)
        return (errors[:25].median() / errors[25:].median()).item()

    assert contrast(config.model_copy(update={"contamination": 0.12})) > 2 * contrast(config)


def test_steps_are_sized_to_the_data():
    usual, few, many = TrainingConfig(), 10_000, 1_000_000
    assert planned_steps(100, few, usual) == planned_steps(1000, few, usual)
    assert planned_steps(10_000_000, few, usual) == planned_steps(1_000_000, many, usual)
    assert planned_steps(1000, few, usual) > planned_steps(1000, many, usual)
    for weights in (few, many):
        assert planned_steps(1000, weights, TrainingConfig(epochs=3, batch_size=100)) == 30


class TestRowsAStep:
    @pytest.mark.parametrize(
        ("rows", "expected"), [(100, 256), (25_599, 256), (25_600, 512), (102_400, 2048), (10_000_000, 2048)]
    )
    def test_a_gpu_takes_more_of_a_large_table(self, rows, expected):
        config = TrainingConfig()
        assert rows_a_step(rows, config, torch.device("cuda")) == expected
        assert rows_a_step(rows, config, CPU) == 256

    def test_there_are_as_many_steps(self):
        for rows in (25_600, 60_000, 10_000_000):
            size = rows_a_step(rows, TrainingConfig(), torch.device("cuda"))
            larger = TrainingConfig(batch_size=size)
            assert planned_steps(rows, 1000, larger) == planned_steps(rows, 1000, TrainingConfig())

    @pytest.mark.parametrize("settings", [{"epochs": 3}, {"batch_size": 256}])
    def test_what_is_set_counts(self, settings):
        assert rows_a_step(10**7, TrainingConfig(**settings), torch.device("cuda")) == 256
