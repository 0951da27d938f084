"""What training and scoring cost as data grow: time, memory, model size (`make bench-growth`).

Data: synthetic files, CSV and Parquet (see growth_data.py): rows 10^3 … 10^7 of 20 numbers; columns 5 …
2,000 of 10,000 rows; 10 … 10^5 categories in one column, beside four numbers, of 300,000 rows; 1 … 10^5
series of 100 rows and four channels each.

Protocol: `aedetect train`, then `aedetect score` of another file of the same size, each a process with
default settings; beside it scikit-learn's IsolationForest, PyOD's detectors and H2O's autoencoder, where
they are installed, each a process that does both (see growth_peers.py). Wall and CPU seconds and peak
resident memory are those that the system accounts for. A run is ended at --seconds or --memory; larger
sizes are then not tried.

Each figure goes into --figures at once; --resume measures only what is not there, and goes on after an
interruption. docs/growth.md and its plots are drawn from that file, with --report from it alone. --most 1e5
leaves out larger sizes, --only rows,columns other axes, --tools and --formats others of these."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from common import machine
from growth_runs import FORMATS, SIZES, TOOLS, Limits, Size, available
from growth_store import Record, Store

HERE = Path(__file__).resolve().parent
_PACKAGES = ("numpy", "scikit-learn", "pyod", "h2o")


def names(allowed: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A parser of names, separated by commas, of those allowed."""

    def parse(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",")]
        if wrong := [name for name in chosen if name not in allowed]:
            raise argparse.ArgumentTypeError(f"{wrong[0]} is none of {', '.join(allowed)}")
        return chosen

    return parse


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=names(tuple(SIZES)), default=list(SIZES), help="axes to measure")
    parser.add_argument("--tools", type=names(TOOLS), default=list(TOOLS), help="detectors to measure")
    parser.add_argument("--formats", type=names(FORMATS), default=list(FORMATS), help="formats of the files")
    parser.add_argument("--most", type=float, default=float("inf"), help="largest size of any axis")
    parser.add_argument("--seconds", type=float, default=1_800, help="limit of a run (default 1800)")
    parser.add_argument("--memory", type=float, default=16, help="limit of a run in GiB (default 16)")
    parser.add_argument("--figures", type=Path, default=HERE / "growth.json", help="where figures are kept")
    parser.add_argument("--resume", action="store_true", help="measure only what has no figures yet")
    parser.add_argument(
        "--report", action="store_true", help="draw the page from the figures, measure nothing"
    )
    parser.add_argument("--docs", type=Path, default=HERE.parents[1] / "docs", help="folder of the page")
    return parser.parse_args()


def measure(options: argparse.Namespace, store: Store) -> None:
    tools = [tool for tool in options.tools if available(tool)]
    limits = Limits(options.seconds, options.memory * 1024)
    today, here = date.today().isoformat(), machine(*_PACKAGES)
    print(here, end="\n\n")
    for axis in options.only:
        for size in (size for size in SIZES[axis] if size <= options.most):
            for kind in options.formats:
                with tempfile.TemporaryDirectory() as folder:
                    part = Size(axis, size, kind, Path(folder), limits)
                    for record in _records(part, tools, store, options.resume):
                        store.add([{**record, "date": today, "machine": here, "limit_s": limits.seconds}])


def _records(part: Size, tools: list[str], store: Store, resume: bool) -> Iterator[Record]:
    """The records of a size as they are ready; its files are written when the first tool needs them."""
    place = (part.axis, part.size, part.kind)
    wanted = [
        tool for tool in tools if not (resume and store.has(*place, tool)) and not store.gave_up(*place, tool)
    ]
    if wanted:
        part.write()
    for tool in wanted:
        for record in part.measure(tool):
            say(record)
            yield record


def say(record: Record) -> None:
    place = f"{record['axis']} {record['size']:,} {record['format']}"
    figures = f"{record['seconds']:9.1f} s {record['cpu_s']:9.1f} CPU s {record['peak_mb']:8,.0f} MiB"
    print(f"{place:<30}{record['tool']:<18}{record['action']:<6}{figures}  {record['outcome']}", flush=True)
    if record["said"]:
        print(f"  {record['said']}", flush=True)


def main() -> None:
    options = parsed()
    store = Store(options.figures)
    if not options.report:
        measure(options, store)
    # What draws is large, and would count as memory of the processes measured.
    drawn = [str(HERE / "growth_report.py"), str(options.figures), str(options.docs)]
    subprocess.run([sys.executable, *drawn], check=True)


if __name__ == "__main__":
    main()
