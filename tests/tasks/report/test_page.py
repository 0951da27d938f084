"""Every number on the page is true: recomputed here from the rows, the scores and the labels."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html import unescape

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect import Config, Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.evaluate.metrics.at_threshold import share_interval
from aedetect.tasks.report import ReportRequest, charts, report, row_charts

ROWS = 1200


@cache
def detector() -> Detector:
    return Detector({"training.epochs": 5, "training.folds": 2, "model.width": 16}).fit(tiny_frame(1500))


@cache
def frame() -> pd.DataFrame:
    made = tiny_frame(ROWS, seed=9)
    odd = np.arange(ROWS) % 40 == 3
    made.loc[odd, "load"] = np.linspace(300, 900, odd.sum()).round(1)
    return made.assign(fraud=(odd | (np.arange(ROWS) % 100 == 50)).astype(int))


@cache
def scored() -> pd.DataFrame:
    return detector().score(frame().drop(columns="fraud"))


@cache
def page(label: bool = True) -> str:
    model = detector()
    data = frame() if label else frame().drop(columns="fraud")
    request = ReportRequest("fraud" if label else None)
    return unescape(report(model.fitted, as_inputs(data, model.config.data), request, "plant").html())


def numbers(pattern: str, text: str | None = None) -> list[int]:
    """What the first group of a pattern matches, as numbers."""
    return [int(one.replace(",", "")) for one in re.findall(pattern, text or page())]


def test_the_facts_at_the_top() -> None:
    flagged = int(scored().is_anomaly.sum())
    facts = {name: value for value, name in re.findall(r"<li[^>]*><b>([^<]*)</b>([a-z ]+)</li>", page())}
    assert facts == {
        "rows": f"{ROWS:,}",
        "flagged": str(flagged),
        "not flagged": f"{ROWS - flagged:,}",
        "threshold": charts.number(detector().threshold),
        "false alarms accepted": "1%",
    }
    assert f"{flagged} of {ROWS:,} rows ({flagged / ROWS:.2%}) do not look like the training data." in page()


def test_without_labels_the_share_is_held_against_what_was_promised() -> None:
    share = scored().is_anomaly.mean()
    said = f"Normal rows alone would give about 1.00%: this is {share / 0.01:,.1f} times as many"
    assert (said in page(label=False)) == (share > 0.02)


def test_bars_of_the_histogram_add_up_and_do_not_straddle_the_threshold() -> None:
    bars = re.findall(
        r'<rect class="(calm|flagged)"[^>]*data-tip="([\d,]+) of 1,200 rows score ([^"]+)"', page()
    )
    counts = {
        kind: sum(int(count.replace(",", "")) for one, count, _ in bars if one == kind) for kind, _, _ in bars
    }
    flagged = int(scored().is_anomaly.sum())
    assert counts == {"calm": ROWS - flagged, "flagged": flagged}


def test_blocks_of_rows_tell_their_highest_score_and_how_many_are_flagged() -> None:
    dots = re.findall(
        r'<circle[^>]*data-tip="rows ([\d,]+) to ([\d,]+): highest score ([^,"]+), ([\d,]+) flagged"', page()
    )
    assert len(dots) == 120
    for first, last, highest, flagged in dots:
        part = scored()[int(first.replace(",", "")) - 1 : int(last.replace(",", ""))]
        assert len(part) == 10
        assert charts.number(part.anomaly_score.max()) == highest
        assert int(flagged) == part.is_anomaly.sum()
    assert "each dot is the highest score of 10 rows in a row" in page()


def test_bars_through_the_file_tell_outcomes() -> None:
    bars = set(
        re.findall(
            r'<rect class="(?:hit|false-alarm|miss)"[^>]*data-tip="rows ([\d,]+) to ([\d,]+): ([^"]+)"',
            page(),
        )
    )
    total = {"hits": 0, "false alarms": 0, "misses": 0}
    for _, _, told in bars:
        for count, name in re.findall(r"(\d+) ([a-z ]+)", told):
            total[name] += int(count)
    flagged, fraud = scored().is_anomaly.to_numpy(bool), frame().fraud.to_numpy(bool)
    assert total == {
        "hits": (flagged & fraud).sum(),
        "false alarms": (flagged & ~fraud).sum(),
        "misses": (~flagged & fraud).sum(),
    }


def test_columns_to_blame_are_shares_and_counts_of_the_flagged_rows() -> None:
    table = page().split("Columns to blame</h2>")[1].split("</table>")[0]
    leads = numbers(r'<td class="n">([\d,]+)</td></tr>', table)
    assert sum(leads) == scored().is_anomaly.sum()
    shares = numbers(r'<td class="n">(\d+)%</td>', table)
    assert sum(shares) == pytest.approx(100, abs=len(shares))


def test_intervals_are_of_95_percent_and_named_so() -> None:
    flagged, fraud = scored().is_anomaly.to_numpy(bool), frame().fraud.to_numpy(bool)
    table = page().split('id="labels"')[1].split("</table>")[0]
    assert "<th>95% interval</th>" in table
    for name, of in (("precision", flagged), ("recall", fraud)):
        interval = share_interval(int((flagged & fraud).sum()), int(of.sum()))
        assert (
            f'<td>{name} at the threshold</td><td class="n">{interval.value:.3f}</td>'
            f"<td>{interval.low:.3f} to {interval.high:.3f}</td>"
        ) in table
    assert f"{ROWS:,} rows judged: {fraud.sum()} anomalies and {ROWS - fraud.sum():,} normal" in page()
    normal = ~fraud
    assert f"False alarms: {(flagged & normal).sum()} of {normal.sum():,} normal rows" in page()


def test_the_map_draws_what_it_says() -> None:
    section = page().split('id="map"')[1].split("</section>")[0]
    drawn = len(re.findall(r"<(?:circle|polygon) ", section))
    assert f"{drawn:,} of {ROWS:,} rows are drawn" in section
    tips = re.findall(r'data-tip="row ([\d,]+), score ([^,"]+), ([a-z ]+)"', section)
    assert len(tips) == drawn
    flagged, fraud = scored().is_anomaly.to_numpy(bool), frame().fraud.to_numpy(bool)
    names = {
        (True, True): "hit",
        (True, False): "false alarm",
        (False, True): "miss",
        (False, False): "not flagged",
    }
    for row, score, outcome in tips:
        place = int(row.replace(",", "")) - 1
        assert outcome == names[bool(flagged[place]), bool(fraud[place])]
        assert charts.number(scored().anomaly_score[place]) == score
    assert "in standard deviations" in section


def test_what_cannot_be_seen_is_said() -> None:
    names = re.findall(r'role="img" aria-label="([^"]+)"', page())
    flagged = int(scored().is_anomaly.sum())
    assert names[:3] == [
        f"Histogram of the scores of {ROWS:,} rows; {flagged} are above the threshold "
        f"{charts.number(detector().threshold)}",
        f"Scores of {ROWS:,} rows in their order, {flagged} flagged, in blocks of 10 rows",
        names[2],
    ]
    assert names[2].startswith("Map of ")
    assert page().count('<svg class="chart"') == len(names)


def test_a_million_rows_are_blocks_of_ten_thousand() -> None:
    made = report(
        detector().fitted,
        as_inputs(frame().drop(columns="fraud"), detector().config.data),
        ReportRequest(),
        "plant",
    ).findings
    random = np.random.default_rng(0)
    from aedetect.tasks.report.bins import ScoreTimeline

    timeline = ScoreTimeline()
    for _ in range(20):
        timeline.add(random.random(50_000), (random.random(50_000) < 0.01).astype(np.int8))
    long = replace(made, timeline=timeline, files=[("long.csv", 1_000_000)])
    drawn = str(row_charts.timeline(long))
    assert timeline.size == 10_000
    assert len(re.findall("<circle", drawn)) == 100
    assert "highest of 10,000 rows" in drawn
    for text in ("200k", "400k", "600k", "800k", "1M"):
        assert f">{text}</text>" in drawn
    assert drawn.count('class="usual"') == 1


def test_nothing_promised_is_no_line_of_what_is_usual() -> None:
    by_hand = detector().adjusted(Config.build(overrides={"threshold.value": 3.0}))
    inputs = as_inputs(frame().drop(columns="fraud"), by_hand.config.data)
    made = report(by_hand.fitted, inputs, ReportRequest(), "plant").html()
    assert 'class="usual"' not in made
    assert "as many as normal rows alone give" not in made


def test_settings_of_style_need_nothing_from_elsewhere() -> None:
    assert not re.search(r"(?:https?:)?//[a-z]|url\(|@import", page())
    for query in ("prefers-color-scheme:dark", "prefers-reduced-motion:reduce", "@media print"):
        assert query in page()
