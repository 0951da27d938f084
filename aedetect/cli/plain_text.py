"""Text for terminals and logs that lack characters: drawings and marks in ASCII, others spelled out."""

from __future__ import annotations

import codecs
import os
import sys

_HANDLER = "aedetect.plain"
# What is drawn with, and marks that have a usual spelling in ASCII.
_SPELLED = {
    **dict.fromkeys("─━═╌┄┈", "-"),
    **dict.fromkeys("│┃║╎┆┊", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╠╣╦╩╬╞╡╪┏┓┗┛┣┫┳┻╋", "+"),
    **dict(zip("▁▂▃▄▅▆▇█", "_..--==#", strict=True)),
    **dict(zip("░▒▓●○■□▲▼◆•·", ".:##o##^v*..", strict=True)),
    # A spinner turns.
    **dict(zip("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\|/-\\|/", strict=True)),
    "…": "...",
    "→": "->",
    "←": "<-",
    "×": "x",
    "±": "+/-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "−": "-",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
    "\u202f": " ",
    "‰": "/1000",
}


def degrade_streams() -> None:
    """Have stdout and stderr write what their encodings lack in ASCII, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def printable(text: str) -> str:
    """The text with what stdout's encoding lacks in ASCII: for what does not write to it directly."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, _HANDLER).decode(encoding)


def in_utf8_mode() -> None:
    """Start the program anew in Python's UTF-8 mode, where names of files are taken for another encoding.

    So they are under LC_ALL=C where that mode is switched off: names with an umlaut could neither be opened
    by libraries nor be compared with those of columns. What is printed keeps its encoding. Returns where
    names are in UTF-8 already, or the interpreter is not known.
    """
    if codecs.lookup(sys.getfilesystemencoding()).name == "utf-8" or not sys.executable:
        return
    # Given as a flag as well, since an environment may be ignored; children get it from there.
    shown = {"PYTHONIOENCODING": os.environ.get("PYTHONIOENCODING") or sys.stdout.encoding}
    words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    sys.stdout.flush()
    os.execve(sys.executable, words, {**os.environ, **shown, "PYTHONUTF8": "1"})


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    spelled = (_SPELLED.get(c) or c.encode("ascii", "backslashreplace").decode("ascii") for c in lacking)
    return "".join(spelled), error.end


codecs.register_error(_HANDLER, _spelled)
