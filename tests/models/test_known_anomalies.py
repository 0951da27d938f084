"""Evidence from known anomalies."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import ks_2samp

from aedetect.models.known_anomalies import Judged, KnownAnomalies
from aedetect.models.live import as_tensor, settled

WIDTH, PARTS = 4, 2
KIND = torch.tensor([2.5, -2.5, 0.0, 0.0])


def drawn(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, WIDTH, generator=torch.Generator().manual_seed(seed))


NORMAL = drawn(600)


def judged(points: torch.Tensor) -> Judged:
    """Points as a model sees them that knows `NORMAL`, of which none is its own neighbour."""
    apart = torch.cdist(points, NORMAL)
    nearest = torch.where(apart > 1e-3, apart, torch.inf).amin(dim=1)
    surprises = torch.stack([points.abs().amax(dim=1), points.square().mean(dim=1)], dim=1)
    return Judged(points, nearest.log(), surprises)


def kin(rows: int, seed: int) -> torch.Tensor:
    """Anomalies of one kind."""
    return KIND + 0.5 * drawn(rows, seed)


def fitted(known: torch.Tensor, folds: torch.Tensor) -> tuple[KnownAnomalies, torch.Tensor]:
    anomalies = KnownAnomalies(WIDTH, PARTS)
    return anomalies, anomalies.fit(judged(known), judged(NORMAL), folds)


def surprises(anomalies: KnownAnomalies, points: torch.Tensor) -> torch.Tensor:
    seen = judged(points)
    arrays = (settled(values) for values in (seen.points, seen.log_distances, seen.surprises))
    return as_tensor(anomalies.settled()(*arrays))


THREE_FOLDS = torch.arange(len(NORMAL)) % 3
SOME_CALIBRATE = torch.where(torch.arange(len(NORMAL)) < 300, 0, -1)


def test_where_none_is_known_nothing_is_added() -> None:
    assert torch.equal(surprises(KnownAnomalies(WIDTH, PARTS), drawn(20)), torch.zeros(20))


@pytest.mark.parametrize("count", [1, 3, 100])
@pytest.mark.parametrize("folds", [THREE_FOLDS, SOME_CALIBRATE], ids=["three", "some"])
def test_what_is_like_a_known_anomaly_is_more_surprising_than_normal_rows(
    count: int, folds: torch.Tensor
) -> None:
    anomalies, _ = fitted(kin(count, 1), folds)
    normal, others = surprises(anomalies, drawn(500, seed=2)), surprises(anomalies, kin(100, 3))
    assert others.median() > normal.quantile(0.98)
    assert (normal >= 0).all()
    assert torch.isfinite(others).all()


def test_a_repeat_of_a_known_anomaly_is_the_most_surprising_of_all() -> None:
    known = kin(20, 1)
    anomalies, _ = fitted(known, THREE_FOLDS)
    assert surprises(anomalies, known).min() > surprises(anomalies, drawn(500, seed=2)).quantile(0.99)


@pytest.mark.parametrize("folds", [THREE_FOLDS, SOME_CALIBRATE], ids=["three", "some"])
def test_held_out_surprises_are_distributed_as_those_of_other_normal_rows(folds: torch.Tensor) -> None:
    anomalies, held_out = fitted(kin(60, 1), folds)
    assert held_out.shape == (int((folds >= 0).sum()),)
    assert ks_2samp(held_out.numpy(), surprises(anomalies, drawn(1000, seed=2)).numpy()).pvalue > 0.001


def test_held_out_surprises_are_in_the_order_of_the_rows() -> None:
    anomalies, held_out = fitted(kin(60, 1), SOME_CALIBRATE)
    # One regression, and distances that leave out the row itself: the same once more.
    again = surprises(anomalies, NORMAL[SOME_CALIBRATE >= 0])
    torch.testing.assert_close(held_out, again, rtol=1e-2, atol=1e-2)


def test_no_row_teaches_the_regression_that_judges_it() -> None:
    points = NORMAL.clone()
    points[0] = KIND
    anomalies = KnownAnomalies(WIDTH, PARTS)
    held_out = anomalies.fit(judged(kin(5, 1)), judged(points), THREE_FOLDS)
    assert held_out.argmax() == 0


@pytest.mark.parametrize("count", [0, 1, 50])
def test_what_loads_anothers_buffers_is_the_same(count: int) -> None:
    anomalies, other = KnownAnomalies(WIDTH, PARTS), KnownAnomalies(WIDTH, PARTS)
    if count:
        anomalies, _ = fitted(kin(count, 1), THREE_FOLDS)
    other.load_state_dict(anomalies.state_dict())
    points = torch.cat([drawn(20, seed=2), kin(20, 3)])
    assert torch.equal(surprises(other, points), surprises(anomalies, points))
    assert len(other.points) == count
