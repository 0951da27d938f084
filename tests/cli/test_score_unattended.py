"""`aedetect score` as cron runs it: ledger, locks, guards, records."""

from __future__ import annotations

import json
import os
import re
import time
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.networks import failing_networks
from support.prompt import Prompt, Result
from support.waiting import until

from aedetect.io.lock import Locks
from aedetect.tasks.score_run import MORE_THAN_EXPLAINED

HEADER = "temp,load,site,open\n"
NORMAL, ODD = "20,40,north,true\n", "500,-900,north,true\n"
NEW = ("--new-only", "--state", "s.db")
SCHEMA = json.loads(resources.files("aedetect").joinpath("engine/assets/score_summary.json").read_text())


@pytest.fixture(autouse=True)
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    """Scoring with m.aed, where `in` holds two dumps, the second with an anomaly, and `out` is empty."""
    prompt.write("m.aed", tiny_model.read_bytes())
    for name, rows in (("a.csv", NORMAL), ("b.csv", NORMAL + ODD)):
        dump(name, rows)
    Path("out").mkdir()
    return prompt.command("score", after=("-m", "m.aed"))


def dump(name: str, rows: str, age: float = 3600) -> None:
    path = Path("in", name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEADER + rows)
    os.utime(path, (time.time() - age,) * 2)


def statuses(score: Prompt, *words: str, exit_code: int = 0) -> dict[str, str]:
    found = score.json("in", "-o", "out/", *words, exit_code=exit_code)
    jsonschema.validate(found, SCHEMA)
    return {Path(entry["path"]).name: entry["status"] for entry in found["files"]}


class TestLedger:
    def test_each_dump_is_scored_once(self, score: Prompt) -> None:
        assert statuses(score, *NEW) == {"a.csv": "scored", "b.csv": "scored"}
        before = {path: os.stat(path).st_ino for path in Path("out").iterdir()}
        dump("c.csv", NORMAL)
        assert statuses(score, *NEW) == {"a.csv": "known", "b.csv": "known", "c.csv": "scored"}
        assert {path: os.stat(path).st_ino for path in before} == before
        assert statuses(score, *NEW) == {"a.csv": "known", "b.csv": "known", "c.csv": "known"}

    def test_nothing_new_is_no_failure_and_touches_no_output(self, score: Prompt) -> None:
        score("in", "-o", "all.csv", *NEW)
        before = Path("all.csv").read_bytes()
        result = score("in", "-o", "all.csv", *NEW, "--verbose")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "in/a.csv: already scored\nin/b.csv: already scored\n"
            "nothing new: 2 files already scored or changed too recently\n"
        )
        assert Path("all.csv").read_bytes() == before

    def test_a_failed_file_is_tried_again(self, score: Prompt) -> None:
        dump("b.csv", "1,2\n")
        assert score("in", "-o", "out/", *NEW).exit_code == 6
        assert score("in", "-o", "out/", *NEW).exit_code == 6
        dump("b.csv", NORMAL)
        assert statuses(score, *NEW) == {"a.csv": "known", "b.csv": "scored"}

    def test_one_bad_file_alone_is_3(self, score: Prompt) -> None:
        dump("b.csv", "1,2\n")
        assert score("in/b.csv", "-o", "out/", *NEW).exit_code == 3

    def test_another_model_scores_all_anew(self, score: Prompt, prompt: Prompt, tiny_csv: Path) -> None:
        score("in", "-o", "out/", *NEW)
        settings = ["--epochs", "1", "--seed", "5", "--device", "cpu", "-q"]
        assert prompt("train", tiny_csv, "-o", "m.aed", *settings).exit_code == 0
        assert set(statuses(score, *NEW).values()) == {"scored"}

    def test_files_still_being_written_are_left_out(self, score: Prompt) -> None:
        dump("c.csv", NORMAL, age=5)
        assert statuses(score, *NEW, "--min-age", "60s")["c.csv"] == "young"
        assert not Path("out/c.csv").exists()
        dump("c.csv", NORMAL, age=65)
        assert statuses(score, *NEW, "--min-age", "1m")["c.csv"] == "scored"

    def test_a_single_output_names_its_inputs_however_many_are_new(self, score: Prompt) -> None:
        score("in", "-o", "all.csv", *NEW)
        dump("c.csv", NORMAL)
        score("in", "-o", "new.csv", *NEW)
        assert Path("new.csv").read_text().splitlines()[1].endswith(",in/c.csv")

    def test_a_folder_of_outputs_has_the_same_columns_from_the_first_dump_on(self, score: Prompt) -> None:
        Path("in/b.csv").unlink()
        assert statuses(score, *NEW) == {"a.csv": "scored"}
        assert "source_file" not in Path("out/a.csv").read_text()

    def test_an_output_that_cannot_be_written_is_not_noted(self, score: Prompt) -> None:
        assert score("in", "-o", "/dev/full", *NEW).exit_code == 5
        assert set(statuses(score, *NEW).values()) == {"scored"}

    def test_a_file_that_changes_meanwhile_is_not_noted(self, score: Prompt) -> None:
        dump("a.csv", NORMAL * 1_000)
        slow = score.setting(scoring_batch_rows="16")
        with slow.running("in/a.csv", "-o", "out/", *NEW) as process:
            until(lambda: list(Path("out").glob(".a.csv.aedetect-tmp-*")), process=process)
            with open("in/a.csv", "a") as stream:
                stream.write(NORMAL)
            stderr = process.communicate(timeout=300)[1]
        assert (process.returncode, stderr.decode()) == (
            3,
            "error: in/a.csv: changed while it was read; the next run will try it again\n",
        )
        assert list(Path("out").iterdir()) == []

    def test_the_same_content_twice_is_said(self, score: Prompt) -> None:
        dump("a again.csv", NORMAL)
        found = score("in", "-o", "out/", "--json", *NEW).json()
        assert found["warnings"] == [
            f"in/a.csv: has the same content as {os.path.realpath('in/a again.csv')}, which was scored before"
        ]

    def test_a_damaged_state_file_is_5(self, score: Prompt) -> None:
        Path("s.db").write_text("no database")
        result = score("in", "-o", "out/", *NEW)
        assert result.exit_code == 5
        assert result.stderr.startswith(
            "error: s.db: the state file is damaged; restore it from a backup, or remove it to have every "
            "input scored anew"
        )
        assert list(Path("out").iterdir()) == []

    def test_an_empty_state_file_is_5_too(self, score: Prompt, prompt: Prompt) -> None:
        Path("s.db").write_bytes(b"")
        told = (
            "error: s.db: the state file is damaged; restore it from a backup, or remove it to have every "
            "input scored anew (it is empty)\n"
        )
        for result in (score("in", "-o", "out/", *NEW), prompt("state", "show", "s.db")):
            assert (result.exit_code, result.stderr) == (5, told)
        assert Path("s.db").read_bytes() == b""

    @pytest.mark.parametrize(
        ("words", "inputs", "message"),
        [
            (["--new-only"], ("in",), "--new-only needs --state FILE, where it notes what was scored"),
            (["--state", "s.db"], ("in",), "--state FILE goes with --new-only"),
            (["--min-age", "soon"], ("in",), "--min-age = 'soon': not a duration; write it like 90s, 10m or"),
            (list(NEW), ("-",), "--new-only: standard input cannot be recognised again; name files instead"),
            (
                ["--new-only", "--state", "in/a.csv"],
                ("in",),
                "in/a.csv: the state file is also an input, an output or the model; name another",
            ),
            (
                ["--summary", "x", "--metrics", "x"],
                ("in",),
                "x: both --summary and --metrics go there; name two files",
            ),
        ],
    )
    def test_wrong_use(self, score: Prompt, words: list[str], inputs: tuple[str, ...], message: str) -> None:
        result = score(*inputs, "-o", "out/", *words)
        assert result.exit_code == 2
        assert message in result.stderr


class TestState:
    def test_show(self, score: Prompt, prompt: Prompt) -> None:
        score("in", "-o", "out/", *NEW)
        shown = prompt("state", "show", "s.db")
        assert shown.exit_code == 0
        assert shown.stdout.endswith("\n2 entries\n")
        told = prompt("state", "show", "s.db", "--json").json()
        assert [(Path(entry["path"]).name, entry["rows"], entry["output"]) for entry in told["entries"]] == [
            ("a.csv", 1, "out/a.csv"),
            ("b.csv", 2, "out/b.csv"),
        ]
        assert "0 entries" in prompt("state", "show", "s.db", "--model-sha256", "zz").stdout

    def test_what_is_forgotten_is_scored_again(self, score: Prompt, prompt: Prompt) -> None:
        score("in", "-o", "out/", *NEW)
        result = prompt("state", "forget", "s.db", "in/a.csv", "in/never.csv")
        assert (result.exit_code, result.stdout) == (0, "1 entry forgotten\n")
        assert result.stderr == f"warning: {os.path.realpath('in/never.csv')}: not in the state file\n"
        assert statuses(score, *NEW) == {"a.csv": "scored", "b.csv": "known"}
        assert prompt("state", "forget", "s.db", "--all").stdout == "2 entries forgotten\n"
        assert set(statuses(score, *NEW).values()) == {"scored"}

    def test_faults(self, score: Prompt, prompt: Prompt) -> None:
        assert prompt("state", "show", "s.db").stderr == "error: s.db: no such state file\n"
        assert prompt("state", "forget", "s.db").exit_code == 2
        score("in", "-o", "out/", *NEW)
        with Locks(["s.db"]):
            assert prompt("state", "forget", "s.db", "--all").exit_code == 5


class TestLocks:
    @pytest.mark.parametrize(
        ("held", "output"), [("s.db", "out/"), ("out/a.csv", "out/"), ("x.csv", "x.csv")]
    )
    def test_29_a_second_run_is_5_at_once_and_names_the_first(
        self, score: Prompt, held: str, output: str
    ) -> None:
        with Locks([held]):
            result = score("in", "-o", output, *NEW)
        assert result.exit_code == 5
        assert re.fullmatch(
            re.escape(f"error: {held}: in use by another run (process {os.getpid()}, started ")
            + r"\S+\); wait until it has ended\n",
            result.stderr,
        )
        assert not [path for path in Path().rglob("*.csv") if path.parent.name != "in"]

    def test_29_training_too(self, prompt: Prompt) -> None:
        before = Path("m.aed").read_bytes()
        with Locks(["m.aed"]):
            result = prompt("train", "in", "-o", "m.aed")
        assert result.exit_code == 5
        assert result.stderr.startswith("error: m.aed: in use by another run (process ")
        assert Path("m.aed").read_bytes() == before

    def test_no_lock_is_left(self, score: Prompt) -> None:
        score("in", "-o", "out/", *NEW)
        assert not [path for path in Path().rglob("*") if "lock" in path.name or "tmp" in path.name]


class TestGuards:
    def test_more_than_the_training_data_explain(self, score: Prompt) -> None:
        result = score("in", "-o", "out/", "--max-alert-rate", "0.3", "--json")
        found = json.loads(result.stdout)
        assert (result.exit_code, found["exit_code"]) == (0, 0)
        assert found["warnings"][-1] == f"{MORE_THAN_EXPLAINED} (33.33% of the rows, --max-alert-rate 0.3)"
        assert sorted(os.listdir("out")) == ["a.csv", "b.csv"]

    def test_fewer(self, score: Prompt) -> None:
        assert (
            MORE_THAN_EXPLAINED not in score("in", "-o", "out/", "--max-alert-rate", "0.34", "--json").stdout
        )

    def test_a_rate_is_a_rate(self, score: Prompt) -> None:
        assert (
            "--max-alert-rate = 2.0: must lie between 0 and 1"
            in score("in", "-o", "out/", "--max-alert-rate", "2").stderr
        )


class TestSummary:
    def test_it_is_what_json_prints(self, score: Prompt) -> None:
        printed = score("in", "-o", "out/", "--json", "--summary", "sum.json").json()
        written = json.loads(Path("sum.json").read_text())
        for one in (printed, written):
            jsonschema.validate(one, SCHEMA)
            for changing in ("finished", "model"):
                del one[changing]
        assert printed == written

    @pytest.mark.parametrize(
        ("spoil", "code", "error"),
        [
            (lambda: Path("m.aed").write_text(""), 4, "m.aed: not an aedetect model file (too short)"),
            (
                lambda: Path("in/a.csv").rename("in/a.txt"),
                3,
                "in/a.csv: no such file or directory; did you mean 'in/a.txt'?",
            ),
        ],
    )
    def test_it_is_written_when_the_run_fails(self, score: Prompt, spoil: Any, code: int, error: str) -> None:
        spoil()
        result = score("in/a.csv", "-o", "out/", "--summary", "sum.json")
        assert result.exit_code == code
        told = json.loads(Path("sum.json").read_text())
        jsonschema.validate(told, SCHEMA)
        assert (told["exit_code"], told["error"]) == (code, error)

    @pytest.mark.parametrize(
        ("error", "code", "told"),
        [
            (KeyboardInterrupt(), 130, "interrupted"),
            (MemoryError(), 3, "out of memory"),
            (ZeroDivisionError("by zero"), 1, "a bug in aedetect: ZeroDivisionError: by zero"),
        ],
    )
    def test_it_is_written_however_the_run_ends(
        self, score: Prompt, error: BaseException, code: int, told: str
    ) -> None:
        def fail() -> None:
            raise error

        score("in", "-o", "out/", "--metrics", "m.prom")
        with failing_networks(fail):
            result = score("in", "-o", "out/", "--summary", "sum.json", "--metrics", "m.prom")
        assert result.exit_code == code
        found = json.loads(Path("sum.json").read_text())
        jsonschema.validate(found, SCHEMA)
        assert (found["exit_code"], found["error"]) == (code, told)
        assert samples()["last_run_exit_code"] == code

    def test_it_is_written_when_nobody_reads_the_output_any_more(self) -> None:
        from aedetect.engine.run import Records, recorded
        from aedetect.tasks.score_run import ScoreSummary

        summary, records = ScoreSummary.of(Path("m.aed")), Records(summary=Path("sum.json"))
        with pytest.raises(BrokenPipeError), recorded(summary, records, []):
            raise BrokenPipeError
        found = json.loads(Path("sum.json").read_text())
        jsonschema.validate(found, SCHEMA)
        assert (found["exit_code"], found["error"]) == (141, "whoever read the output closed it")

    def test_it_is_checked_first(self, score: Prompt) -> None:
        result = score("in", "-o", "out/", "--summary", "no/sum.json")
        assert (result.exit_code, result.stderr) == (
            5,
            "error: no/sum.json: cannot be written: its folder does not exist; create it first\n",
        )
        assert list(Path("out").iterdir()) == []

    def test_a_failure_to_write_it_is_5(self, score: Prompt) -> None:
        assert score("in", "-o", "out/", "--summary", "/dev/full").exit_code == 5


def samples() -> dict[str, float]:
    families = list(text_string_to_metric_families(Path("m.prom").read_text()))
    assert all(family.documentation and family.type == "gauge" for family in families)
    found = {}
    for family in families:
        for sample in family.samples:
            assert sample.timestamp is None
            assert sample.labels.pop("model") == "m.aed"
            assert sample.labels.pop("model_path") == os.path.abspath("m.aed")
            found[" ".join((sample.name.removeprefix("aedetect_"), *sample.labels.values()))] = sample.value
    return found


class TestMetrics:
    def test_what_they_say(self, score: Prompt) -> None:
        score("in", "-o", "out/", "--metrics", "m.prom", *NEW)
        found = samples()
        assert found["last_run_exit_code"] == 0
        assert (found["last_run_rows normal"], found["last_run_rows anomaly"]) == (2, 1)
        assert (found["last_run_files scored"], found["last_run_files known"]) == (2, 0)
        assert found["last_success_timestamp_seconds"] == found["last_run_timestamp_seconds"]
        assert abs(found["last_run_timestamp_seconds"] - time.time()) < 60

    def test_last_success_stays_where_it_was_when_a_run_fails(self, score: Prompt) -> None:
        score("in", "-o", "out/", "--metrics", "m.prom")
        before = samples()["last_success_timestamp_seconds"]
        until(lambda: int(time.time()) > before)
        Path("in/a.csv").write_text("")
        assert score("in/a.csv", "-o", "out/", "--metrics", "m.prom").exit_code == 3
        after = samples()
        assert (after["last_success_timestamp_seconds"], after["last_run_exit_code"]) == (before, 3)
        assert after["last_run_timestamp_seconds"] > before

    def test_no_success_yet(self, score: Prompt) -> None:
        Path("in/a.csv").write_text("")
        score("in/a.csv", "-o", "out/", "--metrics", "m.prom")
        assert "last_success_timestamp_seconds" not in samples()

    def test_models_of_one_name_are_told_apart(self, score: Prompt, prompt: Prompt) -> None:
        texts = []
        for folder in ("one", "two"):
            Path(folder).mkdir()
            Path(folder, "m.aed").write_bytes(Path("m.aed").read_bytes())
            metrics = ("--metrics", f"{folder}.prom")
            assert prompt("score", "in", "-m", f"{folder}/m.aed", *metrics).exit_code == 0
            texts.append(Path(f"{folder}.prom").read_text())
        labels = [
            {re.sub(r" \S+$", "", line) for line in text.splitlines() if line[0] != "#"} for text in texts
        ]
        assert len(labels[0]) == len(labels[1])
        assert not labels[0] & labels[1]

    def test_runs_with_one_model_are_told_apart_by_job(self, score: Prompt) -> None:
        score("in", "--metrics", "m.prom", "--job", "pumps")
        labels = f'model="m.aed",model_path="{os.path.abspath("m.aed")}",job="pumps"'
        line = f"aedetect_last_run_exit_code{{{labels}}} 0"
        assert line in Path("m.prom").read_text().splitlines()
        before = Path("m.prom").read_text()
        Path("in/a.csv").write_text("")
        assert score("in/a.csv", "--metrics", "m.prom", "--job", "pumps").exit_code == 3
        success = [line for line in before.splitlines() if line.startswith("aedetect_last_success")]
        assert success == [
            line
            for line in Path("m.prom").read_text().splitlines()
            if line.startswith("aedetect_last_success")
        ]

    def test_the_last_success_of_an_older_file_is_kept(self, score: Prompt) -> None:
        Path("m.prom").write_text('aedetect_last_success_timestamp_seconds{model="m.aed"} 12.0\n')
        Path("in/a.csv").write_text("")
        assert score("in/a.csv", "--metrics", "m.prom").exit_code == 3
        assert samples()["last_success_timestamp_seconds"] == 12.0

    def test_a_job_labels_metrics(self, score: Prompt) -> None:
        result = score("in", "--job", "pumps")
        assert result.exit_code == 2
        assert result.stderr.endswith(
            "Invalid value: --job NAME goes with --metrics FILE, whose metrics it labels\n"
        )

    def test_findings_are_successes(self, score: Prompt) -> None:
        assert score("in", "-o", "out/", "--metrics", "m.prom", "--fail-over", "0").exit_code == 10
        assert "last_success_timestamp_seconds" in samples()

    def test_labels_are_escaped(self) -> None:
        from aedetect.engine.metrics_file import metrics
        from aedetect.tasks.score_run import ScoreSummary

        name = 'a "b"\\c\nd.aed'
        told = ScoreSummary.of(Path(name)).as_dict()
        families = list(text_string_to_metric_families(metrics(told, None)))
        assert {sample.labels["model"] for family in families for sample in family.samples} == {name}


class TestSilence:
    def test_nothing_is_printed_on_success_where_the_outcome_is_kept(self, score: Prompt) -> None:
        dump("a.csv", NORMAL + "?,1,north,true\n")
        result = score("in", "-o", "out/", "--summary", "sum.json")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
        assert len(json.loads(Path("sum.json").read_text())["warnings"]) == 1

    def test_all_is_told_where_there_is_something_to_see_to(self, score: Prompt) -> None:
        dump("a.csv", NORMAL + "?,1,north,true\n")
        dump("b.csv", "1,2\n")
        result = score("in", "-o", "out/", "--summary", "sum.json")
        assert result.exit_code == 6
        assert "warning: in/a.csv: column 'temp': 1 cell cannot be read" in result.stderr
        assert "error: in/b.csv: row 1 (line 2) has 2 fields" in result.stderr
        assert "in/a.csv: 2 rows, 0 flagged" in result.stdout

    def test_logs_as_json(self, score: Prompt) -> None:
        dump("a.csv", NORMAL + "?,1,north,true\n")
        dump("b.csv", "1,2\n")
        lines = [
            json.loads(line) for line in score("in", "-o", "out/", "--log-format", "json").stderr.splitlines()
        ]
        assert [(line["level"], line["command"]) for line in lines] == [
            ("warning", "score"),
            ("error", "score"),
        ]
        assert (lines[1]["exit_code"], lines[1]["message"][:25]) == (6, "in/b.csv: row 1 (line 2) ")
        assert all(line["time"].endswith("+00:00") for line in lines)


def test_cron_sees_nothing_of_a_good_run(score: Prompt) -> None:
    assert score.process("in", "-o", "out/", *NEW, "--metrics", "m.prom") == Result(0, "", "")
