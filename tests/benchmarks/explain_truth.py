"""Is every sentence of an explanation true? (`make bench-explain-truth`)

Data: as for tabular.py, folders of Parquet files with numeric columns, `label` and `part`; name them with
--data. Of each folder all sets, or --most of them, spread over the alphabet.

Protocol: train on the rows of part 'train' (at most 20,000), one model a set, at --epochs (2 unless told
otherwise: whether a sentence is true does not depend on how well the model learned). Explain --rows test
rows of the highest scores, as many test rows and training rows drawn at random, and twice as many training
rows of which one column is moved beyond its extremes by 0.1% to 300% of its range, or to another row's
value. Each statement (values, bounds, shares, expectations, likeness, constants, ordinariness, nearest
rows) is read back from its text and recomputed from the training rows by tests/support/truth.py, which
knows nothing of the model.

Printed: statements by kind, how many of them are untrue, and the first untrue ones. The exit code is 1
where there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.truth import Claim, Truth
from tabular_data import Source, sources, split

from aedetect.detector import Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.explain import Explainer, ExplainRequest
from aedetect.tasks.explain.select import choose

MOST_TRAINING_ROWS, SHOWN = 20_000, 20


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--most", type=int, metavar="N", help="sets of each folder; default: all")
    parser.add_argument("--rows", type=int, default=10, metavar="N", help="rows of each sort; default: 10")
    parser.add_argument("--epochs", type=int, default=2, metavar="N")
    options = parser.parse_args()
    said: Counter[str] = Counter()
    untrue: list[tuple[str, Claim]] = []
    for folder in options.data:
        every = sources(folder, folder.name, [], quick=False)
        places = np.linspace(0, len(every) - 1, min(options.most or len(every), len(every))).astype(int)
        for source in [every[place] for place in places]:
            claims = claims_of(source, options.rows, options.epochs)
            wrong = [claim for claim in claims if claim.fault]
            said.update(claim.kind for claim in claims)
            untrue += [(source.name, claim) for claim in wrong]
            print(f"{folder.name}/{source.name}: {len(claims):,} statements, {len(wrong)} untrue", flush=True)
    print(as_table(said, Counter(claim.kind for _, claim in untrue)))
    for name, claim in untrue[:SHOWN]:
        print(f"{name} [{claim.kind}]: {claim.text}: {claim.fault}")
    return int(bool(untrue))


def claims_of(source: Source, rows: int, epochs: int) -> list[Claim]:
    task, random = split(source, 0), np.random.default_rng(0)
    train = task.train.sample(min(len(task.train), MOST_TRAINING_ROWS), random_state=0)
    detector = Detector({"training.epochs": epochs, "training.device": "cpu"}).fit(train)
    frame = explained_rows(detector, train, task.test, rows, random)
    (given,) = as_inputs(frame, detector.config.data)
    chosen = choose(detector.fitted, given, ExplainRequest(rows=range(1, len(frame) + 1)))
    explainer, truth = Explainer(detector.fitted), Truth(train)
    claims: list[Claim] = []
    for ranked in chosen.ranked:
        claims += truth.claims(explainer.explain(ranked, ""), frame.iloc[ranked.row - 1])
    return claims


def explained_rows(
    detector: Detector, train: pd.DataFrame, test: pd.DataFrame, rows: int, random: np.random.Generator
) -> pd.DataFrame:
    """The strangest test rows, others at random, training rows, and training rows with one cell changed."""
    scores = detector.score(test)["anomaly_score"].to_numpy()
    strangest = test.iloc[np.argsort(-scores, kind="stable")[:rows]]
    drawn = [
        frame.iloc[random.choice(len(frame), min(rows, len(frame)), replace=False)] for frame in (test, train)
    ]
    changed = train.iloc[random.choice(len(train), 2 * rows)].astype(float).reset_index(drop=True)
    for row in range(len(changed)):
        name = random.choice(changed.columns)
        low, high = float(train[name].min()), float(train[name].max())
        away = 10 ** random.uniform(-3, 0.5) * (high - low)
        moved = [high + away, low - away, float(random.choice(train[name]))]
        changed.loc[row, name] = moved[random.integers(3)]
    return pd.concat([strangest, *drawn, changed], ignore_index=True)


def as_table(said: Counter[str], untrue: Counter[str]) -> str:
    lines = ["| kind | statements | untrue |", "|---|---|---|"]
    lines += [f"| {kind} | {count:,} | {untrue[kind]:,} |" for kind, count in sorted(said.items())]
    return "\n".join([*lines, f"| all | {said.total():,} | {untrue.total():,} |"])


if __name__ == "__main__":
    raise SystemExit(main())
