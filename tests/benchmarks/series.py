"""Detection quality on labelled time series, beside other detectors (`make bench-series`).

Data: a folder with index.csv (columns track, file, window) and one Parquet file for each series in
TRACK/FILE.parquet: value columns, `label` (1: an anomaly), `part` ('train' in the first rows) and, it may be,
`timestamp`; for example the NAB, SMAP and MSL series of TSB-AD (Liu & Paparrizos, NeurIPS 2024). Name it with
--data or the environment variable AEDETECT_BENCH_SERIES. Track U holds series of one channel, M of several.

Protocol: fit on the rows of part 'train', score the whole series, and judge over the whole series, as
TSB-AD does: VUS-PR with the window that index.csv gives, and AUROC. 'recall' is the share of labelled
ranges that hold a flagged row where the threshold is as low as one false event a day allows, at a minute a
step; a false event is a group of flagged rows, at most half a window apart, none within half a window of a
labelled range; a longer one counts anew every day. aedetect runs through its Python interface with
default settings (AEDETECT_... variables change them); rows without a score (`warmup`) count as the least
strange. The peers get windows of 100 steps, at most 5,000 of them to learn from, of values standardised
with the training part; a row's score is the mean over the windows that contain it. Sub-PCA: the squared
error of what the principal components with 90% of the variance rebuild; KNN (k=5), IForest and AutoEncoder
are PyOD's, otherwise with their defaults; 'smoothed z' is the mean |z| of a row, averaged over 25 rows.
One thread.

The recipe was chosen on these same series and on the two boards below, one for all of them; expect
somewhat less of it on others.

--nab DIR: the machine temperature of the Numenta Anomaly Benchmark, real timestamps and windows.json.
--skab DIR: the water testbed SKAB v0.9 by the rules of its board.
--speed: a million generated rows of a hundred machines through the command line.
Each runs by itself, unless --data is given too.

A long run can be cut in pieces: --tracks and --files choose series, --csv appends the raw figures to a
file, and --report prints the tables from such files.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

import pandas as pd
from common import machine
from series_boards import board_table, temperature_table
from series_data import labelled
from series_peers import PEERS, Peer
from series_report import as_markdown, as_text, origin, tables
from series_runs import FIELDS, OURS, Plan, Record, heading, measure, merged
from series_speed import speed_table
from tabular_report import Table
from tabular_runs import settings_in_environment


def main() -> int:
    parser = _parser()
    options = parser.parse_args()
    # AEDETECT_BENCH_SERIES is ours, not a setting of the program.
    folder = os.environ.pop("AEDETECT_BENCH_SERIES", None)
    alone = options.nab or options.skab or options.speed
    options.data = options.data or (Path(folder) if folder and not alone else None)
    if not (options.data or options.report or alone):
        parser.error("say with --data, or AEDETECT_BENCH_SERIES, where the series are")
    place = machine("pyod", "scikit-learn").replace("\n", ", ")
    environment = settings_in_environment()
    place += f"; {environment}" if environment else ""
    print(place)
    found: list[Table] = []
    lines = [f"- {date.today().isoformat()}: {place}"]
    complete = True
    try:
        if options.report or options.data:
            if options.report:
                figures = merged([pd.read_csv(path) for path in options.report])
            else:
                figures, complete = _measured(options, place)
            found += tables(figures)
            lines = origin(figures)
        if options.nab:
            found.append(temperature_table(options.nab, options.seed))
        if options.skab:
            found.append(board_table(options.skab, options.seed))
    except (FileNotFoundError, KeyError) as error:
        parser.error(str(error.args[0] if isinstance(error, KeyError) else error))
    if options.speed:
        found.append(speed_table(options.seed))
    print("\n" + as_text(found))
    if options.markdown:
        options.markdown.write_text(as_markdown(found, _protocol(), lines), encoding="utf-8")
    return 0 if complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of labelled series")
    parser.add_argument("--tracks", default="U,M", metavar="A,B", help="default: U,M")
    parser.add_argument("--files", type=int, default=1, metavar="N", help="every Nth series of a track")
    parser.add_argument(
        "--peer-files", type=int, default=1, metavar="N", help="peers on every Nth of these only"
    )
    parser.add_argument(
        "--peers", default="all", metavar="A,B", help=f"which of {', '.join(PEERS)}; or all, or none"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="default 0")
    parser.add_argument("--nab", type=Path, metavar="DIR", help="folder of the machine temperature")
    parser.add_argument("--skab", type=Path, metavar="DIR", help="folder of the water testbed")
    parser.add_argument("--speed", action="store_true", help="a million rows through the command line")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="append the raw figures to a CSV file")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="series from raw figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    return parser


def _measured(options: argparse.Namespace, place: str) -> tuple[pd.DataFrame, bool]:
    """The raw figures of this run, and whether aedetect's default succeeded wherever it ran."""
    found = labelled(options.data, options.tracks.split(","), options.files)
    today = date.today().isoformat()
    plan = Plan(options.data, _peers(options.peers), options.peer_files, options.seed, today, place)
    print(f"{len(found)} series, seed {options.seed}\n\n{heading()}", flush=True)
    rows: list[Record] = []
    complete = True
    for records in measure(plan, found):
        rows += records
        if options.csv:
            frame = pd.DataFrame(records, columns=list(FIELDS))
            frame.to_csv(options.csv, mode="a", index=False, header=not options.csv.exists())
        complete &= any(record["detector"] == OURS for record in records)
    if not rows:
        sys.exit("nothing was measured")
    return merged([pd.DataFrame(rows, columns=list(FIELDS))]), complete


def _peers(asked: str) -> tuple[Peer, ...]:
    names = {"all": list(PEERS), "none": []}.get(asked, asked.split(","))
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise KeyError(f"no such detectors: {', '.join(unknown)} (there are: {', '.join(PEERS)})")
    return tuple(peer for peer in PEERS.values() if peer.name in names and peer.available())


def _protocol() -> str:
    """What the docstring says of data, protocol and the other modes."""
    return (__doc__ or "").strip().partition("\n\n")[2].partition("\n\nA long run")[0]


if __name__ == "__main__":
    sys.exit(main())
