"""Tables for people: without frames, and in several parts where they are too wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aedetect.cli.text import MOST_SHOWN, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from aedetect.data.column_facts import ColumnFacts
    from aedetect.data.schema import Schema


# Below this many characters, names are cut shorter.
_WIDE = 100
_LEAST_REASON, _LONGEST_REASON = 18, 240
# What roles, shares and the gaps between the columns take of a line.
_BESIDE = 30
_LEAST_EXAMPLE, _LONGEST_EXAMPLE = 12, 26


def schema_table(schema: Schema) -> Table:
    """Columns, roles and reasons."""
    table = simple_table("column", "taken as", "because")
    for column in schema.columns:
        table.add_row(plain(column.name, 40) or "(unnamed)", column.role, _reason(column.reason))
    return table


def learned_table(schema: Schema, facts: Mapping[str, ColumnFacts], width: int, most: int) -> Table:
    """The first `most` columns, their roles and reasons, and what they hold, on a screen of `width`.

    Only reasons are broken, between words; names and examples are cut in their middle.
    """
    names = [
        plain(column.name, 40 if width >= _WIDE else 20) or "(unnamed)" for column in schema.columns[:most]
    ]
    room = width - max(map(len, names), default=0) - _LEAST_REASON - _BESIDE
    examples = min(max(room, _LEAST_EXAMPLE), _LONGEST_EXAMPLE)
    table = simple_table("column", "taken as", "because", "example", "missing", right=("missing",))
    for shown in table.columns:
        shown.no_wrap = shown.header != "because"
    table.columns[2].min_width = _LEAST_REASON
    for name, column in zip(names, schema.columns, strict=False):
        known = facts.get(column.name)
        table.add_row(
            name,
            column.role,
            _reason(column.reason),
            plain(known.example, examples) if known else "",
            _share(known.missing) if known else "",
        )
    return table


def _reason(reason: str) -> str:
    """A reason in full; long words, which stem from cells and names, are cut in their middle."""
    return " ".join(plain(word, MOST_SHOWN) for word in plain(reason, _LONGEST_REASON).split(" "))


def _share(share: float) -> str:
    """A share to a percent, and to a tenth of one where it is small."""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def simple_table(*headers: str, right: tuple[str, ...] = ()) -> Table:
    """A table without frames; the columns named in `right` are set right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return table


def parted(table: Table, screen: Console) -> list[Table]:
    """The table, or its columns in several that fit the screen, each with the first column."""
    from rich.measure import Measurement

    def part(places: list[int]) -> Table:
        columns = [table.columns[place] for place in places]
        names = [str(column.header) for column in columns]
        right = tuple(str(column.header) for column in columns if column.justify == "right")
        part_table = simple_table(*names, right=right)
        for cells in zip(*(column.cells for column in columns), strict=True):
            part_table.add_row(*cells)
        return part_table

    parts = [[0]]
    for place in range(1, len(table.columns)):
        wider = part([*parts[-1], place])
        fits = Measurement.get(screen, screen.options.update(max_width=10_000), wider).maximum <= screen.width
        if fits or parts[-1] == [0]:
            parts[-1].append(place)
        else:
            parts.append([0, place])
    return [part(places) for places in parts]
