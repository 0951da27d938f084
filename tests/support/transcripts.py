"""Transcripts in the documentation: found in a page, run, compared, and brought up to date.

A ```console block holds commands after `$ `, and below each what it prints. A ```python block is
run; what it prints is the ```text block right below it, if there is one. A comment
`<!-- first: COMMAND -->` runs a command that readers need not see. A line of a lone `…` stands for
lines left out.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from support.pages import ROOT, blocks
from typer.testing import CliRunner

from aedetect.cli.main import app

WIDTH = "110"
LEFT_OUT = "…"
# Figures differ a little between processors, and so may an event by a few steps.
TOLERANCE = 0.12
_STEPS = timedelta(hours=1)
_DATA_YEARS = (2013, 2014)

_FIRST = re.compile(r"<!-- first: (.+?) -->")
_MASKS = (
    # How long it took.
    (re.compile(r"\b\d[\d.,]* (s|ms|min|h)\b"), "TIME"),
    # Digests of files that hold when they were made.
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b"), "DIGEST"),
    # Drawn curves.
    (re.compile(r"[▁▂▃▄▅▆▇█]+"), "CURVE"),
    (re.compile(r"[─━]+"), "RULE"),
    (re.compile(r"\S*/(?=sample_data/|dumps/|scored/)"), ""),
    (re.compile(r"[ \t]+"), " "),
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
_VALUE = re.compile(
    rf"{_INSTANT.pattern}|(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\d-]*\w)", re.ASCII
)


@dataclass(frozen=True)
class Step:
    """One command or piece of Python, and what the page says that it prints.

    `start` and `end` bound that text in the page; both are None where the page shows nothing.
    """

    language: str
    code: str
    expected: str = ""
    start: int | None = None
    end: int | None = None


def steps(text: str) -> list[Step]:
    """What a page runs, in order."""
    found: list[tuple[int, Step]] = [
        (match.start(), Step("console", match[1])) for match in _FIRST.finditer(text)
    ]
    fenced = blocks(text)
    for place, block in enumerate(fenced):
        if block.language == "console":
            found += [(step.start or 0, step) for step in _commands(block.text, block.start)]
        elif block.language == "python":
            below = fenced[place + 1] if place + 1 < len(fenced) else None
            if below and below.language == "text" and not text[block.end + 3 : below.start - 8].strip():
                shown = Step("python", block.text, below.text, below.start, below.end)
            else:
                shown = Step("python", block.text)
            found.append((block.start, shown))
    return [step for _, step in sorted(found, key=lambda pair: pair[0])]


def _commands(text: str, offset: int) -> list[Step]:
    """The commands of a console block; one goes on below a line that ends in a backslash."""
    found = []
    pattern = r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)"
    for match in re.finditer(pattern, text, re.MULTILINE):
        start, end = offset + match.start(2), offset + match.end(2)
        found.append(Step("console", match[1].replace("\\\n", "").strip(), match[2], start, end))
    return found


class Player:
    """Runs the steps of one page in one folder, which becomes the current one.

    Training on the sample data by the same command gives the same model on every page: it is done once.
    """

    _trained: ClassVar[dict[str, tuple[str, bytes]]] = {}

    def __init__(self, folder: Path):
        self.folder = folder
        self.exit_code = 0
        self._names: dict[str, Any] = {"__name__": "page"}
        for name in ("sample_data", "configs"):
            shutil.copytree(ROOT / name, folder / name)

    def play(self, step: Step) -> str:
        """What the step prints. Raises whatever its Python raises."""
        with contextlib.chdir(self.folder):
            if step.language == "python":
                return self._python(step.code)
            if re.fullmatch(r"aedetect train sample_data/\S+ -o \S+ [^|]*", step.code):
                return self._train(step.code)
            return self._shell(step.code)

    def _train(self, command: str) -> str:
        model = self.folder / command.split(" -o ")[1].split()[0]
        if command not in self._trained:
            self._trained[command] = self._shell(command), model.read_bytes()
        printed, content = self._trained[command]
        model.write_bytes(content)
        return printed

    def _python(self, code: str) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "<page>", "exec"), self._names)  # noqa: S102, the code of our own pages
        return printed.getvalue()

    def _shell(self, command: str) -> str:
        """aedetect runs in this process, which saves the seconds that loading it takes."""
        if command == "echo $?":
            return f"{self.exit_code}\n"
        if not command.startswith("aedetect "):
            return self._piped(command, None)
        first, bar, rest = command.partition(" | ")
        both = first.endswith(" 2>&1")
        first = first.removesuffix(" 2>&1")
        result = CliRunner().invoke(
            app, shlex.split(first)[1:], prog_name="aedetect", env={"COLUMNS": WIDTH, "NO_COLOR": "1"}
        )
        self.exit_code = result.exit_code
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if not bar:
            return result.output
        if both:
            return self._piped(rest, result.output)
        return result.stderr + self._piped(rest, result.stdout)

    def _piped(self, command: str, text: str | None) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.exit_code = done.returncode
        return done.stdout


def differences(expected: str, printed: str, exactly: bool = False) -> list[str]:
    """Lines of either text without a counterpart in the other: '- ' those expected, '+ ' those printed.

    Lines agree if they have the same words, and the same numbers within `TOLERANCE` of each; instants
    of the sample data may lie an hour apart, and those of the run itself, durations, digests and drawn
    curves are not compared. Lines may change places, as near ties do. With `exactly`, numbers and instants of
    the data must be the same.
    """
    tolerance = 0.0 if exactly else TOLERANCE
    wanted, given = expected.splitlines(), printed.splitlines()
    if LEFT_OUT in wanted:
        given = _shown(wanted, given, tolerance)
    missing = []
    for line in wanted:
        match = next((other for other in given if _agree(line, other, tolerance)), None)
        if match is None:
            missing.append(f"- {line}")
        else:
            given.remove(match)
    return missing + [f"+ {line}" for line in given]


def _shown(wanted: list[str], given: list[str], tolerance: float) -> list[str]:
    """The printed lines with those that the page leaves out replaced as they are there."""
    kept: list[str] = []
    rest = list(given)
    for place, line in enumerate(wanted):
        if line != LEFT_OUT:
            kept += rest[:1]
            rest = rest[1:]
            continue
        following = wanted[place + 1] if place + 1 < len(wanted) else None
        while rest and (following is None or not _agree(following, rest[0], tolerance)):
            rest.pop(0)
        kept.append(LEFT_OUT)
    return kept + rest


def _agree(line: str, other: str, tolerance: float) -> bool:
    for pattern, mask in _MASKS:
        line, other = pattern.sub(mask, line.rstrip()), pattern.sub(mask, other.rstrip())
    if _VALUE.sub("#", line) != _VALUE.sub("#", other):
        return False
    pairs = zip(_VALUE.findall(line), _VALUE.findall(other), strict=True)
    return all(_near(value, figure, tolerance) for value, figure in pairs)


def _near(text: str, other: str, tolerance: float) -> bool:
    if _INSTANT.fullmatch(text):
        when, then = (datetime.fromisoformat(which).replace(tzinfo=None) for which in (text, other))
        if when.year not in _DATA_YEARS:
            return when.year > max(_DATA_YEARS)
        return abs(when - then) <= (_STEPS if tolerance else timedelta())
    if _INSTANT.fullmatch(other):
        return False
    value, figure = (float(which.replace(",", "")) for which in (text, other))
    return abs(value - figure) <= tolerance * max(abs(value), abs(figure))


def refreshed(text: str, folder: Path) -> str:
    """The page with what its steps print now, where that differs from what it says, if by a digit."""
    player = Player(folder)
    pieces, done = [], 0
    for step in steps(text):
        printed = "".join(f"{line.rstrip()}\n" for line in player.play(step).splitlines())
        if step.start is None or step.end is None or not differences(step.expected, printed, exactly=True):
            continue
        if LEFT_OUT in step.expected.splitlines():
            print(f"no longer prints what is shown, to be seen to by hand: {step.code}", file=sys.stderr)
            continue
        # What stands between two commands is set apart by an empty line.
        gap = "\n" if step.expected.endswith("\n\n") else ""
        pieces += [text[done : step.start], printed.rstrip("\n") + "\n" if printed else "", gap]
        done = step.end
    return "".join(pieces) + text[done:]
