"""Tables for people: without frames, and in several parts where they are too wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aedetect.cli.text import MOST_SHOWN, plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from aedetect.data.schema import Schema


def schema_table(schema: Schema, most: int = 40) -> Table:
    """Columns, roles and reasons; columns of one role and many beyond `most` are counted."""
    table = simple_table("column", "taken as", "because")
    for column in schema.columns[:most]:
        table.add_row(plain(column.name, 40) or "(unnamed)", column.role, plain(column.reason, MOST_SHOWN))
    if len(schema.columns) > most:
        table.add_row(f"… and {len(schema.columns) - most} more", "", "all in `aedetect inspect MODEL`")
    return table


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
