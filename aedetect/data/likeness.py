"""Names that were never seen, and the known ones that they may be another spelling of."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

# Of very many distinct names, the frequent ones are remembered.
_REMEMBERED, _PRUNED_AT = 1000, 4000
_SHOWN, _LONGEST = 3, 40


@dataclass(frozen=True)
class KnownNames:
    """The names that a column has."""

    names: tuple[str, ...]

    def alike(self, name: str) -> str | None:
        """What `name` may be meant as: "'Paris' in another case"; None where nothing known is like it."""
        known = self._folded.get(name.casefold())
        if known is not None and known != name:
            return f"{known!r} in another case"
        known = self._bare.get(_bare(name))
        return f"{known!r} in another spelling" if known is not None and known != name else None

    @cached_property
    def _folded(self) -> dict[str, str]:
        # The most frequent come first, and win.
        return {name.casefold(): name for name in reversed(self.names)}

    @cached_property
    def _bare(self) -> dict[str, str]:
        bare = {_bare(name): name for name in reversed(self.names)}
        bare.pop("", None)
        return bare


class NameCounts:
    """Rows by name, of which there may be very many."""

    def __init__(self) -> None:
        self.rows = 0
        self.counts: Counter[str] = Counter()

    def add(self, counts: Counter[str]) -> None:
        """Take in further rows."""
        self.rows += counts.total()
        self.counts.update(counts)
        if len(self.counts) > _PRUNED_AT:
            self.counts = Counter(dict(self.counts.most_common(_REMEMBERED)))

    def merge(self, other: NameCounts) -> None:
        """Take in what was counted elsewhere."""
        rows = self.rows + other.rows
        self.add(other.counts)
        self.rows = rows

    def ranked(self, known: KnownNames) -> list[NameLike]:
        """All names, those first that may be another spelling of a known one, then by rows."""
        names = [NameLike(name, rows, known.alike(name)) for name, rows in self.counts.items()]
        return sorted(names, key=lambda one: (one.like is None, -one.rows, one.name))


@dataclass(frozen=True)
class NameLike:
    """A name, how many rows have it, and what it may be meant as."""

    name: str
    rows: int
    like: str | None


def listed(names: Iterable[NameLike]) -> str:
    """Names in words: "'PARIS' in 34 rows ('Paris' in another case?), 'x' in 1 row and 2 more"."""
    every = list(names)
    shown = ", ".join(_in_words(one) for one in every[:_SHOWN])
    return shown + (f" and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else "")


def _in_words(one: NameLike) -> str:
    name = (
        one.name if len(one.name) <= _LONGEST else f"{one.name[: _LONGEST // 2]}…{one.name[-_LONGEST // 2 :]}"
    )
    like = f" ({one.like}?)" if one.like else ""
    return f"{name!r} in {one.rows:,} row{'s' * (one.rows != 1)}{like}"


def _bare(name: str) -> str:
    """Letters and digits alone, without case, accents and other marks, nor zeros in front."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in parts if character.isalnum()).lstrip("0")
