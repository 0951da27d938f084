"""Twelve kinds of files, tried as a newcomer tries them: train, score, explain, report, only --time given."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from newcomer.files import CASES, Case
from support.prompt import Prompt, Result
from support.truth import Truth

from aedetect import load
from aedetect.io.inputs import as_inputs
from aedetect.tasks.explain import Explainer, ExplainRequest
from aedetect.tasks.explain.select import choose

pytestmark = pytest.mark.slow
# Of rows that belong there, how many may be flagged where 1% was asked: twice that, and what chance adds.
MOST_FLAGGED, BY_CHANCE = 0.02, 4
# Files whose cells pandas reads as they are meant: their sentences are checked against the training rows.
PLAIN = ("survey", "wide_assay", "inventory", "sixty_rows")
TEXT_COLUMNS = ("supplier", "part", "bin", "sample")


def done(prompt: Prompt, words: str) -> Result:
    result = prompt(*words.split())
    assert result.exit_code == 0, result.output
    return result


def scored(case: Case) -> pd.DataFrame:
    delimiter = ";" if ";" in case.next.splitlines()[0] else ","
    return pd.read_csv("scored.csv", sep=delimiter)


def flagged(rows: pd.DataFrame) -> pd.Series[Any]:
    return rows["is_anomaly"].astype(str).str.lower() == "true"


@pytest.mark.parametrize("name", CASES)
def test_a_newcomer_is_not_surprised(name: str, prompt: Prompt) -> None:
    case = CASES[name]()
    Path("train.csv").write_text(case.train)
    Path("next.csv").write_text(case.next)
    time = f" --time {case.time}" if case.time else ""
    learned = done(prompt, f"train train.csv -o m.aed --json{time}").json()
    roles = {column["name"]: column["role"] for column in learned["columns"]}
    assert {column: roles[column] for column in case.roles} == dict(case.roles)

    done(prompt, "score next.csv -m m.aed -o scored.csv")
    rows = scored(case)
    marked = flagged(rows)
    strange = [number - 1 for number in case.strange]
    assert marked[strange].mean() >= 0.5, "what does not belong is found"
    others = marked.drop(strange)
    assert others.sum() <= MOST_FLAGGED * len(others) + BY_CHANCE
    blamed = rows["anomaly_features"].astype(str)
    named = [case.strange[place + 1] in blamed[place] for place in strange if marked[place]]
    assert sum(named) >= 0.5 * len(named), "and the column that gives it away is named"

    explained = done(prompt, "explain next.csv -m m.aed --top 3")
    assert any(column in explained.stdout for column in case.strange.values())
    done(prompt, "report next.csv -m m.aed -o report.html")
    if name in PLAIN:
        assert untrue(case) == []


def untrue(case: Case) -> list[object]:
    """What explanations of twenty rows of the next file say that the training rows do not bear out."""
    texts = dict.fromkeys(TEXT_COLUMNS, str)
    train, coming = (pd.read_csv(io.StringIO(text), dtype=texts) for text in (case.train, case.next))
    fitted = load("m.aed", device="cpu").fitted
    (source,) = as_inputs("next.csv", fitted.config.data)
    asked = ExplainRequest(rows=[*case.strange, *range(1, 21)])
    explainer, truth = Explainer(fitted), Truth(train)
    return [
        claim
        for ranked in choose(fitted, source, asked).ranked
        for claim in truth.claims(explainer.explain(ranked, ""), coming.iloc[ranked.row - 1])
        if claim.fault
    ]
