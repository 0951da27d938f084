"""Which engines, of which releases, the adapters work with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from aedetect.errors import UsageError


@dataclass(frozen=True)
class Engine:
    """A package that an adapter needs; `extra` installs it. `least`: the oldest release that was tried."""

    package: str
    extra: str
    least: tuple[int, ...]

    def check(self) -> None:
        """Raises UsageError where the package is missing, or too old; it is not loaded for that."""
        install = f"pip install --upgrade 'aedetect[{self.extra}]'"
        try:
            seen = version(self.package)
        except PackageNotFoundError:
            raise UsageError(
                f"aedetect.integrations.{self.extra} needs {self.package}; install it with: {install}"
            ) from None
        if tuple(map(int, re.findall(r"\d+", seen)[: len(self.least)])) < self.least:
            least = ".".join(map(str, self.least))
            raise UsageError(
                f"aedetect.integrations.{self.extra} needs {self.package} {least} or newer, and {seen} is "
                f"installed; upgrade it with: {install}"
            )


RAY = Engine("ray", "ray", (2, 60))
SPARK = Engine("pyspark", "spark", (4, 0))
DASK = Engine("dask", "dask", (2026, 1))
