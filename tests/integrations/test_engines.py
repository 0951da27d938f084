"""Engines that are missing or too old are named, with what to do; adapters load none by themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from aedetect.errors import UsageError
from aedetect.integrations import engines
from aedetect.integrations.engines import Engine

# None of these is to be loaded with an adapter.
HEAVY = ("torch", "pandas", "sklearn", "ray", "pyspark", "dask", "distributed", "typer", "rich")


@pytest.mark.parametrize("name", ["ray", "spark", "dask"])
def test_loading_an_adapter_is_cheap(name: str) -> None:
    code = f"import sys, aedetect.integrations.{name}; print(sorted(set({HEAVY}) & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"[]\n"


def test_a_missing_engine_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(engines, "version", version)
    said = (
        "aedetect.integrations.spark needs pyspark; install it with: pip install --upgrade 'aedetect[spark]'"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(said)}$"):
        engines.SPARK.check()


@pytest.mark.parametrize(("seen", "will_do"), [
    ("1.9.12", False), ("1", False), ("1.10", True), ("1.10.0rc1", True), ("1.11.dev3+x", True), ("2", True),
])  # fmt: skip
def test_an_engine_that_is_too_old_is_named_with_both_versions(
    monkeypatch: pytest.MonkeyPatch, seen: str, will_do: bool
) -> None:
    monkeypatch.setattr(engines, "version", lambda package: seen)
    engine = Engine("ray", "ray", (1, 10))
    if will_do:
        engine.check()
        return
    said = (
        f"aedetect.integrations.ray needs ray 1.10 or newer, and {seen} is installed; "
        "upgrade it with: pip install --upgrade 'aedetect[ray]'"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(said)}$"):
        engine.check()
