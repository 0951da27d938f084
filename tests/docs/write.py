"""Brings the documentation up to date: `python tests/docs/write.py [--transcripts]`.

Writes the generated parts of docs/reference.md; with --transcripts also what the commands and the
Python in all pages print, where that has changed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from support.pages import REFERENCE, pages  # noqa: E402
from support.reference import updated  # noqa: E402
from support.transcripts import refreshed, steps  # noqa: E402


def main(arguments: list[str]) -> None:
    named = [Path(word).resolve() for word in arguments if not word.startswith("-")]
    REFERENCE.write_text(updated(REFERENCE.read_text(encoding="utf-8")), encoding="utf-8")
    if "--transcripts" not in arguments:
        return
    for page in named or pages():
        text = page.read_text(encoding="utf-8")
        if steps(text):
            with tempfile.TemporaryDirectory() as folder:
                page.write_text(refreshed(text, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
