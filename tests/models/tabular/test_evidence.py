"""The model of evidence of unlike kinds, from a table to scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp, spearmanr

import aedetect
from aedetect import Detector
from aedetect.models.ensemble import mean_errors, member_errors
from aedetect.models.evaluation.evidence import EvidenceEvaluation
from aedetect.models.threads import single_threaded

SETTINGS = {
    "model.architecture": "evidence",
    "model.width": 32,
    "training.epochs": 40,
    "training.device": "cpu",
}


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """`b` follows `a`, `kind` follows `c`, which is heavy-tailed, and `d` follows nothing."""
    random = np.random.default_rng(seed)
    a, c = random.standard_normal(count), random.standard_t(3, count)
    return pd.DataFrame(
        {
            "a": a,
            "b": 2 * a + 0.2 * random.standard_normal(count),
            "c": 10 * c,
            "d": random.uniform(0, 1, count),
            "kind": np.where(c + 0.3 * random.standard_normal(count) > 0, "up", "down"),
        }
    )


def broken(count: int, seed: int = 0) -> pd.DataFrame:
    """Rows in which `b` does not follow `a`, though both are usual."""
    frame = rows(count, seed)
    random = np.random.default_rng(seed)
    frame["a"] = random.uniform(1.0, 1.6, count) * random.choice([-1, 1], count)
    frame["b"] = -2 * frame["a"]
    return frame


def scores(detector: Detector, frame: pd.DataFrame) -> np.ndarray:
    return detector.score(frame).anomaly_score.to_numpy()


def encoded(detector: Detector, frame: pd.DataFrame) -> np.ndarray:
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    return detector.fitted.encoder.transform(batch).matrix


def errors(detector: Detector, frame: pd.DataFrame) -> np.ndarray:
    with single_threaded("cpu"):
        return member_errors(detector.fitted.members[0], encoded(detector, frame), "cpu")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(SETTINGS).fit(rows(600))


@pytest.fixture(scope="module")
def fresh() -> pd.DataFrame:
    return rows(1000, seed=1)


def test_a_table_with_numbers_is_judged_by_evidence(detector: Detector) -> None:
    (model,) = detector.fitted.members
    assert isinstance(model, EvidenceEvaluation)
    assert len(model.parts["nearest"].memory) == 600


def test_a_broken_correlation_is_stranger_than_nearly_all_normal_rows(
    detector: Detector, fresh: pd.DataFrame
) -> None:
    strange, normal = scores(detector, broken(100)), scores(detector, fresh)
    assert np.quantile(strange, 0.1) > np.quantile(normal, 0.99)


def test_calibration_scores_are_distributed_as_those_of_fresh_normal_rows(
    detector: Detector, fresh: pd.DataFrame
) -> None:
    calibration, normal = detector.fitted.calibration.scores, scores(detector, fresh)
    assert len(calibration) == 600
    assert ks_2samp(calibration, normal).pvalue > 0.001
    assert (normal > np.quantile(calibration, 0.95)).mean() == pytest.approx(0.05, abs=0.03)


def test_the_mean_of_the_errors_is_the_score(detector: Detector, fresh: pd.DataFrame) -> None:
    by_feature = errors(detector, fresh)
    assert (by_feature >= 0).all()
    expected = by_feature.mean(axis=1) / detector.fitted.scale
    np.testing.assert_allclose(scores(detector, fresh), expected, rtol=1e-5)


@pytest.mark.parametrize("column", ["a", "c", "d"])
def test_errors_point_at_the_column_that_was_moved(
    detector: Detector, fresh: pd.DataFrame, column: str
) -> None:
    moved = fresh.head(100).copy()
    moved[column] += 12 * moved[column].std()
    place = detector.fitted.encoder.owners.index(column)
    assert (errors(detector, moved).argmax(axis=1) == place).mean() > 0.9
    assert (scores(detector, moved) > np.quantile(detector.fitted.calibration.scores, 0.99)).all()


def test_farther_is_stranger(detector: Detector, fresh: pd.DataFrame) -> None:
    base = fresh.head(20)
    grown = []
    for step in (5, 10, 100, 10_000):
        moved = base.copy()
        moved["d"] += step
        grown.append(scores(detector, moved))
    assert (np.diff(grown, axis=0) > 0).all()


def test_an_unheard_of_gap_is_strange_and_said_to_be_what_is(detector: Detector, fresh: pd.DataFrame) -> None:
    gappy = fresh.head(100).copy()
    gappy.loc[gappy.index < 50, "d"] = np.nan
    place = detector.fitted.encoder.owners.index("d")
    blamed = errors(detector, gappy)[:50, place] > errors(detector, fresh.head(50))[:, place]
    assert blamed.mean() > 0.9
    assert np.median(scores(detector, gappy)[:50]) > 1.5 * np.median(scores(detector, fresh))


def test_where_rows_hardly_repeat_a_learned_one_that_comes_again_is_judged_as_a_fresh_one(
    detector: Detector, fresh: pd.DataFrame
) -> None:
    again, normal = scores(detector, rows(600)), scores(detector, fresh)
    for share in (0.5, 0.9):
        assert np.quantile(again, share) == pytest.approx(np.quantile(normal, share), rel=0.25)


@pytest.mark.slow
def test_where_rows_repeat_a_learned_one_that_comes_again_is_normal() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.poisson(2.0, 600) for name in ("a", "b")})
    repeating = Detector(SETTINGS).fit(frame)
    model = repeating.fitted.members[0]
    assert isinstance(model, EvidenceEvaluation)
    assert model.arrays.values["repeats"] > 0.9
    assert scores(repeating, frame.drop_duplicates()).min() < np.median(scores(repeating, frame))


def test_as_if_it_had_not_been_learned_it_is_judged_about_as_a_fresh_one(
    detector: Detector, fresh: pd.DataFrame
) -> None:
    model, cpu = detector.fitted.members[0], "cpu"
    with single_threaded(cpu):
        again = mean_errors([model], encoded(detector, rows(600)), cpu, as_unlearned=True).mean(axis=1)
        others = mean_errors([model], encoded(detector, fresh), cpu, as_unlearned=True)
    calibration = detector.fitted.calibration.scores
    assert ks_2samp(again / detector.fitted.scale, calibration).pvalue > 0.001
    np.testing.assert_array_equal(others, errors(detector, fresh))


def test_where_rows_repeat_none_that_calibrated_is_stranger_when_it_comes_again() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "level": random.choice([1.0, 2.0, 5.0], 300, p=[0.6, 0.3, 0.1]),
            "mode": random.choice(["x", "y"], 300),
            "count": random.choice([3, 4], 300),
        }
    )
    again = Detector({**SETTINGS, "training.folds": 2}).fit(frame)
    assert scores(again, frame).max() <= again.fitted.calibration.scores.max()
    assert (again.score(frame).anomaly_p_value > 1 / 301).mean() > 0.9


def test_equal_rows_have_equal_scores_whatever_is_beside_them(
    detector: Detector, fresh: pd.DataFrame
) -> None:
    whole = scores(detector, fresh)
    np.testing.assert_allclose(scores(detector, fresh.iloc[::-1])[::-1], whole, rtol=2e-6)
    twice = scores(detector, pd.concat([fresh.iloc[700:], fresh.iloc[:300], fresh.iloc[700:]]))
    np.testing.assert_allclose(twice[:300], whole[700:], rtol=2e-6)
    np.testing.assert_allclose(twice[600:], whole[700:], rtol=2e-6)


def test_the_order_of_columns_does_not_decide(detector: Detector, fresh: pd.DataFrame) -> None:
    order = ["kind", "d", "c", "b", "a"]
    other = Detector(SETTINGS).fit(rows(600)[order])
    first, second = scores(detector, fresh), scores(other, fresh[order])
    assert spearmanr(first, second).statistic > 0.85
    assert np.quantile(scores(other, broken(100)[order]), 0.1) > np.quantile(second, 0.99)


def test_what_is_expected_of_a_column_follows_from_the_others(
    detector: Detector, fresh: pd.DataFrame
) -> None:
    (model,) = detector.fitted.members
    given = encoded(detector, fresh)
    expected = model.reconstruct(given)
    assert expected.shape == given.shape
    for name in ("a", "b"):
        place = detector.fitted.encoder.owners.index(name)
        assert np.corrcoef(expected[:, place], given[:, place])[0, 1] > 0.9


def test_a_model_file_holds_all_of_it(detector: Detector, fresh: pd.DataFrame, tmp_path: Path) -> None:
    detector.save(tmp_path / "model.aed")
    loaded = aedetect.load(tmp_path / "model.aed", device="cpu")
    np.testing.assert_array_equal(scores(loaded, fresh), scores(detector, fresh))
    np.testing.assert_array_equal(errors(loaded, fresh), errors(detector, fresh))
