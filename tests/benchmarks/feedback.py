"""Do notes of people help, and do they harm? (`make bench-feedback`)

Data: as for tabular.py, folders of Parquet files with numeric columns, `label` and `part`; name them with
--data. Of each folder all sets, those of one half (--half choosing or confirming), or --most of them.

Protocol: train on the rows of part 'train' (at most 10,000), score the test rows (at most 20,000) at an
alert rate. The ten false alarms of the highest scores are called normal, as `aedetect feedback` does it,
and the test rows are scored again with these notes. Beside it, ten false alarms drawn at random are, and
ten rows of any kind but anomalies drawn at random (seed 0).

A further false alarm is alike where a noted one is blamed on the same column first and lies within 0.25 (in
the units of the encoder: about a quarter of the value far out) in the columns to blame ('same value'); or
where it is as near to a noted one over all columns as nine of ten normal rows are to another ('near').

Printed by rate and way of marking, as means over sets with standard errors: the share of all further false
alarms that is muted, the share of those alike, in how many sets half of these or more are, and how many
points of recall are lost.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tabular_data import Source, chosen_sources, split

from aedetect.detector import Detector
from aedetect.io.inputs import as_inputs
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.suppression import Suppression
from aedetect.tasks.score import ScoreTask
from aedetect.tasks.suppression.alike import Space, in_blamed, overall
from aedetect.tasks.suppression.feedback import suppressor_of
from aedetect.tasks.suppression.noted_rows import storable_cell

MARKED, MOST_TRAINING, MOST_TEST = 10, 10_000, 20_000
SAME_VALUE, NEAR = 0.25, 0.9
RATES = (0.01, 0.05)
WAYS = ("highest", "random false alarms", "random normal rows")


@dataclass(frozen=True)
class Outcome:
    """What the notes did on one set; shares are NaN where there is nothing to share."""

    muted: float
    same_value: float
    near: float
    lost: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--half", choices=("choosing", "confirming"), help="sets of this half alone")
    parser.add_argument("--most", type=int, metavar="N", help="so many sets, drawn at random")
    options = parser.parse_args()
    every = chosen_sources({folder.name: folder for folder in options.data}, [], quick=False)
    every = [source for source in every if options.half in (None, source.half)]
    order = np.random.default_rng(0).permutation(len(every))[: options.most]
    outcomes: dict[tuple[float, str], list[Outcome]] = defaultdict(list)
    for place in order:
        begin = time.monotonic()
        for key, outcome in of_set(every[place]).items():
            outcomes[key].append(outcome)
        print(f"{every[place].collection}/{every[place].name}: {time.monotonic() - begin:.0f} s", flush=True)
    print(f"\n{len(order)} sets, {options.half or 'both halves'}")
    for (rate, way), each in sorted(outcomes.items()):
        print(f"{rate:.0%}, {way}: {in_words(each)}")


def of_set(source: Source) -> dict[tuple[float, str], Outcome]:
    task, random = split(source, 0), np.random.default_rng(0)
    train = task.train.sample(min(len(task.train), MOST_TRAINING), random_state=0)
    picked = random.permutation(len(task.test))[:MOST_TEST]
    test, labels = task.test.iloc[picked].reset_index(drop=True), np.asarray(task.labels)[picked]
    detector = Detector({"training.device": "cpu"}).fit(train)
    return {
        (rate, way): outcome
        for rate in RATES
        for way in WAYS
        if (outcome := judged(detector, test, labels, rate, way)) is not None
    }


def judged(detector: Detector, test: object, labels: np.ndarray, rate: float, way: str) -> Outcome | None:  # type: ignore[type-arg]
    fitted = detector.fitted.with_threshold(alert_rate=rate)
    (given,) = as_inputs(test, detector.config.data)  # type: ignore[arg-type]
    before = scored(fitted, given, None)
    false = np.flatnonzero(before["flagged"] & (labels == 0))
    random = np.random.default_rng(0)
    if way == "highest":
        marked = false[np.argsort(-before["scores"][false], kind="stable")[:MARKED]]
    elif way == "random false alarms":
        marked = random.permutation(false)[:MARKED]
    else:
        marked = random.permutation(np.flatnonzero((labels == 0) & ~np.isnan(before["scores"])))[:MARKED]
    if not len(marked) or not before["flagged"].any():
        return None
    notes = [noted(number, row, test) for number, row in enumerate(marked, 1)]
    after = scored(fitted, given, Suppression([suppressor_of(fitted, notes)[0]]))
    muted = before["flagged"] & ~after["flagged"]
    further = np.setdiff1d(false, marked)
    space = Space.of(fitted.encoder, fitted.columns)
    near_limit = space.usual_distance(fitted.normal_rows, NEAR)
    same, near = (np.zeros(len(further), dtype=bool) for _ in range(2))
    for row in marked:
        apart = space.apart(before["encoded"][further], before["encoded"][row])
        shares = before["attribution"][row]
        first = before["attribution"][further].argmax(axis=1) == shares.argmax()
        same |= first & (in_blamed(apart, shares) <= SAME_VALUE)
        near |= overall(apart) <= near_limit
    anomalies = labels == 1
    return Outcome(
        share(muted[further]),
        share(muted[further][same]),
        share(muted[further][near]),
        100 * float((muted & anomalies).sum()) / max(int(anomalies.sum()), 1),
    )


def scored(fitted: object, given: object, suppression: Suppression | None) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    task = ScoreTask(fitted, [given], suppression=suppression)  # type: ignore[arg-type,list-item]
    parts = defaultdict(list)
    run, first = task.start(given, False), 1  # type: ignore[arg-type]
    for batch in given.open(task.batch_rows).batches():  # type: ignore[attr-defined]
        scores = run.process(batch, first).detail
        first += len(batch)
        parts["scores"].append(scores.scores)
        parts["flagged"].append(scores.flagged)
        parts["attribution"].append(scores.attribution)
        parts["encoded"].append(scores.encoded.matrix)
    return {name: np.concatenate(each) for name, each in parts.items()}


def noted(number: int, row: int, test: object) -> Note:
    values = test.iloc[row]  # type: ignore[attr-defined]
    return Note(
        id=number,
        verdict="normal",
        text="",
        who="bench",
        when="2026-01-01T00:00:00+00:00",
        source="test",
        row=int(row) + 1,
        score=None,
        cells={
            name: storable_cell(value.item() if hasattr(value, "item") else value)
            for name, value in values.items()
        },
        attribution={},
    )


def share(among: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(among.mean()) if len(among) else np.nan


def in_words(outcomes: list[Outcome]) -> str:
    def mean(values: list[float]) -> str:
        known = np.array([value for value in values if not np.isnan(value)])
        if not len(known):
            return "none"
        error = known.std(ddof=1) / np.sqrt(len(known)) if len(known) > 1 else np.nan
        return f"{known.mean():.3g} +- {error:.2g} ({len(known)} sets)"

    def halved(values: list[float]) -> str:
        known = [value for value in values if not np.isnan(value)]
        return f"{sum(value >= 0.5 for value in known)} of {len(known)}"

    same, near = [one.same_value for one in outcomes], [one.near for one in outcomes]
    return (
        f"muted of further false alarms {mean([one.muted for one in outcomes])}; of those of the same value "
        f"{mean(same)}, at least half in {halved(same)}; of those near {mean(near)}, at least half in "
        f"{halved(near)}; recall lost, in points {mean([one.lost for one in outcomes])}"
    )


if __name__ == "__main__":
    main()
