"""`aedetect score`: the contract that scripts and cron depend on."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.ledger_rows import ledger_rows
from support.pretend_cluster import told_of
from support.prompt import Prompt
from support.tables import tiny_frame

import aedetect
from aedetect.engine import stream

RESULTS = ["anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_features", "anomaly_status"]
ROWS = "temp,load,site,open\n20,40,north,true\n500,-900,north,true\n?,40,south,false\n21,42,west,false\n"


@pytest.fixture
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    """In a folder with new.csv, which has two normal rows, an anomaly and an unscorable one."""
    prompt.write("new.csv", ROWS)
    return prompt.command("score", after=("-m", tiny_model))


def test_output_is_the_input_and_the_verdicts(score: Prompt) -> None:
    result = score("new.csv", "-o", "out.csv")
    assert result.exit_code == 0
    assert result.stdout == "new.csv: 4 rows, 1 flagged (25.00%), 1 unscorable → out.csv\n"
    assert result.stderr == (
        "warning: new.csv: column 'temp': 1 cell cannot be read as numeric, the first in row 3 (line 4); "
        "this row is unscorable\n"
    )
    out = pd.read_csv("out.csv", dtype=str, keep_default_na=False)
    assert list(out) == ["temp", "load", "site", "open", *RESULTS]
    assert out["temp"].tolist() == ["20", "500", "?", "21"]
    assert out["is_anomaly"].tolist() == ["false", "true", "", "false"]
    assert out["anomaly_status"].tolist() == ["ok", "ok", "unscorable", "ok"]
    assert out["anomaly_score"][2] == out["anomaly_p_value"][2] == out["anomaly_features"][2] == ""
    assert set(json.loads(out["anomaly_features"][1])) <= {"temp", "load", "site", "open"}


def test_types_of_the_results(score: Prompt) -> None:
    score("new.csv", "-o", "out.parquet")
    table = parquet.read_table("out.parquet")
    assert [str(kind) for kind in table.schema.types] == [
        *["double", "double", "string", "bool"],
        *["double", "double", "bool", "string", "string"],
    ]
    assert table.column("temp").to_pylist() == [20.0, 500.0, None, 21.0]
    assert table.column("is_anomaly").to_pylist() == [False, True, None, False]


@pytest.mark.parametrize(
    "name", ["out.csv", "out.tsv", "out.jsonl", "out.parquet", "out.arrow", "out.csv.gz", "out.jsonl.zst"]
)
def test_every_format_holds_the_same_verdicts(score: Prompt, name: str) -> None:
    assert score("new.csv", "-o", name).exit_code == 0
    match Path(name).suffixes:
        case [".parquet"]:
            flags = parquet.read_table(name).column("is_anomaly").to_pylist()
        case [".arrow"]:
            flags = pa.ipc.open_file(name).read_all().column("is_anomaly").to_pylist()
        case [".jsonl", *_]:
            text = pd.read_json(pa.input_stream(name), lines=True)
            flags = [None if pd.isna(flag) else bool(flag) for flag in text["is_anomaly"]]
        case suffixes:
            separator = "\t" if ".tsv" in suffixes else ","
            text = pd.read_csv(name, sep=separator, dtype=str)
            flags = [{"true": True, "false": False}.get(flag) for flag in text["is_anomaly"]]
    assert flags == [False, True, None, False]


def test_the_summary_is_the_contract(score: Prompt) -> None:
    found = score.json("new.csv", "-o", "out.csv")
    assert list(found) == [
        *["schema_version", "aedetect_version", "command", "model", "rows", "normal", "anomalies"],
        *["unscorable", "muted", "warmup", "muted_by", "muted_events", "events", "silences", "adopted"],
        *["threshold", "alert_rate", "expected_alert_rate", "anomaly_share", "workers", "files"],
        *[
            "warnings",
            "notified",
            "drift",
            "health",
            "health_unjudged",
            "error",
            "started",
            "finished",
            "seconds",
        ],
        "exit_code",
    ]
    assert list(found["model"]) == ["path", "sha256", "trained", "age_days"]
    assert found["files"] == [
        {
            "path": "new.csv",
            "output": "out.csv",
            "status": "scored",
            "rows": 4,
            "normal": 2,
            "anomalies": 1,
            "unscorable": 1,
            "muted": 0,
            "error": None,
        }
    ]
    assert (found["rows"], found["normal"], found["anomalies"], found["unscorable"]) == (4, 2, 1, 1)
    assert (found["command"], found["anomaly_share"], found["exit_code"]) == ("score", 0.25, 0)
    assert (found["warmup"], found["events"]) == (0, None)
    assert (found["muted"], found["muted_by"], found["muted_events"]) == (0, [], None)
    for moment in (found["started"], found["finished"]):
        assert pd.Timestamp(moment).utcoffset() == pd.Timedelta(0)


def test_json_is_all_there_is_on_stdout_and_stderr(score: Prompt) -> None:
    result = score("new.csv", "--json")
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""
    assert len(json.loads(result.stdout)["warnings"]) == 1


def test_infinite_numbers_never_reach_json(score: Prompt) -> None:
    Path("inf.csv").write_text("temp,load,site,open\ninf,40,north,true\n-inf,1e400,north,true\n")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    result = score("inf.csv", "-o", "out.jsonl", "--json")
    assert json.loads(result.stdout, parse_constant=refuse)["anomalies"] == 2
    for line in Path("out.jsonl").read_text().splitlines():
        json.loads(json.loads(line, parse_constant=refuse)["anomaly_features"], parse_constant=refuse)


@pytest.mark.parametrize(("words", "shown"), [(["-q"], ""), (["-q", "--json"], "{")])
def test_quiet(score: Prompt, words: list[str], shown: str) -> None:
    result = score("new.csv", "-o", "out.csv", *words)
    assert result.stdout[:1] == shown
    assert result.stderr == ""


def test_stdin_to_stdout(score: Prompt) -> None:
    result = score("-", "-o", "-", "-q", stdin=ROWS)
    lines = result.stdout.splitlines()
    assert lines[0] == ",".join(["temp", "load", "site", "open", *RESULTS])
    assert [line[:3] for line in lines[1:]] == ["20,", "500", "?,4", "21,"]


def test_stdout_holds_nothing_but_data(score: Prompt) -> None:
    score("new.csv", "-o", "out.csv")
    result = score("new.csv", "-o", "-")
    assert result.stdout == Path("out.csv").read_text()


def test_json_and_data_cannot_share_stdout(score: Prompt) -> None:
    result = score("new.csv", "-o", "-", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stderr) == {
        "command": "score",
        "error": "--json and -o - both write to stdout; choose one",
        "exit_code": 2,
    }


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        ([], ["temp", "load", "site", "open", *RESULTS]),
        (["--keep", "all"], ["temp", "load", "site", "open", *RESULTS]),
        (["--keep", "none"], RESULTS),
        (["--keep", "id"], RESULTS),
        (["--keep", "none", "--prefix", "x_"], ["x_" + name for name in RESULTS]),
    ],
)
def test_columns_written(score: Prompt, words: list[str], columns: list[str]) -> None:
    score("new.csv", "-o", "out.csv", *words)
    assert list(pd.read_csv("out.csv")) == columns


def test_keep_id_keeps_the_id_columns(prompt: Prompt, tiny_csv: Path) -> None:
    frame = pd.read_csv(tiny_csv)
    frame["who"] = [f"id-{index}" for index in range(len(frame))]
    frame.to_csv("train.csv", index=False)
    quick = prompt.setting(training_epochs="1", training_folds="2")
    assert quick("train", "train.csv", "-o", "id.aed", "--id", "who").exit_code == 0
    prompt("score", "train.csv", "-m", "id.aed", "-o", "out.csv", "--keep", "id")
    out = pd.read_csv("out.csv")
    assert list(out) == ["who", *RESULTS]
    assert out["who"].tolist() == frame["who"].tolist()


def test_only_anomalies(score: Prompt) -> None:
    found = score.json("new.csv", "-o", "out.csv", "--only-anomalies")
    out = pd.read_csv("out.csv")
    assert out["temp"].tolist() == [500]
    assert found["rows"] == 4
    assert list(out) == [*pd.read_csv("new.csv"), "anomaly_row", *RESULTS]


def test_only_anomalies_know_their_rows(score: Prompt) -> None:
    """By the number of the row in its own input, whichever batch it comes in."""
    frame = pd.concat([tiny_frame(300)] * 2, ignore_index=True)
    for index in (6, 299, 411):
        frame.loc[index, "load"] = 5000.0
    frame.to_csv("many.csv", index=False)
    small = score.setting(scoring_batch_rows="100")
    small("many.csv", "new.csv", "-o", "out.csv", "--only-anomalies", "--keep", "none")
    out = pd.read_csv("out.csv")
    assert list(out) == ["anomaly_row", *RESULTS, "source_file"]
    of_many = out[out["source_file"] == "many.csv"]
    assert {7, 300, 412} <= set(of_many["anomaly_row"])
    small("many.csv", "-o", "all.csv")
    flagged = pd.read_csv("all.csv")["is_anomaly"]
    assert of_many["anomaly_row"].tolist() == (flagged.index[flagged] + 1).tolist()


def test_a_column_of_row_numbers_asks_for_a_prefix(score: Prompt) -> None:
    pd.read_csv("new.csv").assign(anomaly_row=7).to_csv("numbered.csv", index=False)
    assert score("numbered.csv", "-o", "out.csv").exit_code == 0
    assert score("numbered.csv", "-o", "out.csv", "--only-anomalies").usage() == (
        "numbered.csv: has a column 'anomaly_row' already, which scoring would add; "
        "give --prefix, e.g. --prefix new_"
    )
    score("numbered.csv", "-o", "out.csv", "--only-anomalies", "--prefix", "new_", "--keep", "none")
    assert list(pd.read_csv("out.csv"))[:2] == ["new_anomaly_row", "new_anomaly_score"]


def test_scoring_an_output_again_asks_for_a_prefix(score: Prompt) -> None:
    score("new.csv", "-o", "out.csv")
    assert score("out.csv", "-o", "again.csv").usage() == (
        "out.csv: has a column 'anomaly_score' already, which scoring would add; "
        "give --prefix, e.g. --prefix new_"
    )
    assert score("out.csv", "-o", "again.csv", "--prefix", "new_").exit_code == 0
    again = pd.read_csv("again.csv")
    assert again["new_anomaly_score"].tolist()[:2] == again["anomaly_score"].tolist()[:2]


def test_no_output_needs_no_prefix(score: Prompt) -> None:
    score("new.csv", "-o", "out.csv")
    assert score("out.csv").exit_code == 0


def test_a_clash_in_one_input_stops_all_before_any_output(score: Prompt) -> None:
    score("new.csv", "-o", "z.csv")
    assert score("new.csv", "z.csv", "-o", "out/").exit_code == 2
    assert not os.path.exists("out/new.csv")


@pytest.fixture
def several(score: Prompt) -> Prompt:
    """With two inputs more, in the folder `in`."""
    score.write("in/a.csv", ROWS)
    score.write("in/b/a.jsonl", '{"open": true, "site": "north", "load": 40, "temp": 20, "note": "x"}\n')
    return score


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_gets_one_output_per_input(several: Prompt, made: bool) -> None:
    if made:
        Path("out").mkdir()
    found = several.json("in", "-o", "out" if made else "out/")
    assert [entry["output"] for entry in found["files"]] == ["out/a.csv", "out/b/a.jsonl"]
    assert len(pd.read_csv("out/a.csv")) == 4
    assert json.loads(Path("out/b/a.jsonl").read_text())["note"] == "x"


def test_inputs_whose_name_says_no_format_get_csv(several: Prompt) -> None:
    Path("new.csv").rename("data.txt")
    assert several.json("data.txt", "-o", "out/")["files"][0]["output"] == "out/data.txt.csv"
    assert len(pd.read_csv("out/data.txt.csv")) == 4


def test_several_inputs_are_concatenated(several: Prompt) -> None:
    assert several("in/b/a.jsonl", "new.csv", "-o", "out.parquet").exit_code == 0
    out = parquet.read_table("out.parquet").to_pandas()
    assert list(out) == ["open", "site", "load", "temp", "note", *RESULTS, "source_file"]
    assert out["source_file"].tolist() == ["in/b/a.jsonl", *["new.csv"] * 4]
    assert out["note"].isna().tolist() == [False, True, True, True, True]


def test_two_inputs_of_one_name_cannot_go_to_one_folder(several: Prompt) -> None:
    Path("in/b/a.csv").write_text(ROWS)
    assert several("in/a.csv", "in/b/a.csv", "-o", "out/").usage() == (
        "two inputs would both be written to out/a.csv; score them apart"
    )


@pytest.mark.parametrize("output", ["-", "out.csv", "out/"])
def test_one_bad_input_does_not_stop_the_others(score: Prompt, output: str) -> None:
    Path("bad.csv").write_text("temp,load,site,open\n1,2,3\n")
    result = score("bad.csv", "new.csv", "-o", output, "-q", "--fail-over", "0")
    assert result.exit_code == 6
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("error: bad.csv: row 1 (line 2) has 3 fields where the header has 4; ")
    written = result.stdout if output == "-" else Path(output, *["new.csv"] * (output == "out/")).read_text()
    assert len(written.splitlines()) == 5


def test_when_no_input_is_good_the_failures_are_the_outcome(score: Prompt) -> None:
    Path("bad.csv").write_text("temp,load,site,open\n1,2,3\n")
    Path("few.csv").write_text("temp\n1\n")
    result = score("bad.csv", "few.csv", "-o", "out.csv")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: none of 2 inputs can be used: bad.csv: row 1 (line 2) has 3 fie")
    assert "; few.csv: " in result.stderr
    assert result.stdout == ""
    assert not os.path.exists("out.csv")


@pytest.mark.parametrize(("rate", "code"), [("0", 10), ("0.24", 10), ("0.25", 0), ("1", 0)])
def test_fail_over(score: Prompt, rate: str, code: int) -> None:
    result = score("new.csv", "-o", "out.csv", "--fail-over", rate, "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout)["exit_code"] == code
    assert len(pd.read_csv("out.csv")) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fail-over", "nan"], "--fail-over = 'nan': must be a finite number"),
        (["--fail-over", "2"], "--fail-over = 2.0: must lie between 0 and 1"),
        (["--alert-rate", "0"], "--alert-rate = '0': must be above 0 and below 1, such as 0.01 or 1%"),
        (["--alert-rate", "nan"], "--alert-rate = 'nan': must be a finite number"),
        (["--threshold", "nan"], "--threshold = 'nan': must be a finite number"),
        (["--threshold", "inf"], "--threshold = 'inf': must be a finite number"),
        (["--device", "gpu"], "--device = 'gpu': not one of auto, cpu, cuda or mps"),
        (
            ["--threshold", "1", "--alert-rate", "0.1"],
            "--threshold and --alert-rate exclude each other; choose one",
        ),
        (["-o", "new.csv"], "new.csv: the output is also an input; choose another name"),
        (["-o", "./new.csv"], "./new.csv: the output is also an input; choose another name"),
        (
            ["-o", "out.xls"],
            "out.xls: unknown output format; end the name in one of "
            ".csv, .tsv, .parquet, .pq, .arrow, .feather, .jsonl, .ndjson",
        ),
    ],
)
def test_wrong_use(score: Prompt, words: list[str], message: str) -> None:
    assert score("new.csv", *words).usage() == message
    assert Path("new.csv").read_text() == ROWS


def test_the_model_is_not_overwritten(score: Prompt, tiny_model: Path) -> None:
    before = tiny_model.read_bytes()
    Path("m.csv").symlink_to(tiny_model)
    assert score("new.csv", "-o", "m.csv").usage() == (
        "m.csv: the output is also the model file; choose another name"
    )
    assert tiny_model.read_bytes() == before


@pytest.mark.parametrize(("words", "flagged"), [(["--threshold", "-1"], 3), (["--threshold", "1e9"], 0)])
def test_a_threshold_given_by_hand(score: Prompt, words: list[str], flagged: int) -> None:
    found = score.json("new.csv", *words)
    assert (found["anomalies"], found["threshold"]) == (flagged, float(words[1]))


def test_a_higher_alert_rate_lowers_the_threshold(score: Prompt) -> None:
    usual, higher = score.json("new.csv"), score.json("new.csv", "--alert-rate", "0.3")
    assert higher["threshold"] < usual["threshold"]
    assert higher["alert_rate"] == 0.3
    assert higher["expected_alert_rate"] == pytest.approx(0.3, abs=0.005)


def test_settings_come_from_file_and_environment_too(score: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("c.toml").write_text("[threshold]\nvalue = 5.0\n")
    assert score.json("new.csv", "--config", "c.toml")["threshold"] == 5
    monkeypatch.setenv("AEDETECT_THRESHOLD_VALUE", "6")
    assert score.json("new.csv", "--config", "c.toml")["threshold"] == 6
    assert score.json("new.csv", "--config", "c.toml", "--threshold", "7")["threshold"] == 7


def test_a_symbolic_link_as_output_is_followed(score: Prompt) -> None:
    Path("real.csv").write_text("old")
    Path("link.csv").symlink_to("real.csv")
    score("new.csv", "-o", "link.csv")
    assert Path("link.csv").is_symlink()
    assert len(pd.read_csv("real.csv")) == 4


def test_file_names_that_are_no_text(score: Prompt) -> None:
    name = os.fsdecode(b"caf\xe9.csv")
    Path("new.csv").rename(name)
    Path("other.csv").write_text(ROWS)
    found = score.json(name, "other.csv", "-o", "out.csv")
    assert found["files"][0]["path"] == "caf\\xe9.csv"
    assert set(pd.read_csv("out.csv")["source_file"]) == {"caf\\xe9.csv", "other.csv"}


def test_escape_characters_from_names_do_not_reach_the_terminal(score: Prompt) -> None:
    Path("new.csv").rename("\x1b[31m[red].csv")
    result = score("\x1b[31m[red].csv", "-o", "out.csv")
    assert result.stdout.startswith("\\x1b[31m[red].csv: 4 rows")
    assert "\x1b" not in result.stdout + result.stderr
    assert score("\x1b[31m[red].csv", "-o", "\x1b[31m[red].csv").usage().startswith("\\x1b[31m[red]")


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("latin-1", marks=pytest.mark.slow)])
def test_a_terminal_that_knows_few_characters(score: Prompt, encoding: str) -> None:
    result = score.process("new.csv", "-o", "out.csv", environment={"PYTHONIOENCODING": encoding})
    assert result.exit_code == 0
    assert result.stdout == "new.csv: 4 rows, 1 flagged (25.00%), 1 unscorable -> out.csv\n"


def test_the_same_run_gives_the_same_bytes(score: Prompt) -> None:
    for name in ("one.csv.gz", "two.csv.gz"):
        score("new.csv", "-o", name)
    assert Path("one.csv.gz").read_bytes() == Path("two.csv.gz").read_bytes()
    assert gzip.decompress(Path("one.csv.gz").read_bytes()).startswith(b"temp,")


@pytest.fixture
def stern(prompt: Prompt, tiny_csv: Path) -> Prompt:
    """Scoring with a model trained with an alert rate of 0.2 and one blamed column."""
    prompt.write("normal.csv", tiny_csv.read_bytes())
    prompt.write("c.toml", "[threshold]\nalert_rate = 0.2\n[scoring]\ntop_features = 1\n")
    quick = prompt.setting(training_epochs="1", training_folds="2")
    assert quick("train", "normal.csv", "-o", "stern.aed", "--config", "c.toml").exit_code == 0
    return prompt.command("score", "normal.csv", "-m", "stern.aed")


@pytest.mark.parametrize(
    "text", ["", "[threshold]\n", "[scoring]\nbatch_rows = 64\n", "[training]\nepochs = 3\n"]
)
def test_a_config_file_changes_only_what_it_sets(stern: Prompt, text: str) -> None:
    stern.write("score.toml", text)
    plain, told = stern.json(), stern.json("--config", "score.toml")
    assert told["threshold"] == plain["threshold"] == aedetect.load("stern.aed").threshold
    assert stern("--config", "score.toml", "-o", "out.csv").exit_code == 0
    blamed = pd.read_csv("out.csv")["anomaly_features"].dropna()
    assert {len(json.loads(features)) for features in blamed} == {1}


def test_an_alert_rate_overrules_a_trained_fixed_threshold(prompt: Prompt, tiny_csv: Path) -> None:
    prompt.write("c.toml", "[threshold]\nvalue = 5.0\n")
    quick = prompt.setting(training_epochs="1", training_folds="2")
    assert quick("train", tiny_csv, "-o", "fixed.aed", "--config", "c.toml").exit_code == 0
    score = prompt.command("score", tiny_csv, "-m", "fixed.aed")
    assert score.json()["threshold"] == 5
    assert score.json("--alert-rate", "0.2")["threshold"] != 5


@pytest.mark.parametrize(("words", "asked"), [((), 0.01), (("--alert-rate", "3%"), 0.03)])
def test_the_rate_asked_for_and_the_one_expected_are_told_apart(
    score: Prompt, words: tuple[str, ...], asked: float
) -> None:
    told = score.json("new.csv", *words)
    assert told["alert_rate"] == asked
    assert told["expected_alert_rate"] == pytest.approx(asked, rel=0.5)
    assert told["expected_alert_rate"] != asked


def test_a_threshold_set_by_hand_is_no_rate_asked_for(score: Prompt) -> None:
    told = score.json("new.csv", "--threshold", "2.5")
    assert told["alert_rate"] is None
    assert 0 < told["expected_alert_rate"] < 1


def test_scores_are_written_as_the_shortest_text_that_reads_back_the_same(score: Prompt) -> None:
    assert score("new.csv", "-o", "out.csv").exit_code == 0
    assert score("new.csv", "-o", "out.parquet").exit_code == 0
    texts = pd.read_csv("out.csv", dtype=str)["anomaly_score"].dropna()
    numbers = [float(number) for number in pd.read_parquet("out.parquet")["anomaly_score"].dropna()]
    assert [repr(float(text)) for text in texts] == [repr(number) for number in numbers]
    assert all(len(text) <= len(repr(number)) for text, number in zip(texts, numbers, strict=True))


def test_threads_that_share_a_small_file_change_nothing(
    score: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = tiny_frame(600, seed=4).astype({"temp": object})
    frame.loc[[150, 151, 430], "temp"] = "broken"
    frame.loc[[20, 500], "load"] = [900.0, -900.0]
    frame.loc[[20, 220, 500], "site"] = ["NORTH", "nowhere", "nowhere"]
    frame.to_csv(Path(score.folder, "all.csv"), index=False)
    found = []
    for name, threads in (("one", 1), ("two", 2)):
        batches = mock.Mock(side_effect=stream._batch_rows)
        with (
            mock.patch.multiple(stream, _FEWEST_ROWS=1, _ROWS_STEP=1, _batch_rows=batches),
            mock.patch("aedetect.tasks.score.single_threaded", return_value=nullcontext(threads)),
        ):
            told = told_of(score.json("all.csv", "-o", f"{name}.csv", "--new-only", "--state", f"{name}.db"))
            shown = score("all.csv", "-o", "shown.csv", terminals=("stdout",))
        assert [call.args[2] for call in batches.call_args_list] == [threads, threads]
        assert told["files"][0].pop("output") == f"{name}.csv"
        output = Path(score.folder, f"{name}.csv").read_bytes()
        found.append((told, output, ledger_rows(Path(score.folder, f"{name}.db")), shown.output))
    assert found[0] == found[1]
