"""The recipes in configs/unattended, run as they are."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.pages import DOCS, blocks
from support.recipes import UNATTENDED, cron_command, programs, recipe, settled
from support.tables import tiny_frame

QUICK = {
    "AEDETECT_TRAINING_EPOCHS": "2",
    "AEDETECT_TRAINING_FOLDS": "2",
    "AEDETECT_MODEL_WIDTH": "16",
    "AEDETECT_TRAINING_DEVICE": "cpu",
}
UNITS = ("aedetect-score.service", "aedetect-score.timer")
SCRIPTS = sorted(path.name for path in UNATTENDED.glob("*.sh"))
HEADER = "temp,load,site,open\n"


@pytest.fixture
def data(tmp_path: Path, tiny_model: Path) -> Path:
    """What the recipes call /data, with two dumps, and programs that note how they were called."""
    for name in ("dumps", "scored", "metrics", "normal"):
        (tmp_path / name).mkdir()
    shutil.copy(tiny_model, tmp_path / "model.aed")
    for number in (1, 2):
        dump(tmp_path, f"{number}.csv", "20,40,north,true\n" * 60)
    tiny_frame(200, seed=3).to_csv(tmp_path / "normal" / "a.csv", index=False)
    tiny_frame(200, seed=4).to_csv(tmp_path / "known-normal.csv", index=False)
    programs(
        tmp_path,
        mail=f'printf "%s\\n" "$@" > "{tmp_path}/mail"; cat >> "{tmp_path}/mail"',
        curl=f'echo "$@" >> "{tmp_path}/pings"',
    )
    return tmp_path


def dump(data: Path, name: str, rows: str) -> None:
    path = data / "dumps" / name
    path.write_text(HEADER + rows)
    os.utime(path, (time.time() - 3600,) * 2)


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{data / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | QUICK | {"PATH": path}
    return subprocess.run(words, env=environment, capture_output=True, text=True)


def cron(data: Path) -> subprocess.CompletedProcess[str]:
    return run(data, "sh", "-c", settled(cron_command(), data))


def script(data: Path, name: str) -> subprocess.CompletedProcess[str]:
    return run(data, str(UNATTENDED / name), str(data))


def test_every_file_is_named_in_the_readme() -> None:
    names = {path.name for path in UNATTENDED.iterdir()} - {"README.md"}
    assert names == set(re.findall(r"\]\(([\w.-]+)\)", recipe("README.md")))


def test_the_documentation_shows_the_line_of_the_crontab() -> None:
    shown = [
        block.text.strip()
        for block in blocks((DOCS / "operations.md").read_text(encoding="utf-8"))
        if block.language == "crontab"
    ]
    assert shown == [recipe("crontab").splitlines()[-1]]


def test_the_crontab_line_is_silent_while_all_is_well(data: Path) -> None:
    done = cron(data)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(os.listdir(data / "scored")) == ["1.csv", "2.csv"]
    assert json.loads((data / "summary.json").read_text())["rows"] == 120


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_executable_and_keep_to_the_shell_of_posix(name: str) -> None:
    assert recipe(name).startswith("#!/bin/sh\n")
    assert os.access(UNATTENDED / name, os.X_OK)
    assert subprocess.run(["sh", "-n", UNATTENDED / name]).returncode == 0


def test_a_mail_when_there_is_something_to_see_to(data: Path) -> None:
    assert script(data, "mail.sh").returncode == 0
    assert not (data / "mail").exists()
    dump(data, "3.csv", "500,-900,north,true\n")
    script(data, "mail.sh")
    subject, text = (data / "mail").read_text().split("ops@example.org\n")
    assert subject == "-s\naedetect ended with 10\n"
    assert json.loads(text)["anomalies"] == 1


@pytest.mark.slow
def test_a_ping_after_findings_but_not_after_failures(data: Path) -> None:
    dump(data, "3.csv", "500,-900,north,true\n" * 60)
    assert script(data, "healthcheck.sh").returncode == 10
    assert (data / "pings").read_text() == "-fsS -m 10 --retry 3 https://hc.example.org/ping/aedetect\n"
    (data / "model.aed").write_text("")
    assert script(data, "healthcheck.sh").returncode == 4
    assert len((data / "pings").read_text().splitlines()) == 1


@pytest.mark.slow
def test_retraining_swaps_the_model_if_it_is_good(data: Path) -> None:
    before = (data / "model.aed").read_bytes()
    (data / "known-normal.csv").write_text(HEADER + "900,0,north,true\n" * 60)
    assert script(data, "retrain.sh").returncode == 10
    assert (data / "model.aed").read_bytes() == before
    tiny_frame(200, seed=4).to_csv(data / "known-normal.csv", index=False)
    done = script(data, "retrain.sh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (data / "model.aed").read_bytes() != before
    assert not (data / "candidate.aed").exists()


def test_the_systemd_service_runs_what_cron_runs(data: Path) -> None:
    service = configparser.ConfigParser(interpolation=None)
    service.optionxform = str  # type: ignore[assignment,method-assign]
    service.read_string(recipe("aedetect-score.service"))
    command = service["Service"]["ExecStart"]
    assert command == cron_command()
    assert run(data, *shlex.split(settled(command, data))).returncode == 0
    assert service["Service"]["SuccessExitStatus"].split() == ["10", "11", "12"]


def test_the_timer_starts_the_service() -> None:
    assert [Path(name).stem for name in UNITS] == ["aedetect-score"] * 2
    assert re.findall(r"^(?:OnCalendar|WantedBy)=(.+)$", recipe("aedetect-score.timer"), re.MULTILINE) == [
        "*-*-* 03:30:00",
        "timers.target",
    ]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_accepts_the_units(data: Path) -> None:
    for name in UNITS:
        text = settled(recipe(name), data)
        (data / name).write_text(text.replace("=aedetect ", f"={data / 'bin' / 'aedetect'} "))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(data / name) for name in UNITS)], capture_output=True, text=True
    )
    assert not [line for line in done.stderr.splitlines() if "aedetect-score." in line]


def test_the_prometheus_rules_speak_of_metrics_there_are(data: Path) -> None:
    cron(data)
    text = (data / "metrics" / "aedetect.prom").read_text()
    known = {family.name for family in text_string_to_metric_families(text)}
    rules = recipe("prometheus-alerts.yaml")
    asked = re.findall(r"\baedetect_\w+", rules)
    assert len(asked) == 4
    assert set(asked) <= known
    assert rules.count("alert:") == rules.count("expr:") == rules.count("summary:") == 3


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs Prometheus' promtool")
def test_prometheus_raises_the_alerts(tmp_path: Path) -> None:
    rows = {"normal": 95, "anomaly": 3, "unscorable": 2, "warmup": 2}
    quiet = {"normal": 99, "anomaly": 1}
    series = [
        *(f'aedetect_last_run_rows{{model="m",outcome="{name}"}} {count}' for name, count in rows.items()),
        *(f'aedetect_last_run_rows{{model="q",outcome="{name}"}} {count}' for name, count in quiet.items()),
        'aedetect_drifted_columns{model="m"} 1',
        'aedetect_drifted_columns{model="q"} 0',
        'aedetect_last_success_timestamp_seconds{model="m"} 0',
        'aedetect_last_success_timestamp_seconds{model="q"} 90000',
    ]
    alerts = {
        "AedetectNotScoring": "m has scored nothing for a day and a half",
        "AedetectManyAnomalies": "m flagged more than 2% of the rows of its last run",
        "AedetectDrifted": "m sees data that have moved away from its training data",
    }
    told = {
        "rule_files": [str(UNATTENDED / "prometheus-alerts.yaml")],
        "evaluation_interval": "1h",
        "tests": [
            {
                "interval": "1h",
                "input_series": [
                    {"series": line.rpartition(" ")[0], "values": f"{line.rpartition(' ')[2]}+0x40"}
                    for line in series
                ],
                "alert_rule_test": [
                    {
                        "eval_time": "37h",
                        "alertname": name,
                        "exp_alerts": [{"exp_labels": {"model": "m"}, "exp_annotations": {"summary": text}}],
                    }
                    for name, text in alerts.items()
                ],
            }
        ],
    }
    # What is JSON is YAML, too.
    (tmp_path / "test.yaml").write_text(json.dumps(told))
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "test.yaml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
