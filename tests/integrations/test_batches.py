"""Parts of the rows: the same verdicts however they are cut, and the same columns as `aedetect score`."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine_rows import (
    NUMBER,
    by_command_line,
    check_same,
    machine_rows,
    mixed_rows,
    numbered,
    sent,
    shuffled,
)
from support.prompt import Prompt
from support.tables import tiny_frame

from aedetect import Detector, load
from aedetect.errors import AedetectError, DataError, ModelError, UsageError
from aedetect.integrations.batches import Options, RowScorer, SeriesScorer
from aedetect.scoring.fitted import FittedModel

ADDED = ["anomaly_score", "anomaly_p_value", "is_anomaly", "anomaly_features", "anomaly_status"]
TYPES = [pa.float64(), pa.float64(), pa.bool_(), pa.string(), pa.string()]


def row_scorer(model: Path, settings: dict[str, Any] | None = None, **options: Any) -> RowScorer:
    return RowScorer.of(model, Options(**options), settings)


def refused(kind: type[AedetectError], said: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(said)}$")


def test_rows_are_as_the_command_line_has_them(prompt: Prompt, tiny_model: Path) -> None:
    rows = mixed_rows()
    scored = row_scorer(tiny_model).score(rows)
    expected = by_command_line(prompt, rows, tiny_model)
    assert scored.schema.equals(expected.schema)
    check_same(scored, expected)
    assert set(scored["anomaly_status"].to_pylist()) == {"ok", "unscorable"}
    assert 20 < sum(filter(None, scored["is_anomaly"].to_pylist())) < 2900


@given(cuts=st.lists(st.integers(0, 600), max_size=12))
@settings(max_examples=12)
def test_no_verdict_depends_on_how_rows_are_cut(tiny_model: Path, cuts: list[int]) -> None:
    rows, scorer = mixed_rows(600), row_scorer(tiny_model)
    ends = [0, *sorted(cuts), 600]
    parts = [rows.slice(start, end - start) for start, end in pairwise(ends)]
    check_same(pa.concat_tables([scorer.score(part) for part in parts]), scorer.score(rows))


def test_what_is_asked_for_is_in_the_output(prompt: Prompt, tiny_model: Path) -> None:
    rows = mixed_rows(300)
    scorer = row_scorer(tiny_model, {"threshold.alert_rate": 0.2}, prefix="new_")
    check_same(
        scorer.score(rows), by_command_line(prompt, rows, tiny_model, "--prefix", "new_", "--alert-rate", 0.2)
    )
    assert row_scorer(tiny_model, keep="none").score(rows).column_names == ADDED


def test_of_ids_alone_are_left(tmp_path: Path) -> None:
    frame = tiny_frame().assign(order=range(200), note="x")
    path = tmp_path / "ids.aed"
    quick = {"training.epochs": 1, "model.width": 16, "training.device": "cpu"}
    Detector({"data.id": ["order"], **quick}).fit(frame).save(path)
    scored = row_scorer(path, keep="id").score(pa.Table.from_pandas(frame, preserve_index=False))
    assert scored.column_names == ["order", *ADDED]


def test_columns_come_back_as_they_are(tiny_model: Path) -> None:
    rows = mixed_rows(50)
    odd = rows.set_column(2, "site", rows["site"].cast(pa.large_string()).dictionary_encode())
    odd = odd.append_column("tags", pa.array([[1, 2]] * 50)).append_column("raw", pa.array([b"\xff"] * 50))
    scored = row_scorer(tiny_model).score(odd.select(odd.column_names[::-1]))
    assert scored.select(odd.column_names).equals(odd)
    assert scored.schema.types[-5:] == TYPES
    check_same(scored.select([*rows.column_names, *ADDED]).cast(
        pa.schema([*rows.schema, *zip(ADDED, TYPES, strict=True)])), row_scorer(tiny_model).score(rows)
    )  # fmt: skip


def test_a_part_without_rows_has_the_columns(tiny_model: Path) -> None:
    rows, scorer = mixed_rows(20), row_scorer(tiny_model)
    scored = scorer.score(rows.slice(0, 0))
    assert (len(scored), scored.schema) == (0, scorer.score(rows).schema)
    assert scored.schema == scorer.schema(rows.schema)


def test_a_part_of_which_nothing_can_be_read_is_unscorable_and_not_refused(tiny_model: Path) -> None:
    rows = mixed_rows(30)
    broken = rows.set_column(1, "load", pa.array(["?"] * 30))
    assert set(row_scorer(tiny_model).score(broken)["anomaly_status"].to_pylist()) == {"unscorable"}


def test_bytes_without_a_text_in_one_part_are_no_other_type(tiny_model: Path) -> None:
    rows, scorer = mixed_rows(60), row_scorer(tiny_model)
    gone = rows.set_column(2, "site", pa.array([None] * 30 + rows["site"].to_pylist()[30:], pa.string()))
    as_bytes = gone.set_column(2, "site", gone["site"].cast(pa.binary()))
    parts = [scorer.score(as_bytes.slice(start, 30)) for start in (0, 30)]
    check_same(pa.concat_tables(parts).drop("site"), scorer.score(gone).drop("site"))


def test_columns_without_a_value_in_all_the_data_are_named_by_who_knows(
    prompt: Prompt, tiny_model: Path
) -> None:
    rows = mixed_rows(600)
    rows = rows.set_column(0, "temp", pa.nulls(600, pa.float64()))
    expected = by_command_line(prompt, rows, tiny_model)
    scorer = row_scorer(tiny_model, empty=("temp",))
    check_same(pa.concat_tables([scorer.score(rows.slice(at, 100)) for at in range(0, 600, 100)]), expected)
    said = (
        "empty: no column named 'tmep' in the model; did you mean 'temp'? There are: temp, load, open, site"
    )
    with refused(UsageError, said):
        row_scorer(tiny_model, empty=("tmep",))


def test_it_can_be_sent_to_another_process(tiny_model: Path) -> None:
    scorer, rows = row_scorer(tiny_model), mixed_rows(40)
    assert sent(scorer).score(rows).equals(scorer.score(rows))


def test_rows_that_do_not_fit_are_refused(tiny_model: Path) -> None:
    scorer, rows = row_scorer(tiny_model), mixed_rows(10)
    lacking = "data: column 'site' is missing, which the model was trained on; "
    for of in (scorer.score, lambda table: scorer.schema(table.schema)):
        with pytest.raises(ModelError, match=f"^{re.escape(lacking)}"):
            of(rows.drop("site"))
        with refused(DataError, "data: the column name 'temp' appears twice; rename one"):
            of(rows.append_column("temp", rows["temp"]))
        with refused(
            DataError,
            "data: column 'load' holds list<item: double> values, which cannot be read as numeric, as it was "
            "in training; has its type changed?",
        ):
            of(rows.set_column(1, "load", pa.array([[1.0]] * 10)))
        with refused(
            UsageError,
            "data: has a column 'is_anomaly' already, which scoring would add; give prefix, e.g. prefix new_",
        ):
            of(rows.append_column("is_anomaly", rows["temp"]))
    with pytest.raises(DataError, match=r"^data: column 'site' holds .*binary.* cannot be read"):
        scorer.score(rows.set_column(2, "site", pa.array([b"\xff"] * 10)))


def test_what_is_left_out_is_not_in_the_way(tiny_model: Path) -> None:
    rows = mixed_rows(10).append_column("is_anomaly", pa.array([True] * 10))
    assert row_scorer(tiny_model, keep="none").score(rows).column_names == ADDED


def test_another_way_to_keep_columns_is_refused(tiny_model: Path) -> None:
    with refused(UsageError, "keep must be 'all', 'id' or 'none', not 'ids'"):
        row_scorer(tiny_model, keep="ids")


def test_the_wrong_kind_of_model_is_refused_with_what_to_use(tiny_model: Path, pumps_model: Path) -> None:
    with refused(
        UsageError, f"{pumps_model}: a model of time series, whose rows are scored together; use the other"
    ):
        RowScorer.of(pumps_model, Options(), other="the other")
    with refused(
        UsageError, f"{tiny_model}: a model of tables, whose rows are scored one by one; use the other"
    ):
        SeriesScorer.of(tiny_model, Options(), other="the other")


def test_series_one_by_one_are_as_the_command_line_has_them(prompt: Prompt, pumps_model: Path) -> None:
    rows, scorer = machine_rows(), SeriesScorer.of(pumps_model, Options())
    expected = by_command_line(prompt, rows, pumps_model)
    mixed = shuffled(rows).to_pandas()
    assert scorer.entity == ["machine"]
    groups = [pa.Table.from_pandas(part, preserve_index=False) for _, part in mixed.groupby("machine")]
    scored = pa.concat_tables([scorer.score(group) for group in groups])
    assert scored.schema.equals(expected.schema)
    check_same(scored, expected)
    assert sum(filter(None, scored["is_anomaly"].to_pylist())) > 20
    assert {"unscorable", "ok"} == set(scored["anomaly_status"].to_pylist())
    assert scored.schema.field("anomaly_event").type == pa.int64()


def test_a_series_without_a_time_is_unscorable_and_not_refused(prompt: Prompt, pumps_model: Path) -> None:
    frame = machine_rows().to_pandas().assign(time=lambda rows: rows["time"].astype(str))
    frame.loc[frame["machine"] == "m1", "time"] = "yesterday"
    rows, scorer = numbered(frame.drop(columns=NUMBER)), SeriesScorer.of(pumps_model, Options())
    expected = by_command_line(prompt, rows, pumps_model)
    of_machine = np.array(rows["machine"].to_pylist())
    parts = [scorer.score(rows.filter(pa.array(of_machine == name))) for name in ("m0", "m1", "m2")]
    assert set(parts[1]["anomaly_status"].to_pylist()) == {"unscorable"}
    check_same(pa.concat_tables(parts), expected)


@pytest.mark.parametrize(("given", "read"), [
    (["m1", " m1"], "holds ' m1', which aedetect reads as 'm1'; write that"),
    (["m1", "NA"], "holds 'NA', which aedetect takes for missing; make it null"),
    (["m1", ""], "holds '', which aedetect takes for missing; make it null"),
])  # fmt: skip
def test_names_that_an_engine_tells_apart_and_aedetect_does_not_are_refused(
    pumps_model: Path, given: list[str], read: str
) -> None:
    rows = machine_rows().slice(0, 2)
    scorer = SeriesScorer.of(pumps_model, Options())
    said = f"data: column 'machine' {read} before rows are grouped, or one series is taken for two"
    for type_ in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())):
        with refused(DataError, said):
            scorer.check_names(rows.set_column(1, "machine", pa.array(given, type_)))


@pytest.mark.parametrize("names", [
    pa.array(["m1", None]), pa.array([1, None]), pa.array([1.5, 2.0]), pa.array([True, False]),
    pa.chunked_array([["m1"], ["a b"]]), pa.array([None, None], pa.string()),
])  # fmt: skip
def test_names_that_are_told_apart_alike_will_do(pumps_model: Path, names: pa.Array) -> None:
    rows = machine_rows().slice(0, 2).set_column(1, "machine", names)
    SeriesScorer.of(pumps_model, Options()).check_names(rows)


def test_a_model_under_which_series_depend_on_one_another_is_refused(
    pumps_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = load(pumps_model).fitted
    assert fitted.series is not None
    series = replace(fitted.series, state=fitted.series.state.model_copy(update={"phase": None}))
    monkeypatch.setattr(FittedModel, "of_bytes", lambda *_, **__: replace(fitted, series=series))
    with pytest.raises(ModelError, match=r"of an older aedetect, .* score with the command line$"):
        SeriesScorer.of(pumps_model.read_bytes(), Options(), {"threshold.alert_rate": 0.011})


def test_one_series_has_no_entity(tmp_path: Path) -> None:
    from support.sensors import readings

    frame = readings(3).drop(columns="machine")
    path = tmp_path / "one.aed"
    quick = {"training.epochs": 1, "model.width": 16, "training.device": "cpu"}
    Detector({"series.time": ["time"], **quick}).fit(frame).save(path)
    scorer = SeriesScorer.of(path, Options())
    assert scorer.entity == []
    rows = numbered(frame)
    scorer.check_names(rows)
    check_same(scorer.score(shuffled(rows)), scorer.score(rows))


def test_pandas_gaps_are_gaps(tiny_model: Path) -> None:
    frame = pd.DataFrame(
        {"temp": [20.0, None], "load": ["40", None], "site": ["north", None], "open": ["true"] * 2}
    )
    table = pa.Table.from_pandas(frame)
    scored = row_scorer(tiny_model).score(table)
    assert scored["anomaly_status"].to_pylist() == ["ok", "ok"]
