"""Links between the pages lead to files, and to headings, that are there."""

from __future__ import annotations

import re

import pytest
from support.pages import DOCS, ROOT, anchors, links, pages, title

PAGES = {title(page): page for page in pages()}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = PAGES[name]
    lost = []
    for target in links(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        found = there.exists() and there.is_relative_to(ROOT)
        if not found or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            lost.append(target)
    assert lost == []


def test_the_index_names_every_page() -> None:
    named = set(links((DOCS / "index.md").read_text(encoding="utf-8")))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= named


def test_every_image_is_shown() -> None:
    shown = {target for page in PAGES.values() for target in links(page.read_text(encoding="utf-8"))}
    names = {target.rpartition("/")[2] for target in shown}
    assert {image.name for image in (DOCS / "images").iterdir()} <= names


def test_the_readme_is_short() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 230
    assert not [line for line in lines if len(line) > 400]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("## Exit codes", "exit-codes"), ("### `encode`, `decode`", "encode-decode"), ("# A: b (c)", "a-b-c")],
)
def test_anchors_are_those_of_github(heading: str, anchor: str) -> None:
    assert anchors(heading + "\n") == {anchor}
    assert not re.search(r"[A-Z`]", anchor)
