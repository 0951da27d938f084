"""The pages of the documentation, and what stands in them: code blocks, links, headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference.md"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where the text lies in the page."""

    language: str
    text: str
    start: int
    end: int


def pages() -> list[Path]:
    """Every page that people read, first those in the project's folder."""
    return [
        *sorted(ROOT.glob("*.md")),
        *sorted(DOCS.glob("**/*.md")),
        ROOT / "configs" / "unattended" / "README.md",
        ROOT / "sample_data" / "README.md",
    ]


def title(page: Path) -> str:
    """The page's path below the project's folder, as tests name it."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(match[1], match[2], match.start(2), match.end(2)) for match in _FENCE.finditer(text)]


def prose(text: str) -> str:
    """A page without its code: fenced blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


def links(text: str) -> list[str]:
    """Targets of all links and images of a page, those of other sites left out."""
    text = prose(text)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """What links into a page may name after '#': its headings, as GitHub writes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = sum(1 for known in found if re.fullmatch(re.escape(slug) + r"(-\d+)?", known))
        found.add(f"{slug}-{number}" if slug in found else slug)
    return found
