"""Who is to blame for many rows, over a model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect import Detector
from aedetect.io.inputs import as_inputs
from aedetect.tasks.explain.segments import GroupExplanations, explain_groups

QUICK = {"training.epochs": 3, "training.folds": 2, "training.device": "cpu", "model.width": 16}


@cache
def of_rows() -> Detector:
    return Detector({**QUICK, "data.id": ["store", "no"]}).fit(with_ids(tiny_frame(400)))


def with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    stores = np.random.default_rng(3).integers(1, 21, len(frame))
    return frame.assign(store=stores, no=[f"n{row}" for row in range(len(frame))])


def with_a_bad_store(rows: int = 1000) -> pd.DataFrame:
    frame = with_ids(tiny_frame(rows, seed=1))
    frame.loc[(frame.store == 17) & (frame.index % 4 > 0), "load"] = 980.0
    return frame


def groups(frame: pd.DataFrame, most: int = 50_000, rows: int | None = None) -> GroupExplanations:
    fitted = of_rows().fitted
    if rows is not None:
        scoring = fitted.config.scoring.model_copy(update={"batch_rows": rows})
        fitted = replace(fitted, config=fitted.config.model_copy(update={"scoring": scoring}))
    return explain_groups(fitted, as_inputs(frame, fitted.config.data), most=most)


def test_a_store_that_is_carried_through_is_named_with_exact_counts() -> None:
    frame = with_a_bad_store()
    scored = of_rows().score(frame)
    (one,) = [each for each in groups(frame).segments if each.text == "store = 17"]
    inside = frame.store == 17
    assert (one.rows, one.flagged) == (inside.sum(), scored.is_anomaly[inside].sum())
    assert (one.rows_outside, one.flagged_outside) == ((~inside).sum(), scored.is_anomaly[~inside].sum())
    assert one.lift == pytest.approx((one.flagged / one.rows) / scored.is_anomaly.mean())
    assert one.columns[0].column == "load"
    assert one.sentence.startswith(f"store = 17: {one.flagged} of {one.rows} rows are flagged (")


def test_extra_columns_count_and_the_label_does_not() -> None:
    model = Detector({**QUICK, "data.label": "bad"}).fit(tiny_frame(400).assign(bad=0))
    frame = with_a_bad_store().assign(bad=lambda each: (each.load == 980).astype(int), shop="s")
    frame["shop"] += frame.store.astype(str)
    with pytest.warns(UserWarning, match="not known to the model"):
        found = model.explain_groups(frame)
    assert "bad" not in found.looked_at.columns
    assert found.segments[0].text in ("store = 17", "shop = s17")


def test_a_normal_dump_has_no_segment_and_says_what_was_looked_at() -> None:
    found = groups(with_ids(tiny_frame(1000, seed=1)))
    assert found.segments == []
    assert found.sentence.endswith("and no segment stands out") or found.anomalies < 5
    assert found.looked_at.sentence.startswith(f"looked at {found.looked_at.conditions:,} values and ranges")
    assert found.looked_at.sentence.endswith("; not at no (no value in 5 rows)")


def test_rows_that_are_not_judged_are_in_no_segment() -> None:
    frame = with_a_bad_store().astype({"load": object})
    frame.loc[frame.index % 50 == 0, "load"] = "?"
    found = groups(frame)
    assert found.unscorable == 20
    one = found.segments[0]
    assert one.rows + one.rows_outside == found.rows - found.unscorable


@pytest.mark.parametrize("most", [50_000, 150])
def test_the_answer_does_not_depend_on_batches(most: int) -> None:
    frame = with_a_bad_store()
    whole, parts = groups(frame, most), groups(frame, most, rows=77)
    assert whole.as_dict() == parts.as_dict()


def test_a_sample_is_said_and_single_values_are_counted_all_the_same() -> None:
    frame = with_a_bad_store(4000)
    exact, sampled = groups(frame).segments[0], groups(frame, most=400)
    one = sampled.segments[0]
    assert (one.text, one.rows, one.flagged, one.exact) == (exact.text, exact.rows, exact.flagged, True)
    assert "in a random sample: " in sampled.looked_at.said_of_sample
    assert sampled.looked_at.others_held <= 400


def test_of_several_files_the_file_is_a_segment(tmp_path: Path) -> None:
    for day in range(4):
        frame = with_ids(tiny_frame(300, seed=day))
        if day == 2:
            frame.loc[frame.index % 3 == 0, "load"] += 600.0 + frame.index[frame.index % 3 == 0]
        frame.to_csv(tmp_path / f"day{day}.csv", index=False)
    found = of_rows().explain_groups(sorted(tmp_path.iterdir()))
    assert found.segments[0].text.startswith("source_file = ")
    assert found.segments[0].conditions[0].value == str(tmp_path / "day2.csv")
    assert found.segments[0].rows == 300
