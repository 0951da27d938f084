"""What users do, as command lines; what came of it lies in expected/, a file for each case.

Each case runs in a folder of its own that holds the inputs, and the stored models as `t.aed` (of
tables) and `s.aed` (of series).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Command lines (without `aedetect`), run one after the other, and the outputs to compare.

    `fresh`: figures come from a network trained just now, which differ somewhat from machine to
    machine. `stdin`: the input that is piped into the first command.
    """

    name: str
    commands: tuple[str, ...]
    files: tuple[str, ...] = ()
    fresh: bool = False
    ranked: bool = False
    stdin: str | None = None


def case(
    name: str,
    *commands: str,
    files: str = "",
    fresh: bool = False,
    ranked: bool = False,
    stdin: str | None = None,
) -> Case:
    """A case; `files` are names between spaces."""
    return Case(name, commands, tuple(files.split()), fresh, ranked, stdin)


QUICK = "--epochs 2 --device cpu --config quick.toml"
TABLE = f"train table.csv -o new.aed --id no {QUICK}"
SERIES = f"train series.csv -o new.aed --time time --entity machine --window 12 {QUICK}"
LEDGER = "--new-only --state seen.db"

TRAIN = (
    case(
        "train-table",
        f"{TABLE} --json",
        "score table-new.csv -m new.aed --threshold 1000",
        files="new.aed",
        fresh=True,
    ),
    case("train-table-text", f"{TABLE} --alert-rate 0.05 -v", fresh=True),
    case(
        "train-roles",
        f"train table-new.csv -o new.aed --label odd --exclude price --role count=categorical {QUICK} --json",
        files="new.aed",
        fresh=True,
    ),
    case(
        "train-contaminated",
        f"train table-new.csv -o new.aed --id no --contamination 0.1 --latent-dim 3 --na-values ? {QUICK}",
        "inspect new.aed",
        fresh=True,
    ),
    case(
        "train-columns",
        f"train table.csv -o new.aed --columns temp,load --architecture principal {QUICK} --json",
        files="new.aed",
        fresh=True,
    ),
    case(
        "train-from",
        f"train table-more.csv table.csv -o new.aed --from t.aed {QUICK} --json",
        "inspect new.aed",
        fresh=True,
    ),
    case(
        "train-series",
        f"{SERIES} --json",
        "score series-new.csv -m new.aed --threshold 1000",
        files="new.aed",
        fresh=True,
    ),
    case("train-series-text", f"{SERIES} --alarms-per-day 1 --causal", "inspect new.aed", fresh=True),
    case("train-series-from", f"{SERIES} --from s.aed"),
    case("train-unknown-column", f"{TABLE} --exclude nothing"),
    case("train-series-flag-on-tables", f"{TABLE} --causal"),
    case("train-no-such-role", f"{TABLE} --role temp=colour"),
    case("train-unreadable", f"train table-new.csv -o new.aed --role temp=numeric {QUICK}", fresh=True),
)

SCORE = (
    case("score-csv", "score table-new.csv -m t.aed -o out.csv", files="out.csv"),
    case("score-json", "score table-new.csv -m t.aed -o out.csv --json", files="out.csv"),
    case("score-parquet", "score table-new.csv -m t.aed -o out.parquet", files="out.parquet"),
    case("score-arrow", "score table-new.csv -m t.aed -o out.arrow --only-anomalies", files="out.arrow"),
    case("score-jsonl", "score table-new.csv -m t.aed -o out.jsonl --only-anomalies", files="out.jsonl"),
    case(
        "score-tsv", "score table-new.csv -m t.aed -o out.tsv --keep none --only-anomalies", files="out.tsv"
    ),
    case(
        "score-from-parquet",
        "score table-new.csv -m t.aed -o mid.parquet --keep all",
        "score mid.parquet -m t.aed -o out.parquet --prefix again_ --keep id",
        files="out.parquet",
    ),
    case(
        "score-summary-only",
        "score table-new.csv -m t.aed",
        "score table-new.csv -m t.aed -q",
        "score table-new.csv -m t.aed -v",
    ),
    case(
        "score-keep-id-prefix",
        "score table-new.csv -m t.aed -o out.csv --keep id --prefix ae_ --json",
        files="out.csv",
    ),
    case(
        "score-one-output", "score table-new.csv table-more.csv -m t.aed -o out.csv --json", files="out.csv"
    ),
    case(
        "score-folder",
        "score table-new.csv table-more.csv -m t.aed -o out/ --only-anomalies",
        files="out/table-new.csv out/table-more.csv",
    ),
    case("score-stdin", "score - -m t.aed -o - --only-anomalies", stdin="table-new.csv"),
    case(
        "score-threshold",
        "score table-new.csv -m t.aed --threshold 5 --json",
        "score table-new.csv -m t.aed --alert-rate 0.2 --json",
    ),
    case(
        "score-guards",
        "score table-new.csv -m t.aed --fail-over 0.05",
        "score table-new.csv -m t.aed --fail-on-drift",
        "score table-new.csv -m t.aed --max-alert-rate 0.05 --log-format json",
    ),
    case(
        "score-records",
        "score table-new.csv -m t.aed --metrics m.prom --summary s.json -q",
        files="m.prom s.json",
    ),
    case(
        "score-new-only",
        f"score table-new.csv -m t.aed -o out/ {LEDGER} --json",
        f"score table-new.csv table-more.csv -m t.aed -o out/ {LEDGER} --json",
        "state show seen.db --json",
        f"score table-new.csv table-more.csv -m t.aed -o out/ {LEDGER} -v",
    ),
    case(
        "score-a-failure",
        "score table-more.csv series-new.csv -m t.aed -o out/ --json",
        "score nothing.csv -m t.aed",
        files="out/table-more.csv",
    ),
    case(
        "score-refusals",
        "score table-new.csv -m t.aed --history table.csv",
        "score table-new.csv -m t.aed -o table-new.csv",
        "score table-new.csv -m table.csv",
        "score table-new.csv -m t.aed --new-only",
        "score table-new.csv -m t.aed --events e.csv",
        "score table-new.csv -m t.aed --model-sha256 00",
        "score table-new.csv -m t.aed --alert-rate 2",
    ),
    case(
        "score-series-csv",
        "score series-new.csv -m s.aed -o out.csv --events events.csv",
        files="out.csv events.csv",
    ),
    case(
        "score-series-json",
        "score series-new.csv -m s.aed -o out.parquet --only-anomalies --events events.parquet --json",
        files="out.parquet events.parquet",
    ),
    case(
        "score-series-history",
        "score series-b.csv -m s.aed -o out.csv --history series-a.csv --keep id --prefix ae_",
        files="out.csv",
    ),
    case(
        "score-series-two-inputs",
        "score series-a.csv series-b.csv -m s.aed -o out.csv --only-anomalies --events events.jsonl --json",
        files="out.csv events.jsonl",
    ),
    case(
        "score-series-folder",
        "score series-a.csv series-b.csv -m s.aed -o out/ --keep none --only-anomalies",
        files="out/series-a.csv out/series-b.csv",
    ),
    case(
        "score-series-new-only",
        f"score series-a.csv -m s.aed -o out/ --keep id {LEDGER} --json",
        f"score series-a.csv series-b.csv -m s.aed -o out/ --keep id {LEDGER} --json",
        "state show seen.db --json",
        "state show seen.db -v",
        files="out/series-b.csv",
    ),
    case("score-series-refusals", "score table-new.csv -m s.aed"),
)

JUDGE = (
    case(
        "backtest",
        "backtest table-new.csv table-more.csv -m t.aed --rates 0.01,0.2 --budget 3/dump",
        "backtest series-new.csv -m s.aed --budget 1/day --json",
    ),
    case("evaluate", "evaluate table-new.csv -m t.aed --label odd"),
    case("evaluate-json", "evaluate table-new.csv -m t.aed --label odd --by site --at 0.05,0.2 --json"),
    case(
        "evaluate-compare",
        "evaluate table-new.csv -m t.aed --label odd --compare t.aed --json",
        "evaluate table-new.csv table-more.csv -m t.aed --label odd --threshold 5",
    ),
    case(
        "evaluate-refusals",
        "evaluate table-new.csv -m t.aed",
        "evaluate table-new.csv -m t.aed --label nothing",
    ),
    case("evaluate-series", "evaluate series-new.csv -m s.aed --label odd"),
    case("evaluate-series-json", "evaluate series-new.csv -m s.aed --label odd --by machine --json"),
    case(
        "explain", "explain table-new.csv -m t.aed", "explain table-new.csv -m t.aed --top 1 -v", ranked=True
    ),
    case(
        "explain-row",
        "explain table-new.csv -m t.aed --row 4 --row 15 --json",
        "explain table-new.csv -m t.aed --row 1",
        ranked=True,
    ),
    case(
        "explain-top",
        "explain table-new.csv -m t.aed --top 3 --json",
        "explain table-new.csv -m t.aed --id n0220 --json",
        ranked=True,
    ),
    case(
        "explain-refusals",
        "explain table-new.csv -m t.aed --row 900",
        "explain table-new.csv -m t.aed --event 1",
        "explain table-new.csv -m t.aed --row 27",
    ),
    case(
        "explain-series", "explain series-new.csv -m s.aed", "explain series-new.csv -m s.aed --entity m1 -v"
    ),
    case("explain-series-json", "explain series-new.csv -m s.aed --event 1 --entity m0 --json"),
    case("explain-series-row", "explain series-new.csv -m s.aed --row 70"),
    case("drift", "drift table-new.csv -m t.aed -v", "drift table-new.csv table-more.csv -m t.aed --json"),
    case(
        "drift-guards",
        "drift table-new.csv -m t.aed --fail-on-drift --config strict.toml",
        "drift table-more.csv -m t.aed",
    ),
    case("drift-series", "drift series-new.csv -m s.aed", "drift series-new.csv -m s.aed --json"),
    case(
        "calibrate",
        "calibrate table-more.csv table.csv -m t.aed -o new.aed --json",
        "inspect new.aed",
        "score table-new.csv -m new.aed -o out.csv --keep id",
        files="new.aed out.csv",
    ),
    case("calibrate-text", "calibrate table-new.csv -m t.aed -o new.aed --label odd --alert-rate 0.1"),
    case("calibrate-rate", "calibrate -m t.aed -o new.aed --alert-rate 0.2 --json"),
    case(
        "calibrate-series",
        "calibrate series.csv -m s.aed -o new.aed --json",
        "score series-b.csv -m new.aed -o out.csv --keep id",
        files="new.aed out.csv",
    ),
    case(
        "calibrate-refusals", "calibrate -m t.aed -o new.aed", "calibrate series-new.csv -m t.aed -o new.aed"
    ),
)

SHOW = (
    case(
        "report-html",
        "report table-new.csv -m t.aed -o r.html --label odd --top 5",
        files="r.html",
        ranked=True,
    ),
    case(
        "report-json",
        "report table-new.csv -m t.aed -o r.html --title Rows --json",
        files="r.html",
        ranked=True,
    ),
    case(
        "report-md",
        "report table-new.csv -m t.aed --format md --top 4",
        "report table-new.csv -m t.aed -o r.md --label odd",
        files="r.md",
        ranked=True,
    ),
    case("report-plots", "report table-new.csv -m t.aed --plots charts -o r.md --json"),
    case("report-series", "report series-new.csv -m s.aed -o r.html --label odd", files="r.html"),
    case("report-series-md", "report series-new.csv -m s.aed --format md"),
    case("inspect", "inspect t.aed", "inspect t.aed -v", "inspect t.aed --format md"),
    case("inspect-json", "inspect t.aed --json"),
    case("inspect-series", "inspect s.aed", "inspect s.aed --format md"),
    case("inspect-series-json", "inspect s.aed --format json"),
    case("inspect-refusals", "inspect table.csv", "inspect nothing.aed"),
)

CONVERT = (
    case(
        "encode-decode",
        "encode table-new.csv -m t.aed -o codes.csv --json",
        "decode codes.csv -m t.aed -o back.csv --json",
        files="codes.csv back.csv",
    ),
    case(
        "encode-decode-parquet",
        "encode table-more.csv -m t.aed -o codes.parquet",
        "decode codes.parquet -m t.aed -o back.parquet",
        files="codes.parquet back.parquet",
    ),
    case("encode-folder", "encode table-new.csv table-more.csv -m t.aed -o out/", files="out/table-more.csv"),
    case("encode-map", "encode table-new.csv -m t.aed -o codes.csv --map map.svg"),
    case("decode-refusals", "decode table-new.csv -m t.aed -o out.csv"),
    case(
        "clean",
        "clean table-new.csv -m t.aed -o out.csv --denoise --changes changes.csv --json",
        files="out.csv changes.csv",
    ),
    case(
        "clean-cells",
        "clean table-new.csv -m t.aed -o out.csv --only-anomalous-cells --changes changes.csv",
        files="out.csv changes.csv",
    ),
    case(
        "clean-no-noise",
        "clean table-new.csv table-more.csv -m t.aed -o out.parquet",
        files="out.parquet",
    ),
    case("impute", "impute table-new.csv -m t.aed -o out.csv --mark --json", files="out.csv"),
    case("impute-draws", "impute table-more.csv -m t.aed -o out.csv --draws 3 --seed 1", files="out.csv"),
    case("impute-parquet", "impute table-more.csv -m t.aed -o out.parquet", files="out.parquet"),
    case("sample", "sample 20 -m t.aed -o out.csv --json", files="out.csv"),
    case(
        "sample-where",
        "sample 10 -m t.aed -o out.parquet --where site=west --seed 3",
        "sample 3 -m t.aed -o -",
        "sample 3 -m t.aed -o out.csv --where site=mars",
        files="out.parquet",
    ),
    case(
        "series-have-no-codes",
        "encode series-new.csv -m s.aed -o out.csv",
        "decode series-new.csv -m s.aed -o out.csv",
        "clean series-new.csv -m s.aed -o out.csv",
        "impute series-new.csv -m s.aed -o out.csv",
        "sample 3 -m s.aed -o out.csv",
    ),
)

STATE = (
    case(
        "state",
        f"score table-new.csv table-more.csv -m t.aed {LEDGER} -o out/ -q",
        "state show seen.db",
        "state show seen.db --model-sha256 00 --json",
        "state forget seen.db table-more.csv",
        "state show seen.db --json",
        "state forget seen.db --all --json",
        "state show seen.db",
    ),
    case("state-refusals", "state show nothing.db", "state show table.csv", "state forget nothing.db --all"),
)

CASES = (*TRAIN, *SCORE, *JUDGE, *SHOW, *CONVERT, *STATE)
