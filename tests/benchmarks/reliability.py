"""What is survived, as figures: runs the tests of faults, the slow ones too, and writes RELIABILITY.md.

    python tests/benchmarks/reliability.py          # prints the page
    python tests/benchmarks/reliability.py --write  # and keeps it

Nothing is tried here that the tests do not try; this counts what they did. Faults are numbered as in
the table below; the tests of fault 7 have 07 in their names, be they rows of tests/faults/table.py or not.
What tests note of figures they write into the folder that RELIABILITY_RESULTS names.
`make bench-reliability` takes about a quarter of an hour; `RELIABILITY_FUZZ_EXAMPLES=5000` tries more inputs.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.results import FOLDER, noted

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_name("RELIABILITY.md")

FAULTS = {
    1: "empty file; header only",
    2: "one row",
    3: "a name twice in the header",
    4: "byte-order mark; CRLF; CR",
    5: "UTF-16",
    6: "`;` or tab as delimiter",
    7: "decimal comma",
    8: "quoted newline; unclosed quote",
    9: "a row with too many or too few fields",
    10: "a web page saved as .csv; a line without end",
    11: "gzip under any name; a cut .gz",
    12: "a bad cell far down",
    13: "a column all missing; a constant one that moves",
    14: "inf, -inf, 1e300, 1e400",
    15: "truth values, decimals, dictionaries, dates, durations …",
    16: "lists, structs, binary",
    17: "10,000 categories; an unseen one",
    18: "codes like `01` and `A1`; integers above 2^53",
    19: "a column missing, extra, reordered, of another type",
    20: "timestamps unsorted, twice, with gaps, mixed zones, ambiguous, epoch",
    21: "a series shorter than a window",
    22: "a zero-byte, cut, damaged or false Parquet file",
    23: "a folder without data; a glob without match",
    24: "an unreadable file among good ones",
    25: "output folder missing or read-only; output equals another file of the run",
    26: "disk full; a device as output",
    27: "kill -9 in training, then `--resume`",
    28: "kill -9 in scoring",
    29: "two runs on one output or ledger",
    30: "a model cut, changed, not finite, too new, or a pickle",
    31: "hostile names and values",
    32: "SIGTERM, SIGINT, a closed pipe",
}
# Tests that do not bear the number of their fault, as parts of their names.
UNNUMBERED = {
    20: (
        r"test_score_series::test_(unsorted|repeated|mixed|ambiguous)",
        r"series/test_(timestamps|segments)\b",
    ),
    21: (r"test_a_series_shorter",),
    32: (r"test_executors::test_a_stopped_run",),
}
PLACES = (
    "tests/faults/test_kills.py",
    "tests/faults/test_fuzz.py",
    "tests/faults/test_injected_faults.py",
    "tests/faults/test_table.py",
    "tests/faults/test_runs.py",
    "tests/faults/test_output_faults.py",
    "tests/test_month.py",
    "tests/engine/test_executors.py",
    "tests/engine/test_ledger.py",
    "tests/cli/test_score_unattended.py",
    "tests/cli/test_score_series.py",
    "tests/cli/test_score_series_daily.py",
    "tests/data/series/test_timestamps.py",
    "tests/data/series/test_segments.py",
    "tests/data/series/test_tail.py",
)


@dataclass
class Counts:
    """Outcomes by test."""

    outcomes: dict[str, str] = field(default_factory=dict)

    def read(self, report: Path) -> None:
        """Take in a report that pytest wrote in the form of JUnit; one that is not there is a failure."""
        if not report.exists():
            self.outcomes[f"{report.stem}::"] = "failed"
            return
        for case in ElementTree.parse(report).iter("testcase"):
            test = f"{case.get('classname', '').replace('.', '/')}::{case.get('name')}"
            kinds = {part.tag for part in case}
            self.outcomes[test] = (
                "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            )

    def of(self, names: Sequence[re.Pattern[str]]) -> list[str]:
        return [test for test in self.outcomes if any(name.search(test) for name in names)]


def run(place: str, folder: Path) -> Path:
    """Run the tests of one file, and give the path of the report."""
    report = folder / f"{Path(place).stem}.xml"
    words = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", place]
    environment = os.environ | {FOLDER: str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], env=environment, capture_output=True, text=True
    )
    print(place, done.stdout.strip().rpartition("\n")[2], file=sys.stderr, flush=True)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    return report


def patterns(fault: int) -> list[re.Pattern[str]]:
    numbers = (rf"::test_(\d\d_and_)*{fault:02}_", rf"::test_fault\[{fault:02}-")
    return [re.compile(text) for text in (*numbers, *UNNUMBERED.get(fault, ()))]


def told(counts: Counts, tests: Sequence[str]) -> str:
    """'12 passed', and what else there is."""
    results = [counts.outcomes[test] for test in tests]
    return ", ".join(
        f"{results.count(one)} {one}" for one in ("passed", "failed", "skipped") if one in results
    )


def page(counts: Counts, survived: Sequence[str]) -> str:
    lines = [
        "# What is survived",
        "",
        f"`make bench-reliability` counts this: Python {platform.python_version()}, {platform.system()}.",
        "",
        *(f"- {line}" for line in sorted(survived)),
        f"- {told(counts, list(counts.outcomes))} of {len(counts.outcomes):,} tests in all",
        "",
        "| fault | | tests | result |",
        "|---:|---|---|---|",
    ]
    for number, name in FAULTS.items():
        tests = counts.of(patterns(number))
        files = sorted({_file(test) for test in tests})
        lines.append(f"| {number} | {name} | {', '.join(files)} | {told(counts, tests) or 'no test'} |")
    return "\n".join(lines) + "\n"


def _file(test: str) -> str:
    """'faults/test_kills', of a test in that file, be it in a class or not."""
    return re.sub(r"^tests/|/Test\w+$", "", test.partition("::")[0])


def main() -> int:
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    words.add_argument("--jobs", type=int, default=1, help="files of tests run side by side")
    chosen = words.parse_args()
    os.chdir(ROOT)
    os.environ |= {"OMP_NUM_THREADS": "1"}
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.jobs) as pool:
        for report in pool.map(lambda place: run(place, Path(folder)), PLACES):
            counts.read(report)
        text = page(counts, noted(Path(folder)))
    print(text)
    if chosen.write:
        PAGE.write_text(text, encoding="utf-8")
    return int(any(outcome == "failed" for outcome in counts.outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
