"""What the documentation shows of commands and Python is what they print.

The steps of a page run in order in one folder that holds copies of sample_data and configs. How
lines are compared is said in `support.transcripts.differences`: words to the letter, numbers to a
tenth of their value, and not at all what depends on the machine or the hour.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.pages import blocks, pages, title
from support.reference import command_names, help_text
from support.transcripts import Player, differences, steps

PAGES = {title(page): page.read_text(encoding="utf-8") for page in pages()}


def test_there_are_transcripts() -> None:
    counts = {name: len(steps(text)) for name, text in PAGES.items()}
    assert {name for name, count in counts.items() if count} >= {
        "README.md",
        "docs/guide.md",
        "docs/operations.md",
        "docs/series.md",
    }


# These train several models.
LONG = (
    "README.md", "docs/backtest.md", "docs/export.md", "docs/feedback.md", "docs/groups.md", "docs/guide.md",
    "docs/health.md", "docs/muting.md", "docs/notifications.md", "docs/operations.md", "docs/refresh.md",
    "docs/segments.md", "docs/series.md", "docs/tuning.md",
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in LONG else ())
        for name, text in PAGES.items()
        if steps(text)
    ],
)
def test_a_page_shows_what_is_printed(name: str, tmp_path: Path) -> None:
    if name == "docs/export.md":
        pytest.importorskip("ndonnx")
    player = Player(tmp_path)
    wrong = []
    for step in steps(PAGES[name]):
        printed = player.play(step)
        if step.start is None:
            continue
        if found := differences(step.expected.rstrip("\n"), printed.rstrip("\n")):
            wrong.append("\n".join([f"$ {step.code}", *found]))
    assert not wrong, "\n\n".join([*wrong, "see `make docs-transcripts`"])


def examples(text: str) -> list[tuple[str, list[str]]]:
    """Each command of aedetect in the shell blocks of a page, and the long flags it is given."""
    found = []
    shell = [block.text for block in blocks(text) if block.language in ("sh", "console")]
    for line in "".join(shell).replace("\\\n", " ").splitlines():
        for command in command_names():
            _, here, words = line.partition(f"aedetect {command} ")
            if here:
                flags = [word for word in words.split(" | ")[0].split() if word.startswith("--")]
                found.append((command, flags))
    return found


@pytest.mark.parametrize("name", PAGES)
def test_flags_in_examples_exist(name: str) -> None:
    unknown = [
        f"{command} {flag}"
        for command, flags in examples(PAGES[name])
        for flag in flags
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", help_text(command))
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("learned in 2.9 s on cpu", "learned in 31 s on cpu"),
        ("threshold 21.5, 127 flagged", "threshold 21.4, 126 flagged"),
        ("start 2014-02-03 01:50", "start 2014-02-03 02:05"),
        ("scored 2026-11-26T02:50:58+00:00", "scored 2031-01-02T00:00:00+00:00"),
        ("normal   244\nnormal   294", "normal  294\nnormal  244"),
        ("a\n…\nz", "a\nb\nc\nz"),
    ],
)
def test_what_a_machine_may_change_agrees(expected: str, printed: str) -> None:
    assert differences(expected, printed) == []


@pytest.mark.parametrize(
    ("expected", "printed", "agree"),
    [
        ("threshold 21.5, 127 flagged", "threshold 21.4, 127 flagged", False),
        ("start 2014-02-03 01:50", "start 2014-02-03 02:05", False),
        ("threshold 21.5", "threshold 21.5", True),
        ("learned in 2.9 s on cpu", "learned in 31 s on cpu", True),
        ("scored 2026-11-26T02:50:58+00:00", "scored 2031-01-02T00:00:00+00:00", True),
    ],
)
def test_pages_are_refreshed_to_the_digit(expected: str, printed: str, agree: bool) -> None:
    assert (differences(expected, printed, exactly=True) == []) is agree


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("127 rows flagged", "127 lines flagged"),
        ("127 flagged", "145 flagged"),
        ("start 2014-02-03 01:50", "start 2014-02-03 03:05"),
        ("one line", "one line\nand another"),
        ("one line\nand another", "one line"),
        ("p-value 0.01", "p-value 0"),
        ("a\n…\nz", "a\nb\nc"),
    ],
)
def test_what_no_machine_may_change_differs(expected: str, printed: str) -> None:
    assert differences(expected, printed) != []
