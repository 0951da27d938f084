"""A help page as text: in boxes for a terminal, under plain headings elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Row = tuple[str, str]

# Longer lines of prose are hard to read; panels are as wide as the terminal.
_WIDEST_PROSE = 100
_NARROWEST = 40
_SHORTEST_TERM = 24
_TERM, _FAINT, _TITLE, _END = "\x1b[1;36m", "\x1b[2m", "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class Panel:
    """Options of one kind, or commands: what is typed, and what it does."""

    title: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Page:
    """All that a help page says; `usage` are the words behind 'Usage:'."""

    usage: Sequence[str]
    paragraphs: Sequence[str]
    panels: Sequence[Panel]


def plain_page(page: Page, width: int) -> str:
    """The page without frames, in lines of at most `width` characters."""
    width = max(width, _NARROWEST)
    lines = list(_opening(page, width))
    for panel in page.panels:
        rows = _laid_out(panel.rows, _term_width(page, width), width - 2)
        lines += [f"{panel.title}:", *(f"  {term}{text}".rstrip() for term, text in rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def boxed_page(page: Page, width: int, coloured: bool) -> str:
    """The page in boxes as wide as the terminal."""
    width = max(width, _NARROWEST)
    term_code, faint, title_code, end = (_TERM, _FAINT, _TITLE, _END) if coloured else ("", "", "", "")
    inner = width - 4
    lines = list(_opening(page, width))
    for panel in page.panels:
        rule = "─" * (width - len(panel.title) - 5)
        lines.append(f"{faint}╭─{end} {title_code}{panel.title}{end} {faint}{rule}╮{end}")
        for term, text in _laid_out(panel.rows, _term_width(page, width), inner):
            filled = text.ljust(inner - len(term))
            lines.append(f"{faint}│{end} {term_code}{term}{end}{filled} {faint}│{end}")
        lines.append(f"{faint}╰{'─' * (width - 2)}╯{end}")
    return "\n".join(lines) + "\n"


def _opening(page: Page, width: int) -> Iterator[str]:
    """Usage and prose, each paragraph with an empty line behind it."""
    yield from _wrapped(" ".join(("Usage:", *page.usage)), width, later="         ")
    yield ""
    for paragraph in page.paragraphs:
        for line in _wrapped(paragraph, min(width, _WIDEST_PROSE) - 2):
            yield f"  {line}"
        yield ""


def _term_width(page: Page, width: int) -> int:
    """How wide the first column is, the same in every panel."""
    longest = max((len(term) for panel in page.panels for term, _ in panel.rows), default=0)
    return min(longest, max(_SHORTEST_TERM, width // 3), width // 2) + 2


def _laid_out(rows: Sequence[Row], column: int, width: int) -> Iterator[Row]:
    """Lines in two parts; a term too long for its column stands on a line of its own."""
    for term, text in rows:
        parts = _wrapped(text, width - column) or [""]
        if len(term) + 2 > column:
            yield from ((line, "") for line in _wrapped(term, width))
            term = ""
        for place, part in enumerate(parts):
            yield (term if place == 0 else "").ljust(column), part


def _wrapped(text: str, width: int, later: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)
