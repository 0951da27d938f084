"""encode, decode, clean, impute and sample through the Python API."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from support.tables import tiny_frame

from aedetect import Detector, load
from aedetect.errors import DataError, ModelError, UsageError


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector({"training.folds": 2, "training.device": "cpu", "training.epochs": 40}).fit(learned())


def learned(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """`load` follows `temp`, `children` are whole, and each site has its own number of them."""
    frame = tiny_frame(rows, seed)
    sites = frame["site"].map({"north": 0, "south": 4, "west": 9})
    return frame.assign(children=sites + np.random.default_rng(seed).integers(0, 2, rows))


def gappy(frame: pd.DataFrame, share: float, seed: int = 0) -> pd.DataFrame:
    return frame.mask(np.random.default_rng(seed).random(frame.shape) < share)


def test_codes_lead_back_to_rows(detector: Detector) -> None:
    rows = learned(100, seed=1)
    codes = detector.encode(rows)
    size = detector.fitted.auxiliary.codes.size
    assert list(codes) == [f"z{index}" for index in range(size)]
    back = detector.decode(codes)
    assert list(back) == list(rows)
    assert (back["site"] == rows["site"]).mean() > 0.9
    assert (back["temp"] - rows["temp"]).std() < 0.5 * rows["temp"].std()
    assert back["children"].dtype == "int64"


def test_the_size_of_a_code_is_as_asked_for() -> None:
    settings = {"model.latent_dim": 2, "training.epochs": 1, "training.folds": 2}
    assert list(Detector(settings).fit(learned(100)).encode(learned(3))) == ["z0", "z1"]
    with pytest.raises(UsageError, match=r"^model.latent_dim = 99: .* choose at most \d+$"):
        Detector({**settings, "model.latent_dim": 99}).fit(learned(100))


@pytest.mark.parametrize("job", ["encode", "clean", "impute"])
def test_a_row_does_not_depend_on_those_around_it(detector: Detector, job: str) -> None:
    rows = gappy(learned(300, seed=2), 0.2)
    whole = getattr(detector, job)(rows)
    alone = [getattr(detector, job)(rows[start : start + 50]) for start in range(0, 300, 50)]
    pd.testing.assert_frame_equal(whole, pd.concat(alone, ignore_index=True))


def test_a_saved_model_does_the_same(detector: Detector, tmp_path) -> None:
    detector.save(tmp_path / "m.aed")
    other = load(tmp_path / "m.aed")
    rows = gappy(learned(50, seed=3), 0.2)
    for job in ("encode", "clean", "impute"):
        pd.testing.assert_frame_equal(getattr(other, job)(rows), getattr(detector, job)(rows))
    pd.testing.assert_frame_equal(other.sample(20, seed=1), detector.sample(20, seed=1))


def test_filled_cells_follow_from_the_others_and_observed_ones_stay(detector: Detector) -> None:
    rows = learned(200, seed=4)
    gaps = gappy(rows, 0.2)
    filled = detector.impute(gaps, mark=True)
    hidden = gaps.isna()
    assert not filled[list(rows)].isna().any().any()
    for name in rows:
        assert (filled[name] == rows[name])[~hidden[name]].all()
    off = (filled["load"] - rows["load"])[hidden["load"] & ~hidden["temp"]]
    assert off.std() < 0.4 * rows["load"].std()
    assert (filled["site"] == rows["site"])[hidden["site"] & ~hidden["children"]].mean() > 0.9
    assert (filled["children"] % 1 == 0).all()
    marked = filled["imputed"].fillna("[]").map(lambda text: set(json.loads(text)))
    assert marked.tolist() == [set(hidden.columns[row]) for row in hidden.to_numpy()]


def typed(rows: int, seed: int) -> pd.DataFrame:
    """Columns of every type; those of text follow from `kind`."""
    random = np.random.default_rng(seed)
    kind = random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, rows), unit="D")
    return pd.DataFrame(
        {
            "kind": kind,
            "zip": pd.Series(kind).map({"a": "01067", "b": "08056", "c": "20095"}),
            "big": 2**60 + random.integers(0, 1000, rows) * 2**40,
            "day": days.strftime("%Y-%m-%d"),
            "when": days + pd.to_timedelta(random.integers(0, 86400, rows), unit="s"),
            "floor": 7,
            "site": "v1.0",
        }
    )


@pytest.fixture(scope="module")
def of_types() -> Detector:
    settings = {"training.folds": 2, "training.device": "cpu", "training.epochs": 5}
    return Detector({**settings, "data.roles": {"big": "numeric"}}).fit(typed(300, 0))


def test_types_survive(of_types: Detector) -> None:
    rows = typed(40, 1)
    gaps = rows.astype({"big": "Int64", "floor": "Int64"}).copy()
    for index, name in enumerate(rows):
        gaps.loc[gaps.index % 7 == index, name] = None
    for found in (of_types.impute(gaps), of_types.decode(of_types.encode(rows)), of_types.sample(40)):
        assert found.dtypes[["big", "floor"]].tolist() == ["int64", "int64"]
        assert found["big"].between(2**60, 2**60 + 2**50).all()
        assert set(found["zip"]) <= {"01067", "08056", "20095"}
        assert found["day"].astype(str).str.fullmatch("2024-[0-9]{2}-[0-9]{2}").all()
        assert found["when"].dtype.kind == "M"
        assert set(found["floor"]) == {7}
        assert set(found["site"]) == {"v1.0"}
    filled, seen = of_types.impute(gaps), gaps.notna()
    assert (filled["big"] == rows["big"])[seen["big"]].all()
    assert of_types.clean(rows)["big"].dtype == "int64"


def test_a_column_without_any_value_is_filled(of_types: Detector) -> None:
    rows = typed(10, 2)
    filled = of_types.impute(rows.assign(zip=None, big=None, when=None))
    assert set(filled["zip"]) <= {"01067", "08056", "20095"}
    assert (filled["big"].dtype, filled["when"].dtype.kind) == ("int64", "M")


@pytest.mark.slow
def test_rows_with_many_equals_are_filled_like_these() -> None:
    """A row must not learn that rows equal to it, itself among them, are none of its kind."""
    kinds = pd.DataFrame(
        [
            ("tcp", "http", "yes"),
            ("tcp", "smtp", "yes"),
            ("tcp", "other", "no"),
            ("udp", "domain", "no"),
            ("udp", "other", "no"),
            ("icmp", "ping", "no"),
        ],
        columns=["protocol", "service", "login"],
    )
    shares = [0.6, 0.1, 0.05, 0.15, 0.05, 0.05]
    rows = kinds.sample(1200, replace=True, weights=shares, random_state=0, ignore_index=True)
    settings = {"training.fold_below": 0, "training.device": "cpu"}
    filled = Detector(settings).fit(rows).impute(kinds.assign(service=pd.Series([None] * 6, dtype="str")))
    assert filled["service"].tolist() == ["http", "http", "other", "domain", "domain", "ping"]


def test_draws_are_plausible_and_differ(detector: Detector) -> None:
    rows = learned(40, seed=5)
    gaps = rows.assign(temp=np.nan)
    drawn = detector.impute(gaps, draws=5)
    assert drawn["draw"].tolist() == [1, 2, 3, 4, 5] * 40
    assert (drawn["load"].to_numpy() == np.repeat(rows["load"].to_numpy(), 5)).all()
    spread = drawn["temp"].to_numpy().reshape(40, 5).std(axis=1)
    assert 0 < np.median(spread) < rows["temp"].std()
    pd.testing.assert_frame_equal(drawn, detector.impute(gaps, draws=5))
    assert not drawn.equals(detector.impute(gaps, draws=5, seed=1))
    with pytest.raises(UsageError, match="^draws = 0: must be from 1 to 1,000$"):
        detector.impute(gaps, draws=0)


def test_noise_is_removed(detector: Detector) -> None:
    rows = learned(400, seed=6)
    spread = rows[["temp", "load"]].std()
    noise = (
        pd.DataFrame(np.random.default_rng(0).standard_normal((400, 2)), columns=spread.index) * spread / 2
    )
    noisy = rows.assign(**(rows[["temp", "load"]] + noise))
    cleaned = detector.clean(noisy, noise=0.5)
    for name in ("temp", "load"):
        assert (cleaned[name] - rows[name]).std() < 0.8 * noise[name].std()
    assert (cleaned["open"] == rows["open"]).all()
    with pytest.raises(UsageError, match="^noise = 7: must lie between 0 and 1$"):
        detector.clean(rows, noise=7)


def test_what_no_row_can_have_is_put_right(detector: Detector) -> None:
    rows = learned(20, seed=7)
    spoiled = rows.copy()
    spoiled.loc[3, "site"] = "mars"
    spoiled.loc[4, "load"] = np.inf
    spoiled.loc[5, "temp"] = 1e6
    cleaned = detector.clean(spoiled)
    assert cleaned["site"].tolist() == rows["site"].tolist()
    assert cleaned.loc[4, "load"] == pytest.approx(rows.loc[4, "load"], abs=0.5 * rows["load"].std())
    assert cleaned.loc[5, "temp"] == pytest.approx(rows.loc[5, "temp"], abs=2 * rows["temp"].std())
    assert cleaned.drop(index=[3, 4, 5]).equals(rows.drop(index=[3, 4, 5]))


def test_only_the_cells_to_blame_are_repaired(detector: Detector) -> None:
    rows = learned(50, seed=8)
    spoiled = rows.copy()
    spoiled.loc[9, "load"] = 500.0
    repaired = detector.clean(spoiled, only_anomalous_cells=True)
    assert abs(repaired.loc[9, "load"] - rows.loc[9, "load"]) < rows["load"].std()
    flagged = detector.score(spoiled)["is_anomaly"]
    assert flagged[9]
    pd.testing.assert_frame_equal(repaired[~flagged], spoiled[~flagged])


def test_new_rows_keep_types_ranges_and_relations(detector: Detector) -> None:
    rows = learned()
    drawn = detector.sample(1000, seed=1)
    assert list(drawn) == list(rows)
    assert drawn["children"].dtype == "int64"
    assert drawn["temp"].between(rows["temp"].min(), rows["temp"].max()).all()
    assert set(drawn["site"]) == {"north", "south", "west"}
    assert np.corrcoef(drawn["temp"], drawn["load"])[0, 1] > 0.9
    shares = drawn["site"].value_counts(normalize=True) - rows["site"].value_counts(normalize=True)
    assert shares.abs().max() < 0.06
    west = detector.sample(50, where={"site": "west"})
    assert (west["site"] == "west").all()
    assert west["children"].between(9, 10).all()


def test_new_rows_are_no_copies(detector: Detector) -> None:
    frames = (learned(), learned(400, seed=9), detector.sample(400))
    rows, fresh, drawn = (frame[["temp", "load"]] for frame in frames)

    def apart(others: pd.DataFrame) -> float:
        between = ((others.to_numpy()[:, None] - rows.to_numpy()) / rows.std().to_numpy()) ** 2
        return float(np.median(np.sqrt(between.sum(axis=2).min(axis=1))))

    assert apart(drawn) > 0.8 * apart(fresh)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"temp": "20"}, "'temp' is no column of categories"),
        ({"site": "mars"}, "the model knows no such category"),
    ],
)
def test_conditions_that_nothing_meets(detector: Detector, where: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        detector.sample(5, where=where)


def test_data_that_do_not_fit(detector: Detector) -> None:
    rows = learned(5)
    with pytest.raises(ModelError, match="column 'temp' is missing"):
        detector.impute(rows.drop(columns="temp"))
    with pytest.raises(ModelError, match="has no column 'z0'"):
        detector.decode(rows)
    with pytest.raises(DataError, match="a code is no number"):
        detector.decode(detector.encode(rows).astype(str).assign(z0="x"))
    with pytest.raises(DataError, match="no cell can be read as numeric"):
        detector.clean(rows.assign(temp="x"))
    with pytest.raises(UsageError, match="N = 0: must be at least 1"):
        detector.sample(0)


@pytest.mark.slow
def test_new_rows_lack_cells_as_often_and_where_the_training_rows_do() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"temp": random.normal(size=900), "load": random.gamma(2, 3, 900)})
    frame["site"] = np.where(random.random(900) < 0.3, "north", "south")
    frame.loc[random.random(900) < 0.6, "load"] = np.nan
    # A thermometer that only one site has.
    frame.loc[frame["site"] == "north", "temp"] = np.nan
    drawn = Detector().fit(frame).sample(1500)
    assert drawn["load"].isna().mean() == pytest.approx(0.6, abs=0.05)
    assert drawn["temp"].isna().mean() == pytest.approx(0.3, abs=0.05)
    assert drawn.loc[drawn["site"] == "north", "temp"].isna().mean() > 0.95
    assert drawn.loc[drawn["site"] == "south", "temp"].isna().mean() < 0.05
    assert not drawn["site"].isna().any()
