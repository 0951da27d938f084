from __future__ import annotations

from typing import Any

import datasketches
import numpy as np
import pytest

from aedetect.data.digests import merged


def digest(values: np.ndarray) -> Any:
    made = datasketches.tdigest_double(100)
    made.update(values)
    return made


def sent(one: Any) -> Any:
    return datasketches.tdigest_double.deserialize(one.serialize())


@pytest.mark.parametrize("parts", [2, 7, 40])
def test_the_sum_is_the_same_wherever_parts_come_from(parts: int) -> None:
    values = np.random.default_rng(parts).lognormal(size=9000)
    here, there = (None, None)
    for part in np.array_split(values, parts):
        here = digest(part) if here is None else merged(here, digest(part), 100)
        there = sent(digest(part)) if there is None else merged(there, sent(digest(part)), 100)
    assert here.serialize() == there.serialize()
    assert (here.k, here.get_total_weight()) == (200, 9000)
    assert (here.get_min_value(), here.get_max_value()) == (values.min(), values.max())
