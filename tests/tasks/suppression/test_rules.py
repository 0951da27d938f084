"""Rules: an alarm is muted where every column to blame is ruled out, by what `explain` says was expected."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from support.sensors import broken, readings

from aedetect import Detector, Muting
from aedetect.errors import UsageError
from aedetect.io.inputs import as_inputs
from aedetect.scoring.series import SeriesScorer

QUICK = {"training.epochs": 4, "training.folds": 2, "training.device": "cpu"}


def normal(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "no": [f"r{number}" for number in range(rows)],
            "host": random.choice(["web-1", "web-2", "db-1"], rows),
            "temp": random.normal(20, 2, rows).round(2),
            "power": random.normal(100, 5, rows).round(1),
        }
    )


@cache
def table() -> Detector:
    return Detector({**QUICK, "data.id": ["no"]}).fit(normal())


def odd_table() -> pd.DataFrame:
    """Power is far off in six rows, above in three of them; both are in the seventh."""
    frame = normal(80, seed=3)
    frame.loc[[5, 15, 25], "power"] = [160.0, 180.0, 300.0]
    frame.loc[[35, 45, 55], "power"] = [40.0, 20.0, 10.0]
    frame.loc[65, ["temp", "power"]] = [60.0, 20.0]
    return frame


def muted(*rules: object) -> list[int]:
    found = table().score(odd_table(), muting=Muting(rules=list(rules)))  # type: ignore[arg-type]
    assert found["is_anomaly"].sum() + (found["anomaly_status"] == "muted").sum() == flagged().sum()
    return [row for row in found.index[found["anomaly_status"] == "muted"].tolist() if row in FAR]


LEARNED = "temp, power, host"
FAR = (5, 15, 25, 35, 45, 55, 65)


@cache
def flagged() -> pd.Series:
    found = table().score(odd_table())["is_anomaly"].astype(bool)
    assert found[list(FAR)].all()
    return found


def blamed(row: int) -> list[str]:
    return list(json.loads(table().score(odd_table())["anomaly_features"][row]))


def test_a_direction_counts_on_its_side_alone() -> None:
    assert blamed(35) == ["power"]
    assert muted("power above") == [35, 45, 55]
    assert muted("power below") == [5, 15, 25]


def test_a_change_counts_from_its_least_size_on() -> None:
    assert muted("power least=70") == [5, 35]
    assert muted("power least=70%") == [5, 35]
    assert muted("power least=150") == [5, 15, 35, 45, 55]
    assert muted("power above least=70") == [5, 35, 45, 55]


def test_an_alarm_is_muted_only_where_every_column_to_blame_is_ruled_out() -> None:
    assert set(blamed(65)) == {"temp", "power"}
    assert 65 not in muted("power never")
    assert 65 in muted("power never", "temp below")
    assert 65 in muted("below least=500")


def test_a_rule_speaks_of_its_scope_alone() -> None:
    hosts = odd_table()["host"]
    web = [row for row in (35, 45, 55) if hosts[row].startswith("web")]
    assert muted("power above where host=web-*") == web
    assert muted({"direction": "above", "columns": "power", "where": {"host": ["web-*", "db-*"]}}) == [
        35,
        45,
        55,
    ]
    assert muted("power above where no=r35,r45") == [35, 45]
    assert muted("power above where no=r35 and host=nowhere") == []


def test_a_missing_value_always_counts() -> None:
    frame = odd_table()
    frame.loc[5, "power"] = np.nan
    before = table().score(frame)
    after = table().score(frame, muting=Muting(rules=["power above least=1000"]))
    assert after["is_anomaly"][5] == before["is_anomaly"][5]


def test_the_reason_says_which_rule_in_the_words_of_explain() -> None:
    muting = Muting(rules=["power above name=hot", "temp least=500"])
    (one,) = table().explain(odd_table(), rows=[36], muting=muting).explained
    reason = one.columns[0]
    assert reason.column == "power"
    assert one.muted is not None
    assert (one.muted.kind, one.muted.name) == ("rule", "hot")
    assert one.muted.text == (
        f"by rule hot: power is {reason.display_value}, where {reason.expected.text} was expected, and it "
        "counts only above that"
    )
    (one,) = table().explain(odd_table(), rows=[66], muting=muting).explained
    assert one.muted.name in ("hot", "2")
    assert "by rule hot: power is 20.0, where " in one.muted.text
    assert "by rule 2: temp is 60.00, where " in one.muted.text
    assert one.muted.text.endswith(("and it counts from a change of 500 on", "and it counts only above that"))


@pytest.mark.parametrize(
    "rule", ["power above", "power below", "power least=75", "power least=75%", "temp above"]
)
def test_no_rule_contradicts_what_explain_says_was_expected(rule: str) -> None:
    muting = Muting(rules=[rule])
    rows = [row + 1 for row in FAR]
    for one in table().explain(odd_table(), rows=rows, muting=muting).explained:
        power = next(reason for reason in one.columns if reason.column == "power")
        away = float(odd_table()["power"][one.row - 1]) - power.expected.value
        counts = {
            "power above": away > 0, "power below": away < 0, "power least=75": abs(away) >= 75,
            "power least=75%": abs(away) >= 0.75 * power.expected.value, "temp above": True,
        }[rule]  # fmt: skip
        if blamed(one.row - 1) == ["power"]:
            assert one.flagged == counts, one.sentence


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("tmp above", "no column named 'tmp' in the model; did you mean 'temp'? There are: " + LEARNED),
        ("x* above", "no column in the model matches 'x*'; there are: temp, power, host"),
        ("no above", "column 'no' is id and not learned, so that no alarm is blamed on it"),
        ("host above", "direction is for numbers, and column 'host' is categorical; of such a column a rule "
         "can say never, or of series least_duration"),
        ("temp above where host=a name=b", "where: no column named 'name' in the model; there are: no, host, "
         "temp, power; name=… as a part of the rule itself goes before where"),
        ("temp above where hst=x", "where: no column named 'hst' in the model; did you mean 'host'? There "
         "are: no, host, temp, power"),
        ("temp above where power=3", "where takes columns of names, and column 'power' is numeric"),
        ("temp least_duration=5m", "least_duration is for time series, and the model's rows are none"),
    ],
)  # fmt: skip
def test_rules_are_held_against_the_model_at_once(rule: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        table().score(odd_table(), muting=Muting(rules=[rule]))
    assert str(error.value) == f"rule {rule!r}: {said}"


def test_of_all_columns_those_that_are_numbers_have_a_direction() -> None:
    frame = odd_table().assign(host="elsewhere")
    found = table().score(frame, muting=Muting(rules=["above least=1000"]))
    host = found["anomaly_features"].dropna().map(lambda text: "host" in json.loads(text))
    assert host.any()
    assert not (found["anomaly_status"][host[host].index] == "muted").any()
    assert (table().score(frame, muting=Muting(rules=["never"]))["is_anomaly"]).sum() == 0


@cache
def series() -> Detector:
    settings = {**QUICK, "series.time": "time", "series.entity": ["machine"], "series.window": 24}
    return Detector(settings).fit(readings(8, 2))


NEW = broken(broken(broken(readings(4, 2, seed=5, start="2026-02-01"), 150, 165), 300, 301), 800, 830)


def events(*rules: str) -> dict[tuple[int, int], float]:
    """The events that are left, by series and number, and how long they last in seconds."""
    muting = Muting(rules=list(rules)).request()
    session = SeriesScorer(series().fitted).open(
        as_inputs(NEW, series().config.data), suppression=muting.build(series().fitted)
    )
    return {
        (one.series, one.number): float(np.ptp(session.seconds[one.rows])) for one in session.found_events
    }


def test_an_event_that_is_shorter_is_no_alarm() -> None:
    every = events()
    assert len({length >= 7200 for length in every.values()}) == 2
    assert events("least_duration=2h") == {name: length for name, length in every.items() if length >= 7200}


def test_an_event_counts_as_it_is_where_it_is_farthest_off() -> None:
    explained, judged = series().explain(NEW, top=20).explained, 0
    for rule in (
        "temp,load above",
        "temp,load below",
        "temp,load least=15",
        "temp,load least=15 where machine=m1",
    ):
        left = events(rule)
        for one in explained:
            name = (int(one.entity["machine"][1:]), one.number)
            to_blame = [one.columns[0], *(each for each in one.columns[1:3] if each.share >= 0.05)]
            if not {each.column for each in to_blame} <= {"temp", "load"}:
                continue
            judged += 1
            counts = [_counts(rule, each) for each in to_blame]
            out_of_scope = "m1" in rule and one.entity["machine"] != "m1"
            assert (name in left) == (out_of_scope or any(counts)), (rule, one.sentence)
    assert judged >= 4


def _counts(rule: str, reason: object) -> bool:
    away = float(reason.seen) - float(reason.expected.partition(" ±")[0])  # type: ignore[attr-defined]
    return {"above": away > 0, "below": away < 0}.get(rule.split()[1], abs(away) >= 15)


def test_the_scope_of_series_are_their_entities() -> None:
    every = events()
    assert set(events("never where machine=m0")) == {name for name in every if name[0] != 0}
    for rule, said in (
        ("never where load=3", "where: no column named 'load' names the model's series; there are: machine"),
        (
            "never where machin=3",
            "where: no column named 'machin' names the model's series; did you mean 'machine'?",
        ),
    ):
        with pytest.raises(UsageError, match=said):
            events(rule)
