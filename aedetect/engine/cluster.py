"""Workers that pieces of a run are handed to: this process, or others on any number of machines.

To add another kind of cluster, write a class with the members of `Workers` in a file beside, and name it in
`places.opened_workers`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# Of one item, after which it is given up: what kills three workers would kill a fourth.
MOST_DEATHS = 3


@dataclass(frozen=True)
class Lost:
    """What stands for the result of an item that was given up, since workers died of it."""

    deaths: int


class Workers(Protocol):
    """Computes results of items, wherever."""

    @property
    def number(self) -> int:
        """How many items are worked on at once."""
        ...

    @property
    def taken_part(self) -> int | None:
        """How many workers of a cluster have given results so far; None where there is no cluster."""
        ...

    def map(
        self,
        build: Callable[[int], Callable[[Item], Result]],
        items: Sequence[Item],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Result | Lost]:
        """The result of each item, in their order.

        `build`, given a number of threads, makes what works on the items; it is made once a worker, and can
        be pickled, as items and results can. The item of a worker that dies is done again by another. Raises
        what working on an item raises.

        `helpings`: how many items are handed out at once, one helping after the other; each by itself if
        None. `ahead`: how many items work may be ahead of who takes the results.
        """
        ...


class Here:
    """One item after the other, in this process, by all its threads."""

    number = 1
    taken_part = None

    def map(
        self,
        build: Callable[[int], Callable[[Item], Result]],
        items: Sequence[Item],
        helpings: Sequence[int] | None = None,
        ahead: int | None = None,
    ) -> Generator[Result | Lost]:
        work = build(os.cpu_count() or 1)
        for item in items:
            yield work(item)
