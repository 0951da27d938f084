"""Detection quality on labelled tables, beside PyOD's detectors (`make bench-tabular`).

Data: a folder of Parquet files, one a data set, with numeric columns of any name, `label` (1: an
anomaly) and `part` ('train' or 'test'); for example 'tabular', ADBench's classical sets (Han et al.,
NeurIPS 2022), or 'wild', real tables of many fields with their own column names (of OddBench and OvRBench).
Name it with --data or the environment variable AEDETECT_BENCH_DATA. Where --data is given several times,
each folder is a collection that is called by the folder's name; a single folder is called 'wild'
where that is its name, and 'tabular' otherwise. With --categorical, a folder of CSV.gz files instead, with
nominal columns, `label` and `part`.

Protocol (semi-supervised): fit on the rows of part 'train', all normal; score those of part 'test',
the other normal rows and all anomalies. AUROC and average precision (AP) are over the test rows,
'alarms' is the share of normal test rows that were flagged at --alert-rate; alarms_5, alarms_1 and alarms_01
are the shares whose p-value is at most 5%, 1% and 0.1%. A row without a score counts as the
strangest, and is no alarm. aedetect runs through its command line with default settings
(AEDETECT_... variables change them); its times are those of its summary, reading and writing included,
so on a small table the rows/s are mostly fixed costs. PyOD's detectors (KNN: k=5, 'largest'; 'nearest
row': KNN with k=1; the others with their defaults) run on arrays in memory, standardised, with one thread;
what is not a finite number becomes the median of the column's finite training values for them. LUNAR
is left out where there are more than 4,000 rows to train on; a detector that fails on a set, or
gives no finite score, is left out there.

Nominal columns: aedetect reads the CSV files as text, told that every column is categorical; '(no roles)' is
told nothing. The peers get a 0/1 column for each category of the training rows, standardised; of a
category that is not among them, all are 0.

Halves: what is chosen by looking at these figures is chosen on one half of the sets, and confirmed on the
other. The sorted names of the sets of a collection are permuted with default_rng(2026), those of 'wild'
first and those of 'tabular' next, with the same generator; the first half of a permutation, rounded
down, is for choosing, the rest for confirming. Further collections follow in alphabetical order. Where
'wild' or 'tabular' is not among the folders, the draws of its 160 or 30 sets are skipped, so that the
halves of the others stay the same. The report gives the means over each half and over both, with
standard errors over the sets.

Seeds: seed 0 is the `part` in the file; of 'wild' it is the only one unless --seeds is given. For seed
S > 0 the normal rows of the table, in their order, are shuffled with numpy's default_rng(1000 + S) and
cut in half, the first half for training; every detector that takes a seed is given S.

--contaminated: 2%, 5% and 10% of the training rows, chosen with default_rng([S, 7]), are replaced by
anomalies of the test rows, which leave these. At most half of a set's anomalies are used, so the share
reached may be lower; sets where this leaves fewer than 2 are left out. Each detector is also trained on the
clean rows; the scores that it then gives the test rows are judged over the same, reduced test rows.

--only-peers: aedetect itself is not run; --report can later print these figures beside those of runs with
`--peers none`.

--ablation: aedetect with other settings (ABLATIONS in tabular_runs.py) beside its default.

A long run can be cut in pieces: --sets chooses sets, --csv appends the raw figures to a file, and
--report prints the tables from such files.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

import pandas as pd
from common import machine
from tabular_data import CATEGORICAL, QUICK, Source, chosen_sources
from tabular_peers import PEERS, Peer
from tabular_report import as_markdown, as_text, merged
from tabular_runs import DEFAULT, FIELDS, Plan, Record, Study, heading, measure, settings_in_environment

SEEDS = 3
# Which peers run where --peers is not given.
USUAL: dict[Study, str] = {"default": "all", "contaminated": "KNN", "ablation": "none"}


def main() -> int:
    parser = _parser()
    options = parser.parse_args()
    if options.only_peers and options.study != "default":
        parser.error(f"--only-peers cannot be used with --{options.study}")
    if options.report:
        figures = merged([pd.read_csv(path) for path in options.report])
        complete = True
    else:
        try:
            figures, complete = _measured(options)
        except (FileNotFoundError, KeyError) as error:
            parser.error(str(error.args[0]))
    print("\n" + as_text(figures))
    if options.markdown:
        options.markdown.write_text(as_markdown(figures, _protocol()), encoding="utf-8")
    return 0 if complete else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR",
        help="folder of numeric sets, Parquet; may be given several times",
    )
    data.add_argument("--categorical", type=Path, metavar="DIR", help="folder of nominal sets, CSV.gz")
    parser.add_argument("--sets", default="", metavar="A,B", help="names of sets; default: all")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK} sets of each folder, spread over the alphabet"
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help=f"seeds 0 to N - 1 (default {SEEDS}; of 'wild', 1)"
    )
    parser.add_argument("--alert-rate", type=float, default=0.05, metavar="R", help="default 0.05")
    parser.add_argument(
        "--peers",
        nargs="?",
        const="all",
        metavar="A,B",
        help=f"which of {', '.join(PEERS)}; or all, or none; default: all, "
        "with --contaminated KNN (which always runs there), with --ablation none",
    )
    parser.add_argument("--only-peers", action="store_true", help="do not run aedetect itself")
    study = parser.add_mutually_exclusive_group()
    for name in ("contaminated", "ablation"):
        study.add_argument(f"--{name}", dest="study", action="store_const", const=name, help="see above")
    parser.set_defaults(study="default")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="splits measured at a time (default 1)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="append the raw figures to a CSV file")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="only print, from raw figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    return parser


def _measured(options: argparse.Namespace) -> tuple[pd.DataFrame, bool]:
    """The raw figures of this run, and whether aedetect's default succeeded wherever it ran."""
    names = [name for name in options.sets.split(",") if name]
    sets = chosen_sources(_folders(options), names, options.quick)
    splits = [(source, seed) for source in sets for seed in range(_seeds(options.seeds, source))]
    if options.csv:
        _check_columns(options.csv)
    plan = _plan(options)
    print(plan.machine)
    seeds = max(seed for _, seed in splits)
    print(f"{len(sets)} sets, seeds 0 to {seeds}, alert rate {options.alert_rate}")
    if options.jobs > 1:
        print(f"{options.jobs} splits at a time: the times cannot be compared with others")
    print("\n" + heading(options.study), flush=True)
    rows: list[Record] = []
    complete = True
    for records in measure(plan, splits):
        rows += records
        if options.csv:
            _append(options.csv, records)
        left_out = plan.only_peers or (options.study == "contaminated" and not records)
        complete &= left_out or any(record["detector"] == DEFAULT for record in records)
    if not rows:
        sys.exit("nothing was measured")
    return merged([pd.DataFrame(rows, columns=list(FIELDS))]), complete


def _folders(options: argparse.Namespace) -> dict[str, Path]:
    """The folders to read, by the names of their collections."""
    # AEDETECT_BENCH_DATA is ours, not a setting of the program.
    usual = os.environ.pop("AEDETECT_BENCH_DATA", None)
    if options.categorical:
        return {CATEGORICAL: options.categorical}
    folders: list[Path] = options.data or ([Path(usual)] if usual else [])
    if not folders:
        raise FileNotFoundError("say with --data, or AEDETECT_BENCH_DATA, where the Parquet files are")
    names = [folder.resolve().name for folder in folders]
    if len(folders) == 1:
        return {"wild" if names == ["wild"] else "tabular": folders[0]}
    if len(set(names)) < len(names) or CATEGORICAL in names:
        raise KeyError(f"folders of numeric sets need names of their own, not {', '.join(names)}")
    return dict(zip(names, folders, strict=True))


def _seeds(asked: int | None, source: Source) -> int:
    if asked is not None:
        return asked
    return 1 if source.collection == "wild" else SEEDS


def _plan(options: argparse.Namespace) -> Plan:
    environment = settings_in_environment()
    place = machine("pyod", "scikit-learn").replace("\n", ", ") + (f"; {environment}" if environment else "")
    return Plan(
        options.study,
        _peers(options.peers or USUAL[options.study], options.study),
        options.alert_rate,
        options.jobs,
        date.today().isoformat(),
        place,
        options.only_peers,
    )


def _peers(asked: str, study: Study) -> tuple[Peer, ...]:
    names = {"all": list(PEERS), "none": []}.get(asked, asked.split(","))
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise KeyError(f"no such detectors: {', '.join(unknown)} (there are: {', '.join(PEERS)})")
    if study == "contaminated":
        names = ["KNN", *names]
    return tuple(peer for peer in PEERS.values() if peer.name in names and peer.available())


def _check_columns(path: Path) -> None:
    if path.exists() and list(pd.read_csv(path, nrows=0)) != list(FIELDS):
        raise KeyError(f"{path} has other columns than this version writes: name another file")


def _append(path: Path, records: list[Record]) -> None:
    frame = pd.DataFrame(records, columns=list(FIELDS))
    frame.to_csv(path, mode="a", index=False, header=not path.exists())


def _protocol() -> str:
    """What the docstring says of data, protocol and seeds."""
    return (__doc__ or "").strip().partition("\n\n")[2].partition("\n\n--ablation")[0]


if __name__ == "__main__":
    sys.exit(main())
