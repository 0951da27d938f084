"""t-digests of the parts of a table as one."""

from __future__ import annotations

from typing import Any


def merged(digest: Any, later: Any, size: int) -> Any:
    """A digest of all numbers in two; the first, if it is not of `size` as parts are, is changed.

    It is of twice that size: put into one of their own, parts would be less exact together than each is.
    Digests that come from elsewhere arrive compressed. All are compressed here, so that the sum is the same
    wherever they come from.
    """
    import datasketches

    if digest.k == size:
        digest.compress()
        whole = datasketches.tdigest_double(2 * size)
        whole.merge(digest)
        digest = whole
    later.compress()
    digest.merge(later)
    digest.compress()
    return digest
