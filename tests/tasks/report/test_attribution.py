"""Shares of the error, added up over flagged rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from aedetect.tasks.report.attribution import AttributionTotals, ColumnAttribution

ROWS = np.array([[0.2, 0.8], [1.0, 0.0], [0.6, 0.4], [0.0, 1.0]], dtype=np.float32)
FLAGGED = np.array([True, False, True, True])


def totals(*parts: slice) -> list[ColumnAttribution]:
    found = AttributionTotals(["a", "b"])
    for part in parts:
        found.add(SimpleNamespace(attribution=ROWS[part], flagged=FLAGGED[part]))  # type: ignore[arg-type]
    return found.ranking()


def test_shares_are_means_over_flagged_rows_largest_first() -> None:
    first, second = totals(slice(0, 4))
    assert (first.column, first.first, second.column, second.first) == ("b", 2, "a", 1)
    np.testing.assert_allclose([first.share, second.share], [2.2 / 3, 0.8 / 3], rtol=1e-6)


def test_batches_do_not_matter() -> None:
    for one, other in zip(totals(slice(0, 4)), totals(slice(0, 1), slice(1, 2), slice(2, 4)), strict=True):
        assert (one.column, one.first) == (other.column, other.first)
        np.testing.assert_allclose(one.share, other.share, rtol=1e-6)


def test_nothing_flagged_is_nothing() -> None:
    assert totals(slice(1, 2)) == [ColumnAttribution("a", 0.0, 0), ColumnAttribution("b", 0.0, 0)]
