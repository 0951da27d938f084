"""Networks that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import NoReturn
from unittest.mock import patch

from aedetect.models.registry import EVALUATIONS


@contextmanager
def failing_networks(failure: Callable[[], object]) -> Iterator[None]:
    """Every network of rows fails as `failure` does, whoever has it judge rows."""

    def fail(*_: object) -> NoReturn:
        failure()
        raise AssertionError("the failure did not fail")

    with ExitStack() as stack:
        for place in EVALUATIONS.values():
            module, _, name = place.partition(":")
            for method in ("errors", "errors_as_unlearned"):
                stack.enter_context(patch.object(getattr(import_module(module), name), method, fail))
        yield
