"""Tasks that share a process share its one limit of threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aedetect.integrations import one_thread
from aedetect.integrations.one_thread import OneThread


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What becomes of the limit."""
    happened: list[str] = []

    @contextmanager
    def limited(device: str) -> Iterator[int]:
        happened.append(f"one thread on {device}")
        yield 2
        happened.append("as before")

    monkeypatch.setattr(one_thread, "single_threaded", limited)
    return happened


def test_the_limit_is_lifted_when_the_last_task_has_gone(limits: list[str]) -> None:
    limit = OneThread()
    first, second = limit.each(), limit.each()
    first.__enter__()
    second.__enter__()
    assert limits == ["one thread on cpu"]
    first.__exit__(None, None, None)
    assert limits == ["one thread on cpu"]
    second.__exit__(None, None, None)
    assert limits == ["one thread on cpu", "as before"]


def test_a_task_that_fails_has_gone_too_and_others_may_follow(limits: list[str]) -> None:
    limit = OneThread()
    with pytest.raises(RuntimeError, match="out of luck"), limit.each():
        raise RuntimeError("out of luck")
    with limit.each():
        pass
    assert limits == ["one thread on cpu", "as before"] * 2
