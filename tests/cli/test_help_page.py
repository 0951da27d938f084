"""Help pages as text: their layout at any width."""

from __future__ import annotations

import re

import pytest

from aedetect.cli.help_page import Page, Panel, boxed_page, plain_page

WIDTHS = [20, 40, 60, 80, 120, 200]
PAGE = Page(
    usage=["aedetect paint", "PLACE...", "-c N", "[OPTIONS]"],
    paragraphs=[
        "Paint a place, at length " + "and at length " * 12 + "again.",
        "Example: aedetect paint door",
    ],
    panels=[
        Panel(
            "Required", [("PLACE...", "Where to paint."), ("-c, --coats N", "How many coats; default: 1.")]
        ),
        Panel("[red]Colours[/]", [("--a-colour-of-a-rather-long-name NAME", "[bold]not[/] markup " * 8)]),
    ],
)


def words(text: str) -> list[str]:
    return re.sub(r"[╭╮╰╯─│:]", " ", text).split()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for text in (plain_page(PAGE, width), boxed_page(PAGE, width, coloured=False)):
        assert max(map(len, text.splitlines())) <= max(width, 40)


@pytest.mark.parametrize("width", WIDTHS)
def test_panels_are_as_wide_as_the_terminal(width: int) -> None:
    framed = [
        line
        for line in boxed_page(PAGE, width, coloured=False).splitlines()
        if line.startswith(("╭", "│", "╰"))
    ]
    assert {len(line) for line in framed} == {max(width, 40)}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_or_read_as_markup(width: int) -> None:
    expected = [
        *words(" ".join(["Usage:", *PAGE.usage, *PAGE.paragraphs])),
        *(word for panel in PAGE.panels for word in words(f"{panel.title} {' '.join(sum(panel.rows, ()))}")),
    ]
    assert words(plain_page(PAGE, width)) == expected
    assert words(boxed_page(PAGE, width, coloured=False)) == expected


def test_colours_change_nothing_but_the_colour() -> None:
    coloured = boxed_page(PAGE, 80, coloured=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == boxed_page(PAGE, 80, coloured=False)
    assert "\x1b[1;36m-c, --coats N" in coloured


def test_a_page_in_full() -> None:
    page = Page(["aedetect paint", "[OPTIONS]"], ["Paint a place."], PAGE.panels[:1])
    assert plain_page(page, 44) == (
        "Usage: aedetect paint [OPTIONS]\n"
        "\n"
        "  Paint a place.\n"
        "\n"
        "Required:\n"
        "  PLACE...       Where to paint.\n"
        "  -c, --coats N  How many coats; default: 1.\n"
    )
    assert boxed_page(page, 44, coloured=False) == (
        "Usage: aedetect paint [OPTIONS]\n"
        "\n"
        "  Paint a place.\n"
        "\n"
        "╭─ Required ───────────────────────────────╮\n"
        "│ PLACE...       Where to paint.           │\n"
        "│ -c, --coats N  How many coats; default:  │\n"
        "│                1.                        │\n"
        "╰──────────────────────────────────────────╯\n"
    )
