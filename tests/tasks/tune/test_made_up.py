"""Rows made up of held-out ones: each kind breaks what it says, and none is what models learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aedetect import Detector
from aedetect.data.arrays import Matrix
from aedetect.data.features import FeatureEncoder
from aedetect.io.source import TableInput, has_rows
from aedetect.tasks.tune.made_up import Faults, MadeUp

ROWS = 300


def frame(seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    temp = random.normal(20, 3, ROWS)
    return pd.DataFrame(
        {
            "temp": temp,
            "load": 2 * temp + random.normal(0, 0.5, ROWS),
            "count": random.poisson(4, ROWS),
            "site": random.choice(["a", "b", "c"], ROWS, p=[0.6, 0.39, 0.01]),
        }
    )


@pytest.fixture(scope="module")
def encoder() -> FeatureEncoder:
    quick = {"training.epochs": 1, "training.folds": 2, "model.width": 8, "model.architecture": "principal"}
    return Detector({**quick, "training.device": "cpu"}).fit(frame()).fitted.encoder


@pytest.fixture(scope="module")
def rows(encoder: FeatureEncoder) -> Matrix:
    import pyarrow as pa

    source = TableInput(pa.Table.from_pandas(frame(1), preserve_index=False))
    assert has_rows(source)
    (batch,) = source.open(ROWS).batches()
    return encoder.transform(batch).matrix


def drawn(rows: Matrix, encoder: FeatureEncoder, seed: int = 0) -> dict[str, MadeUp]:
    made = Faults(rows, encoder, np.random.default_rng(seed)).draw(200)
    return {one.kind: one for one in made}


def changed(made: MadeUp, rows: Matrix) -> int:
    """The fewest features in which a made-up row differs from any row that is there."""
    return min(int((made.rows[0] != row).sum()) for row in rows)


def test_every_kind_is_drawn_and_none_is_a_row_that_is_there(rows: Matrix, encoder: FeatureEncoder) -> None:
    made = drawn(rows, encoder)
    assert sorted(made) == ["clustered", "exchanged", "extremes", "mirrored", "rare", "slipped"]
    there = {row.tobytes() for row in rows}
    for kind, one in made.items():
        assert np.isfinite(one.rows).all(), kind
        fresh = np.mean([row.tobytes() not in there for row in one.rows])
        # Exchanged or rare cells may be those of another row by chance.
        assert fresh > 0.9, kind


def test_a_slipped_number_is_ten_times_another(rows: Matrix, encoder: FeatureEncoder) -> None:
    made = drawn(rows, encoder)["slipped"]
    assert changed(made, rows) == 1
    values = encoder.center[0] + encoder.spread[0] * np.sinh(made.rows[:, 0].astype(float))
    assert (values > 100).any()
    assert (values < 5).any()


def test_a_rare_category_is_rare(rows: Matrix, encoder: FeatureEncoder) -> None:
    made = drawn(rows, encoder)["rare"]
    priors = encoder.layout.priors[0]
    assert (priors[made.rows[:, 3].astype(int)] <= 0.02).all()
    assert changed(made, rows) == 1


def test_counts_stay_counts(rows: Matrix, encoder: FeatureEncoder) -> None:
    there = set(np.unique(rows[:, 2]))
    for kind, one in drawn(rows, encoder).items():
        inside = (one.rows[:, 2] > min(there)) & (one.rows[:, 2] < max(there))
        assert set(one.rows[inside, 2]) <= there, kind


def test_clustered_rows_are_moved_together(rows: Matrix, encoder: FeatureEncoder) -> None:
    made = drawn(rows, encoder)["clustered"]
    moved = made.rows[:, :2].mean(axis=0) - rows[:, :2].mean(axis=0)
    assert np.abs(moved).max() > 0.5


def test_the_same_seed_draws_the_same(rows: Matrix, encoder: FeatureEncoder) -> None:
    one, again, other = (drawn(rows, encoder, seed) for seed in (1, 1, 2))
    for kind in one:
        assert np.array_equal(one[kind].rows, again[kind].rows)
        assert not np.array_equal(one[kind].rows, other[kind].rows)


def test_a_column_without_values_is_left_as_it_is(rows: Matrix, encoder: FeatureEncoder) -> None:
    gone = rows.copy()
    gone[:, 0] = np.nan
    for one in drawn(gone, encoder).values():
        assert np.isnan(one.rows[:, 0]).all()
