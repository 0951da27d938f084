"""Series spread over workers have the verdicts of one machine, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pretend_cluster import PretendCluster
from support.sensors import broken, readings

from aedetect import Detector
from aedetect.data.series.context import SeriesContext
from aedetect.engine import divided
from aedetect.errors import DataError, ModelError, OutputError
from aedetect.io.files import open_inputs
from aedetect.io.inputs import as_inputs
from aedetect.io.source import Input, ReadOptions, TableInput
from aedetect.scoring.base import NumberedBatch, PriorRows, ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.series import SeriesScorer
from aedetect.scoring.spread import pieces
from aedetect.scoring.spread.cutting import Cut
from aedetect.scoring.spread.judging import BucketItem
from aedetect.scoring.spread.spread import Spreading, spread_session, why_not_spread
from aedetect.scoring.suppression import FlaggedRows, Reason, SeenRows, Suppression

RESULTS = ("scores", "p_values", "flagged", "unscorable", "warmup", "events", "attribution")


@cache
def model(threads: int = 1, zone: str | None = None, **options: Any) -> FittedModel:
    given = {
        "scoring.batch_rows": 200,
        "series.time": "time",
        "series.entity": ["machine"],
        "series.window": 24,
        "series.silence": 7200,
        "training.epochs": 1,
        "training.device": "cpu",
    }
    if zone is not None:
        given["series.time_zone"] = zone
    return Detector({**given, **options}).fit(counted(readings(8, 3))).fitted


def counted(frame: pd.DataFrame) -> pd.DataFrame:
    """With a counter of its own on each machine."""
    growth = pd.Series(np.random.default_rng(1).integers(1, 9, len(frame)))
    return frame.assign(sent=growth.groupby(frame["machine"]).cumsum())


def new_rows(start: str = "2026-02-01") -> pd.DataFrame:
    """Machines side by side, one never learned: a stuck one, gaps, gross and missing cells and times.

    One machine has a single row, and some rows are of none.
    """
    frame = broken(counted(readings(4, 4, seed=5, start=start)), 200, 260)
    frame.loc[700, "temp"] = 1e9
    frame.loc[900, "load"] = np.inf
    frame.loc[950:960, "load"] = np.nan
    frame.loc[1000, "time"] = pd.NaT
    frame.loc[1010, "machine"] = "only once"
    frame.loc[1200:1240, "machine"] = None
    frame = frame.drop(index=[*range(1300, 1700), 300])
    return frame.sort_values("time", kind="stable").reset_index(drop=True)


def inputs_of(fitted: FittedModel, *frames: pd.DataFrame) -> list[TableInput]:
    read = [source for frame in frames for source in as_inputs(frame, fitted.config.data)]
    return [TableInput(source.table, f"part-{place}") for place, source in enumerate(read)]


def said(session: ScoringSession, sources: Sequence[Input]) -> dict[str, Any]:
    """Everything that a session says."""
    together: dict[str, Any] = {}
    for source in sources:
        first, parts, reasons = 0, [], {}
        try:
            for rows in source.open(150).batches():
                scores = session.score(source, NumberedBatch(first, rows))
                parts.append(scores)
                reasons |= {first + place: why for place, why in scores.reasons.items()}
                first += len(rows)
        except (DataError, ModelError) as error:
            together[source.name] = str(error)
            continue
        for name in RESULTS if parts else ():
            together[f"{source.name} {name}"] = np.concatenate([getattr(part, name) for part in parts])
        tails = {name: context.to_bytes() for name, context in session.tails(source).items()}
        together[f"{source.name} said"] = session.warnings(source), reasons, list(tails.items())
    events = session.events()
    assert events is not None
    finder = session.silences()
    assert finder is not None
    together["events"] = events.to_pylist(), str(events.schema)
    together["more"] = (
        session.muted_event_count, session.adopted_states(), finder.silences(), finder.ended()
    )  # fmt: skip
    return together


def assert_same(spread: dict[str, Any], alone: dict[str, Any]) -> None:
    assert list(spread) == list(alone)
    for name, one in alone.items():
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(spread[name], one, err_msg=name)
            assert spread[name].dtype == one.dtype
        else:
            assert spread[name] == one, name


def compared(
    sources: Sequence[Input],
    load: Callable[[int], FittedModel] = model,
    prior: PriorRows | None = None,
    mute: Callable[[FittedModel], Suppression] | None = None,
    buckets: int = 3,
) -> dict[str, Any]:
    """What is said where series are spread, which must be what is said on one machine."""
    fitted, prior = load(1), prior or PriorRows()
    alone = said(SeriesScorer(fitted).open(sources, prior, mute(fitted) if mute else None), sources)
    spreading = Spreading(PretendCluster(), load, mute, buckets=buckets)
    with spread_session(fitted, sources, prior, spreading, mute(fitted) if mute else None) as session:
        spread = said(session, sources)
    assert_same(spread, alone)
    return spread


@pytest.mark.parametrize("buckets", [1, pytest.param(3, marks=pytest.mark.slow), 40])
def test_all_that_is_said_is_the_same(buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "RUN_BYTES", 20_000)
    frame = new_rows()
    spread = compared(inputs_of(model(1), frame[400:900], frame[900:]), buckets=buckets)
    assert any(event["kind"] == "anomaly" for event in spread["events"][0])
    assert any(event["kind"] == "silence" for event in spread["events"][0])


def test_a_history_goes_before() -> None:
    frame = new_rows()
    history, *sources = inputs_of(model(1), frame[:400], frame[400:900], frame[900:])
    compared(sources, prior=PriorRows([history]))


@pytest.mark.parametrize("late", [False, True], ids=["in order", "one file late"])
def test_what_earlier_runs_left_is_taken_up(late: bool) -> None:
    frame = new_rows()
    first = inputs_of(model(1), frame[:500], frame[500:900])
    session = SeriesScorer(model(1)).open(first, PriorRows(tails={}))
    tails: dict[Any, SeriesContext] = {}
    for source in first:
        tails |= session.tails(source)
    begin = 700 if late else 900
    compared(
        inputs_of(model(1), frame[begin:1500], frame[1500:]), prior=PriorRows(tails=tails, earlier=first[1:])
    )
    compared(first, prior=PriorRows(tails={}))


@pytest.mark.slow
def test_the_hour_that_autumn_repeats_is_settled_by_the_rows_before() -> None:
    frame = new_rows(start="2026-10-24")
    instants = frame["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    frame["time"] = instants.dt.tz_localize(None).astype(str).replace("NaT", None)
    load = partial(model, zone="Europe/Berlin")
    # Cuts within the hour, and a file with the newest rows first.
    cuts = [0, 570, 600, 620, 900, len(frame)]
    frames = [frame[low:high] for low, high in pairwise(cuts)]
    sources = inputs_of(load(1), *frames[:-1], frames[-1][::-1])
    compared(sources, load)
    session = SeriesScorer(load(1)).open(sources[:3], PriorRows(tails={}))
    tails = {name: one for source in sources[:3] for name, one in session.tails(source).items()}
    compared(sources[3:], load, PriorRows(tails=tails))


def test_inputs_that_cannot_be_read_fail_alone() -> None:
    frame = new_rows()
    bad = frame[400:900].assign(time="no time")
    short = frame[900:].drop(columns="load")
    spread = compared(inputs_of(model(1), frame[:400], bad, short, frame[900:]))
    assert "no cell can be read as a timestamp" in spread["part-1"]
    assert "part-2" in spread


def test_none_can_be_read_or_none_has_rows() -> None:
    frame = new_rows()
    compared(inputs_of(model(1), frame[:400].assign(time="no time")))
    compared(inputs_of(model(1), frame[:400], frame[:0]))


def test_a_history_that_cannot_be_read_is_an_error() -> None:
    frame = new_rows()
    history, source = inputs_of(model(1), frame[:400].assign(time="no time"), frame[400:])
    with (
        pytest.raises(DataError, match=r"^part-0: column 'time': no cell can be read as a timestamp$"),
        spread_session(model(1), [source], PriorRows([history]), Spreading(PretendCluster(), model)),
    ):
        pass


class Machine:
    """Mutes the rows of one machine, and tells which inputs have rows of how many machines."""

    def __init__(self) -> None:
        self._seen: dict[int, set[str]] = {}

    def reasons(self, flagged: FlaggedRows) -> Sequence[Reason | None]:
        assert flagged.series is not None
        muted = flagged.series.entity["machine"] == "m0"
        return [Reason("rule", "m0", "in repair") if muted else None for _ in range(len(flagged))]

    def watch(self, rows: SeenRows) -> None:
        self._seen.setdefault(id(rows.source), set()).add(rows.entity["machine"])

    def notices(self, source: Input) -> list[str]:
        return [f"{source.name}: {len(self._seen.get(id(source), ()))} machines"]

    def seen(self, source: Input) -> set[str] | None:
        return self._seen.get(id(source))

    def take(self, source: Input, seen: set[str]) -> None:
        self._seen.setdefault(id(source), set()).update(seen)


def muting(fitted: FittedModel) -> Suppression:
    machine = Machine()
    return Suppression([machine], [machine])


def test_rows_are_muted_and_what_watches_them_is_told_of_all_series() -> None:
    frame = new_rows()
    spread = compared(inputs_of(model(1), frame[400:900], frame[900:]), mute=muting)
    assert spread["more"][0] > 0
    assert spread["part-0 said"][0][-1] == "part-0: 4 machines"


def stepped(days: float) -> pd.DataFrame:
    """Machines whose temperature shifts for good, one after the other."""
    frame = readings(days, 6, seed=7, start="2026-02-01")
    for number in range(6):
        rows = frame.index[frame["machine"] == f"m{number}"]
        frame.loc[rows[150 + 40 * number :], "temp"] += 30 + number
    return counted(frame).sort_values("time", kind="stable").reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"series.adopt_after": "12h"}], ids=["adapts", "adopts"])
def test_what_lasts_counts_as_normal_after_a_while(options: dict[str, Any]) -> None:
    frame = stepped(8)
    load = partial(model, **options)
    history, *sources = inputs_of(load(1), frame[:1300], frame[1300:2600], frame[2600:])
    spread = compared([history, *sources], load, buckets=4)
    assert len(spread["more"][1]) >= 4
    texts = [text for place in range(3) for text in spread[f"part-{place} said"][0]]
    assert any("lasted and counts as normal" in text for text in texts)
    compared(sources, load, PriorRows([history]), buckets=4)


@cache
def long_model(threads: int = 1) -> FittedModel:
    given = {
        "scoring.batch_rows": 200,
        "series.time": "time",
        "series.entity": ["machine"],
        "series.series_name": "sensor",
        "series.value": "reading",
        "series.window": 24,
        "training.epochs": 1,
        "training.device": "cpu",
    }
    return Detector(given).fit(long_rows(readings(8, 3))).fitted


def long_rows(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame.drop(columns="open").melt(["time", "machine"], var_name="sensor", value_name="reading")
    return rows.sort_values(["time", "machine"], kind="stable", ignore_index=True)


def test_long_tables_have_a_reading_a_row() -> None:
    rows = long_rows(broken(readings(4, 4, seed=5, start="2026-02-01"), 200, 260))
    rows.loc[100, "sensor"] = "unknown"
    rows.loc[[200, 300], "time"] = rows["time"][199]
    sources = inputs_of(long_model(1), rows[:1000], rows[1000:2200], rows[2200:])
    spread = compared(sources, long_model)
    assert any("unknown" in text for text in spread["part-0 said"][0])
    assert any("repeat" in text for text in spread["part-0 said"][0])


@pytest.mark.slow
@pytest.mark.parametrize("zone", [pytest.param(None, marks=pytest.mark.slow), "Europe/Berlin"])
def test_a_large_file_is_cut_span_by_span(
    zone: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divided, "LEAST_BYTES", 1)
    monkeypatch.setattr(divided, "SPAN_ROWS", 500)
    frame = new_rows(start="2026-10-24")
    paths = [str(tmp_path / f"{name}.parquet") for name in ("large", "late", "timeless")]
    for path, rows in zip(paths, (frame[200:], frame[:200], frame[:900].assign(time=pd.NaT)), strict=True):
        rows.to_parquet(path, row_group_size=90)
    sources = open_inputs(paths[:2], ReadOptions())
    assert len(divided.large_spans(sources[0])) == 4
    load = partial(model, zone=zone)
    compared(sources, load)
    compared(open_inputs(paths, ReadOptions()), load)
    table = pq.read_table(paths[0])
    bad = table.slice(600, 900).set_column(0, "time", pa.array(["never"] * 900))
    pq.write_table(bad, paths[2], row_group_size=90)
    spread = compared(open_inputs(paths, ReadOptions()), load)
    assert "no cell can be read as a timestamp" in spread[paths[2]]


def test_names_may_be_numbers_in_one_file_and_text_in_another() -> None:
    frame = new_rows()
    frame["machine"] = frame["machine"].str.replace(r"\D", "", regex=True).replace("", None)
    numbers = frame[400:900].assign(machine=frame["machine"][400:900].astype("Int64"))
    compared(inputs_of(model(1), frame[:400], numbers, frame[900:]))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_rows_in_any_order_are_judged_alike(data: st.DataObject) -> None:
    frame = new_rows()
    rows = data.draw(st.integers(0, len(frame)))
    seed = data.draw(st.integers(0, 99))
    order = np.random.default_rng(seed).permutation(len(frame))[:rows]
    if data.draw(st.booleans()):
        order = np.sort(order)
    if data.draw(st.booleans()):
        order = np.r_[order, order[: len(order) // 4]]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=3)))
    frames = [frame.iloc[part] for part in np.split(order, cuts)]
    compared(inputs_of(model(1), *frames), buckets=data.draw(st.integers(1, 6)))


def dying(kind: type, lost: int) -> PretendCluster:
    """Gives up the item number `lost` of a pass, whose items are of that kind."""
    numbers = count()
    return PretendCluster(lambda item: isinstance(item, kind) and next(numbers) == lost)


def test_an_input_that_kills_workers_fails_and_the_rest_goes_on() -> None:
    frame = new_rows()
    first, lost, last = inputs_of(model(1), frame[:400], frame[400:900], frame[900:])
    alone = said(SeriesScorer(model(1)).open([first, last]), [first, last])
    with spread_session(
        model(1), [first, lost, last], PriorRows(), Spreading(dying(Cut, 1), model, buckets=3)
    ) as session:
        assert_same(said(session, [first, last]), alone)
        with pytest.raises(DataError, match=r"^part-1: left out: 3 workers ended over it, one after the"):
            session.score(lost, NumberedBatch(0, next(iter(lost.open(10).batches()))))


def test_series_that_kill_workers_are_an_error(tmp_path: Path) -> None:
    spreading = Spreading(dying(BucketItem, 1), model, folder=str(tmp_path), buckets=3)
    with (
        pytest.raises(OutputError, match=r"^3 workers ended over the same series, one after the other"),
        spread_session(model(1), inputs_of(model(1), new_rows()), PriorRows(), spreading),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    spreading = Spreading(PretendCluster(), model, folder=str(tmp_path / "none"))
    with (
        pytest.raises(OutputError, match="its folder does not exist"),
        spread_session(model(1), inputs_of(model(1), new_rows()), PriorRows(), spreading),
    ):
        pass


def test_files_that_have_gone_are_an_error(tmp_path: Path) -> None:
    sources = inputs_of(model(1), new_rows())
    spreading = Spreading(PretendCluster(), model, folder=str(tmp_path), buckets=2)
    with spread_session(model(1), sources, PriorRows(), spreading) as session:
        for path in tmp_path.rglob("bucket-*"):
            path.unlink()
        with pytest.raises(OutputError, match="what workers have left there cannot be read: No such file"):
            session.score(sources[0], NumberedBatch(0, next(iter(sources[0].open(10).batches()))))


def test_one_series_is_not_spread() -> None:
    one = Detector({"series.time": "time", "series.window": 24, "training.epochs": 1}).fit(
        readings(8).drop(columns="machine")
    )
    assert "--entity" in str(why_not_spread(one.fitted, []))
    assert why_not_spread(model(1), inputs_of(model(1), new_rows())) is None
