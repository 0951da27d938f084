"""Memory is given back, or nothing happens, wherever it runs."""

from __future__ import annotations

import sys

import pytest

from aedetect.engine.heap import give_back


@pytest.mark.parametrize("platform", [sys.platform, "win32"])
def test_it_does_no_harm(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    give_back()
