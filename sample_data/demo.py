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
READINGS, HEALTHY = "sample_data/machine_temperature.csv", "demo/machine_healthy.csv"
MACHINE, EVENTS = "demo/machine.aed", "demo/machine_events.csv"
HEALTHY_FROM, HEALTHY_TO = "2013-12-18", "2014-01-25"
COLUMNS = ("service", "duration", "src_bytes", "dst_bytes")
SHOWN = 10
# What the publisher of the readings says of the four known stretches.
KNOWN = ("a planned shutdown", "an anomaly", "a faint sign of the failure", "the catastrophic failure")


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
    say("Now a time series: five uneventful weeks of a machine's temperature:")
    write_healthy()
    run("train", HEALTHY, "-o", MACHINE, "--time", "timestamp")
    say("Score all three months of it:")
    run("score", READINGS, "-m", MACHINE, "-o", "demo/machine_scored.csv", "--events", EVENTS)
    say("The events found, beside what is known to have happened:")
    found = show_events() and found
    print(f"\nDone in {time.monotonic() - clock:.0f} s. Next, ask why, or look at all that was found:\n")
    print(f"$ aedetect explain {NEW} \\\n      -m {MODEL}")
    print(f"$ aedetect explain {READINGS} \\\n      -m {MACHINE} --event 4")
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


def write_healthy() -> None:
    with open(ROOT / READINGS, encoding="utf-8") as file:
        head, *rows = file.readlines()
    healthy = [row for row in rows if HEALTHY_FROM <= row < HEALTHY_TO]
    (ROOT / HEALTHY).write_text(head + "".join(healthy), encoding="utf-8")


def show_events() -> int:
    """Prints each event and the known stretch it meets; returns how many known ones were met."""
    windows = json.loads((ROOT / "sample_data/machine_temperature_windows.json").read_text(encoding="utf-8"))
    with open(ROOT / EVENTS, encoding="utf-8", newline="") as file:
        events = list(csv.DictReader(file))
    layout = "  {:<18}{:<18}{:>6}  {}"
    print(layout.format("from", "to", "score", "known as"))
    met = set()
    for event in events:
        start, end = (event[name][:16] for name in ("start", "end"))
        known = "nothing"
        for index, (first, last) in enumerate(windows):
            if start <= last and first <= end:
                met.add(index)
                known = KNOWN[index]
        print(layout.format(start, end, f"{float(event['peak_score']):.1f}", known))
    print(f"\n  {len(met)} of {len(windows)} known stretches were found")
    return len(met)


if __name__ == "__main__":
    sys.exit(main())
