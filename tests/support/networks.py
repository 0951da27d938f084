"""Networks that fail when they are asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NoReturn

from torch.nn.modules.module import register_module_forward_pre_hook


@contextlib.contextmanager
def failing_networks(failure: Callable[[], object]) -> Iterator[None]:
    """Every network fails as `failure` does, whoever calls it."""

    def fail(*_: object) -> NoReturn:
        failure()
        raise AssertionError("the failure did not fail")

    handle = register_module_forward_pre_hook(fail)
    try:
        yield
    finally:
        handle.remove()
