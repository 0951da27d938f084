"""How alarms fare on everyday series, case by case and seed by seed (`make everyday`).

    PYTHONPATH=tests python -m everyday.run [--seeds 0 1 2] [--cases month sales] [--slow]

Given are the share of normal rows flagged at 1% asked, where the alarm of the planted fault begins and ends
(steps off), the rows not judged, and the seconds of training and scoring; and what is wrong.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from everyday.damage import DAMAGED
from everyday.generators import CASES, SLOW
from everyday.judge import Judgement, judged

_ALL = CASES | DAMAGED
_LINE = "{:<16}{:>5}{:>11}{:>8}{:>7}{:>8}{:>8}{:>8}  {}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="S")
    parser.add_argument("--cases", nargs="+", choices=list(_ALL), metavar="NAME", help=", ".join(_ALL))
    parser.add_argument("--slow", action="store_true", help=f"also {', '.join(sorted(SLOW))}")
    options = parser.parse_args()
    names = options.cases or [name for name in _ALL if options.slow or name not in SLOW]
    print(_LINE.format("case", "seed", "flagged %", "begin", "end", "length", "null %", "s", "wrong"))
    failed: dict[str, int] = {}
    for name in names:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    judgement = judged(_ALL[name](seed), Path(folder))
                except AssertionError as error:
                    print(f"{name:<16}{seed:>5}  failed: {str(error).strip().splitlines()[-1]}", flush=True)
                    failed[name] = failed.get(name, 0) + 1
                    continue
            print(line(name, seed, judgement), flush=True)
            failed[name] = failed.get(name, 0) + bool(judgement.complaints)
    wrong = [f"{name} ({count} of {len(options.seeds)})" for name, count in failed.items() if count]
    print(f"\n{len(names) - len(wrong)} of {len(names)} cases are right at all seeds", end="")
    print(f"; wrong: {', '.join(wrong)}" if wrong else "")
    return 1 if wrong else 0


def line(name: str, seed: int, found: Judgement) -> str:
    return _LINE.format(
        name,
        seed,
        f"{100 * found.normal_flagged:.2f}",
        f"{found.begin_off:+.0f}",
        f"{found.end_off:+.0f}",
        found.length,
        f"{100 * found.unjudged:.1f}",
        f"{found.seconds:.1f}",
        "; ".join(found.complaints) or "–",
    )


if __name__ == "__main__":
    raise SystemExit(main())
