"""Keeping pandas out of a command that has no use for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def keep_pandas_out() -> None:
    """Make Arrow go on without pandas, which it loads with the first array that it makes.

    It takes longer to load than a small file to score, and is needed for DataFrames alone, which commands
    never meet: the program's own processes call this, the Python API must not. What asks for pandas later
    still gets it, and so does Arrow where it is to make a DataFrame.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    # Arrow looks for it once alone.
    absent = _Absent()
    sys.meta_path.insert(0, absent)
    try:
        pa.array([None])
    finally:
        sys.meta_path.remove(absent)


class _Absent(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is not needed here", name="pandas")
        return None
