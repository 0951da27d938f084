"""The columns that scoring adds."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from aedetect.errors import UsageError
from aedetect.scoring.base import Scores
from aedetect.scoring.result_columns import (
    check_free,
    result_arrays,
    result_names,
    result_schema,
    top_attribution,
)

CONTRACT = {
    "anomaly_score": pa.float64(),
    "anomaly_p_value": pa.float64(),
    "is_anomaly": pa.bool_(),
    "anomaly_features": pa.string(),
    "anomaly_status": pa.string(),
}


def shares(*values: float) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize("prefix", ["", "new_"])
def test_names_and_types_are_the_contract(prefix: str) -> None:
    schema = result_schema(prefix)
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        prefix + name: kind for name, kind in CONTRACT.items()
    }


@pytest.mark.parametrize("name", CONTRACT)
def test_a_clash_names_the_way_out(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_free(["a", name], result_names(""), "x.csv")
    assert str(caught.value) == (
        f"x.csv: has a column '{name}' already, which scoring would add; give --prefix, e.g. --prefix new_"
    )
    check_free(["a", name], result_names("new_"), "x.csv")


def test_unscorable_rows_are_null_and_never_false() -> None:
    verdicts = Scores(
        scores=np.array([1.0, np.nan, 9.0]),
        p_values=np.array([0.5, np.nan, 0.01]),
        flagged=np.array([False, False, True]),
        unscorable=np.array([False, True, False]),
        attribution=np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.8]], dtype=np.float32),
        encoded=None,  # type: ignore[arg-type]
        warmup=np.zeros(3, dtype=np.bool_),
    )
    arrays = result_arrays(verdicts, ["a", "b"], top=1)
    assert [array.type for array in arrays] == list(CONTRACT.values())
    assert [array.to_pylist() for array in arrays] == [
        [1.0, None, 9.0],
        [0.5, None, 0.01],
        [False, None, True],
        [None, None, '{"b": 0.8}'],
        ["ok", "unscorable", "ok"],
    ]


@pytest.mark.parametrize(
    ("values", "top", "expected"),
    [
        ((0.1, 0.62, 0.28), 3, {"b": 0.62, "c": 0.28, "a": 0.1}),
        ((0.1, 0.62, 0.28), 2, {"b": 0.62, "c": 0.28}),
        ((0.97, 0.02, 0.01), 3, {"a": 0.97}),
        ((1 / 3, 1 / 3, 1 / 3), 1, {"a": 0.33}),
        ((0.0, 0.0, 0.0), 3, {"a": 0.0}),
    ],
)
def test_blame_names_the_largest_shares_first(
    values: tuple[float, ...], top: int, expected: dict[str, float]
) -> None:
    found = json.loads(top_attribution(shares(*values), ["a", "b", "c"], top))
    assert list(found.items()) == list(expected.items())


def test_column_names_are_written_as_they_are() -> None:
    assert top_attribution(shares(1.0), ['é"\n'], 1) == '{"é\\"\\n": 1.0}'


def test_no_share_is_written_that_json_does_not_know() -> None:
    with pytest.raises(ValueError, match="JSON"):
        top_attribution(shares(float("nan")), ["a"], 1)
