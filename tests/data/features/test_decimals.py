from __future__ import annotations

import numpy as np
import pytest

from aedetect.data.features.decimals import MANY, decimals_of


@pytest.mark.parametrize(
    ("quantiles", "decimals"),
    [
        ([1.5, 2.5, 9.0], 1),
        ([1.25, 2.5, 9.0], 2),
        # Between two cells a quantile has more decimals than either.
        ([1.25, 1.875, 2.5, 9.0], 2),
        ([1.234567, 2.5, 9.0], MANY),
        ([np.nan, np.nan], MANY),
    ],
)
def test_decimals_are_those_of_the_cells_among_the_quantiles(quantiles: list[float], decimals: int) -> None:
    assert decimals_of(np.array(quantiles)) == decimals
