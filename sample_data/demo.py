"""Train on normal network connections, score new ones, and show what was found.

Everything is done through the command line, as a user would; what it writes is under demo/.
Run it with `make demo`.
"""

from __future__ import annotations

import csv
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NORMAL, NEW = "sample_data/connections_normal.csv", "sample_data/connections_new.csv"
MODEL, SCORED = "demo/connections.aed", "demo/connections_scored.csv"
COLUMNS = ("service", "duration", "src_bytes", "dst_bytes")
SHOWN = 10


def main() -> int:
    clock = time.monotonic()
    (ROOT / "demo").mkdir(exist_ok=True)
    say("Learn what normal connections to a web and a mail server look like:")
    run("train", NORMAL, "-o", MODEL, "--label", "label")
    say("Score new ones, some of which are attacks (aedetect is not told which):")
    run("score", NEW, "-m", MODEL, "-o", SCORED)

    with open(ROOT / SCORED, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    say(f"The {SHOWN} strangest rows (identical ones shown once), and the columns to blame:")
    show_strangest(rows)
    say("At the threshold of the model, against the known attacks:")
    found = show_quality(rows)
    print(f"\nDone in {time.monotonic() - clock:.0f} s. Next, ask why, or look at all that was found:\n")
    print(f"$ aedetect explain {NEW} \\\n      -m {MODEL}")
    print(f"$ aedetect report {NEW} \\\n      -m {MODEL} --label label -o demo/report.html\n")
    print("or try it on files of your own: aedetect train --help")
    return 0 if found else 1


def say(text: str) -> None:
    print(f"\n{text}\n", flush=True)


def run(*arguments: str) -> None:
    """Run one aedetect command in the project's folder; ends the demo if it fails."""
    typed = shlex.join(("aedetect", *arguments)).replace(" -", " \\\n      -", 1)
    print(f"$ {typed}", flush=True)
    code = subprocess.run([sys.executable, "-m", "aedetect", *arguments], cwd=ROOT).returncode
    if code:
        sys.exit(f"demo: this command failed with exit code {code}")


def show_strangest(rows: list[dict[str, str]]) -> None:
    scored = [row for row in rows if row["anomaly_score"]]
    scored.sort(key=lambda row: float(row["anomaly_score"]), reverse=True)
    alike: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in scored:
        alike.setdefault(tuple(row[name] for name in COLUMNS), []).append(row)
    layout = "{:>8} {:>5}  {:<7} {:>8} {:>9} {:>9}  {:<6}  {}"
    print(layout.format("score", "rows", *COLUMNS, "attack", "to blame"))
    for values, group in list(alike.items())[:SHOWN]:
        labels = {row["label"] for row in group}
        attack = "yes" if labels == {"1"} else "no" if labels == {"0"} else "partly"
        blame = blamed(group[0])
        score = f"{float(group[0]['anomaly_score']):,.1f}"
        print(layout.format(score, len(group), *values, attack, blame[0]))
        for name in blame[1:]:
            print(layout.format(*[""] * 7, name))


def blamed(row: dict[str, str]) -> list[str]:
    """Columns with at least a fifth of the row's error, as 'name 62%'; at least one text."""
    shares = json.loads(row["anomaly_features"] or "{}")
    return [f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.2] or ["(not flagged)"]


def show_quality(rows: list[dict[str, str]]) -> int:
    """Prints precision and recall; returns how many attacks were flagged."""
    flagged = [row for row in rows if row["is_anomaly"] == "true"]
    attacks = sum(row["label"] == "1" for row in rows)
    found = sum(row["label"] == "1" for row in flagged)
    normal = len(rows) - attacks
    precision, recall = found / max(len(flagged), 1), found / attacks
    alarms = (len(flagged) - found) / normal
    print(f"  precision    {precision:6.1%}  {found} of {len(flagged)} flagged rows are attacks")
    print(f"  recall       {recall:6.1%}  {found} of {attacks} attacks are flagged")
    print(f"  false alarms {alarms:6.1%}  of {normal:,} normal rows; the model was asked for 1%")
    return found


if __name__ == "__main__":
    sys.exit(main())
