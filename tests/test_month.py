"""A month of nightly runs, with everything that happens to dumps in a month."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from support.prompt import Prompt
from support.recipes import cron_command, settled
from support.tables import tiny_frame
from support.waiting import until

from aedetect.engine.ledger import Ledger

ROWS = 60
SCHEMA = json.loads(resources.files("aedetect").joinpath("engine/assets/score_summary.json").read_text())
# Runs are killed as soon as such a file is there: the lock of the ledger, an output half written, an output
# just put in place.
KILLED = {18: ".scored.db.aedetect-lock", 20: "scored/.20.parquet.aedetect-tmp-*", 22: "scored/22.parquet"}
# On day 4 a dump is cut, mended on day 6; on day 9 one lacks a column, taken away on day 11.
EXPECTED = dict.fromkeys(range(1, 31), 0) | {4: 6, 5: 6, 9: 6, 10: 6, 25: 5} | dict.fromkeys(KILLED, -9)


@dataclass
class Cron:
    """A folder of dumps, and the run that the line in configs/unattended/crontab starts."""

    prompt: Prompt
    scored: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def data(self) -> Path:
        return self.prompt.folder

    @property
    def words(self) -> list[str]:
        return shlex.split(settled(cron_command(), self.data))[1:]

    def dump(self, day: int) -> Path:
        path = self.data / "dumps" / f"{day:02}.{'csv' if day % 2 else 'parquet'}"
        frame = tiny_frame(ROWS, seed=100 + day)
        if path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path)
        return self.old(path)

    def old(self, path: Path) -> Path:
        """As if it was written an hour ago."""
        os.utime(path, (time.time() - 3600,) * 2)
        return path

    def run(self) -> int:
        return self.prompt(*self.words).exit_code

    def killed(self, at: str) -> int:
        """How a run ended that is killed once a file like `at` is there."""
        with self.prompt.setting(scoring_batch_rows="1").running(*self.words) as process:
            until(lambda: any(self.data.glob(at)), process=process)
            process.kill()
        return process.returncode

    def summary(self) -> dict[str, Any]:
        found = json.loads((self.data / "summary.json").read_text())
        jsonschema.validate(found, SCHEMA)
        return dict(found)


@pytest.fixture
def cron(prompt: Prompt, tiny_model: Path) -> Cron:
    for name in ("dumps", "scored", "metrics"):
        (prompt.folder / name).mkdir()
    prompt.write("model.aed", tiny_model.read_bytes())
    return Cron(prompt)


def deliver(cron: Cron, day: int) -> None:
    path = cron.dump(day)
    match day:
        case 4:
            path.write_bytes(path.read_bytes()[:-40])
        case 6:
            cron.dump(4)
        case 9:
            pd.read_csv(path).drop(columns="load").to_csv(path, index=False)
            cron.old(path)
        case 11:
            (cron.data / "dumps" / "09.csv").unlink()
        case 12:
            cron.dump(11)
        case 14:
            os.utime(path)
    cron.old(path) if day not in (14,) else None


def night(cron: Cron, day: int, monkeypatch: pytest.MonkeyPatch) -> int:
    if day in KILLED:
        return cron.killed(KILLED[day])
    if day != 25:
        return cron.run()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        return cron.run()


@pytest.mark.slow
def test_a_month(
    cron: Cron, tiny_csv: Path, survived: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, success = {}, 0.0
    for day in range(1, 31):
        deliver(cron, day)
        if day == 15:
            train = cron.prompt.setting(training_epochs="2", training_folds="2", model_width="16")
            assert train("train", tiny_csv, "-o", "model.aed", "--seed", "9", "-q").exit_code == 0
        codes[day] = night(cron, day, monkeypatch)
        if codes[day] == 10:
            codes[day] = 0
        if day in KILLED or day == 25:
            continue
        told = cron.summary()
        assert told["exit_code"] in (codes[day], 10)
        for entry in told["files"]:
            if entry["status"] == "scored":
                cron.scored[Path(entry["path"]).name, told["model"]["sha256"]] += 1
                assert entry["rows"] == ROWS
        assert told["rows"] == told["normal"] + told["anomalies"] + told["unscorable"]
        if day == 14:
            assert told["files"][-1]["status"] == "young"
            cron.old(cron.data / "dumps" / "14.parquet")
        line = next(line for line in (cron.data / "metrics" / "aedetect.prom").read_text().splitlines()
                    if line.startswith("aedetect_last_success"))  # fmt: skip
        later = float(line.split()[-1])
        assert later >= success
        success = later
    assert codes == EXPECTED
    ends = ", ".join(f"{count} with {code}" for code, count in sorted(Counter(codes.values()).items()))
    survived(f"a month of nightly runs, which ended {ends}; each good dump scored once per model")

    assert max(cron.scored.values()) == 1
    good = [f"{day:02}.{'csv' if day % 2 else 'parquet'}" for day in range(1, 31) if day != 9]
    with Ledger(cron.data / "scored.db") as ledger:
        entries = list(ledger.entries())
    first, second = dict.fromkeys(entry.model for entry in sorted(entries, key=lambda entry: entry.scored))
    assert sorted(Path(entry.path).name for entry in entries if entry.model == second) == good
    # The dump of day 14 was still young when the first model was last used.
    assert sorted(Path(entry.path).name for entry in entries if entry.model == first) == good[:12]
    assert sorted(os.listdir(cron.data / "scored")) == good
    for name in good:
        read = pd.read_csv if name.endswith(".csv") else pd.read_parquet
        assert len(read(cron.data / "scored" / name)) == ROWS
    assert [path.name for path in cron.data.rglob(".*")] == []
