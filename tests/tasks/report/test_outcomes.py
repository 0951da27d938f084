"""Rows held against their labels in a report: hits, misses and false alarms, and the worst misses."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect import Config, Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.report import Report, ReportRequest, report
from aedetect.tasks.report.outcomes import CALM, FALSE_ALARM, FLAGGED, HIT, MISS, MOST_MISSES


@cache
def detector() -> Detector:
    return Detector({"training.epochs": 5, "training.folds": 2, "model.width": 16}).fit(tiny_frame(1500))


def labelled() -> pd.DataFrame:
    """600 rows: 20 odd ones of which 15 are labelled, 25 labelled ones that are not odd, 50 unlabelled."""
    frame = tiny_frame(600, seed=5)
    odd = np.arange(600) % 30 == 3
    frame.loc[odd, "load"] = np.linspace(300, 900, odd.sum()).round(1)
    fraud = np.where(odd & (np.arange(600) < 450), "1", "0").astype(object)
    fraud[np.arange(600) % 24 == 7] = "1"
    fraud[550:] = ""
    return frame.assign(fraud=fraud)


def reported(frame: pd.DataFrame, label: str | None = "fraud", **settings: object) -> Report:
    model = detector().adjusted(Config.build(overrides=settings))
    inputs = as_inputs(frame, model.config.data)
    return report(model.fitted, inputs, ReportRequest(label), "plant")


@cache
def made() -> Report:
    return reported(labelled())


def test_outcomes_are_those_of_the_rows_recomputed() -> None:
    frame, counts = labelled(), made().findings.outcomes
    flagged = detector().score(frame.drop(columns="fraud")).is_anomaly.to_numpy(bool)
    fraud = frame.fraud.to_numpy()
    assert counts[HIT] == (flagged & (fraud == "1")).sum() > 10
    assert counts[FALSE_ALARM] == (flagged & (fraud == "0")).sum() > 0
    assert counts[MISS] == (~flagged & (fraud == "1")).sum() > 10
    assert counts[FLAGGED] == (flagged & (fraud == "")).sum() > 0
    assert counts[CALM] == (~flagged & (fraud != "1")).sum()


def test_outcomes_agree_with_the_evaluation_beside_them() -> None:
    assert made().findings.evaluation is not None
    judged = made().findings.evaluation.judged.confusion  # type: ignore[union-attr]
    counts = made().findings.outcomes
    assert (counts[HIT], counts[MISS], counts[FALSE_ALARM]) == (
        judged.caught,
        judged.missed,
        judged.false_alarms,
    )


def test_the_worst_misses_are_those_that_score_lowest() -> None:
    frame = labelled()
    scored = detector().score(frame.drop(columns="fraud"))
    missed = scored[(frame.fraud == "1").to_numpy() & ~scored.is_anomaly.to_numpy(bool)]
    worst = missed.anomaly_score.sort_values()[:MOST_MISSES]
    shown = made().findings.misses
    assert [row.explanation.row for row in shown] == [int(row) + 1 for row in worst.index]
    assert {row.outcome for row in shown} == {MISS}
    page = unescape(made().html())
    assert (
        f"The {MOST_MISSES:,} of {len(missed):,} missed anomalies that are labelled and were not flagged"
        in page
    )


def test_every_row_on_the_page_bears_its_outcome() -> None:
    frame, page = labelled(), made().html()
    shown = re.findall(r'data-outcome="([a-z-]+)"><summary><span class="where">row ([\d,]+)', page)
    assert len(shown) == made().findings.counts.anomalies + MOST_MISSES
    flagged = detector().score(frame.drop(columns="fraud")).is_anomaly
    for outcome, row in shown:
        place = int(row.replace(",", "")) - 1
        expected = {
            (True, "1"): "hit",
            (True, "0"): "false-alarm",
            (True, ""): "flagged",
            (False, "1"): "miss",
        }[bool(flagged[place]), frame.fraud[place]]
        assert outcome == expected


def test_the_page_counts_in_legends_facts_and_the_remark() -> None:
    page, counts = unescape(made().html()), made().findings.outcomes
    hits, false, missed, unknown = (counts[one] for one in (HIT, FALSE_ALARM, MISS, FLAGGED))
    false_alarms = "1 a false alarm" if false == 1 else f"{false} false alarms"
    labelled_so = f"{false_alarms} and {unknown} {'has' if unknown == 1 else 'have'} no label"
    assert (
        f"By the labels, {hits} of the flagged rows are hits, {labelled_so}; "
        f"{missed} labelled rows were missed."
    ) in page
    assert f'<span class="key hit"></span>{hits:,} hits</span>' in page
    assert f'<span class="key miss"></span>{missed:,} misses</span>' in page
    assert f'<span class="key flagged"></span>{unknown:,} flagged, without a label</span>' in page
    assert page.count('class="hit"') >= hits
    assert len(re.findall(r'<polygon class="miss"[^>]*data-tip="row [^>]*, miss"', page)) == missed
    assert (
        len(re.findall(r'<polygon class="false-alarm"[^>]*data-tip="row [^>]*, false alarm"', page)) == false
    )


def test_bars_of_labelled_anomalies_add_up() -> None:
    counts = [
        int(count.replace(",", ""))
        for count in re.findall(r'data-tip="([\d,]+) labelled anomalies score', made().html())
    ]
    assert sum(counts) == made().findings.outcomes[HIT] + made().findings.outcomes[MISS]


def test_a_message_counts_outcomes() -> None:
    counts = made().findings.outcomes
    assert f"Labels: {counts[HIT]} hits, {counts[FALSE_ALARM]} false alarm" in made().markdown()


def test_without_labels_nothing_is_a_hit() -> None:
    plain = reported(labelled().drop(columns="fraud"), None)
    assert plain.findings.misses == []
    assert [plain.findings.outcomes[one] for one in (HIT, FALSE_ALARM, MISS)] == [0, 0, 0]
    assert plain.findings.outcomes[FLAGGED] == plain.findings.counts.anomalies
    page = plain.html()
    for word in ("By the labels", ">hit<", 'class="false-alarm"', "The worst misses", 'id="filter-outcome"'):
        assert word not in page


def test_labelled_rows_without_a_score_are_said() -> None:
    frame = labelled().astype({"temp": str})
    frame.loc[frame.index[frame.fraud == "1"][:2], "temp"] = "broken"
    found = reported(frame).findings
    assert found.outcomes.unscorable_anomalies == 2
    assert " were missed and 2 could not be scored." in reported(frame).verdict


@pytest.mark.slow
@pytest.mark.parametrize("batch_rows", [7, 100, 10_000])
def test_misses_do_not_depend_on_how_rows_are_read(batch_rows: int) -> None:
    found = reported(labelled(), **{"scoring.batch_rows": batch_rows}).findings
    assert [row.explanation.row for row in found.misses] == [
        row.explanation.row for row in made().findings.misses
    ]
    assert found.outcomes == made().findings.outcomes
