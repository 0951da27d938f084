"""The Python API."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from support.tables import tiny_frame

import aedetect
from aedetect import Config, Detector, load
from aedetect.errors import DataError, ModelError, UsageError

QUICK = {"training.epochs": 2, "training.folds": 2, "model.width": 16}


def test_save_and_load_score_alike(tiny_csv, tmp_path):
    detector = Detector(QUICK).fit(tiny_csv)
    detector.save(tmp_path / "m.aed")
    new = tiny_frame(50, seed=1)
    pd.testing.assert_frame_equal(detector.score(new), load(tmp_path / "m.aed").score(new))


def test_all_kinds_of_data_score_alike(tiny_model, tmp_path):
    frame = tiny_frame(50, seed=1)
    frame.to_csv(tmp_path / "new.csv", index=False)
    detector = load(tiny_model)
    expected = detector.score(frame).anomaly_score
    table = pa.Table.from_pandas(frame)
    for data in (tmp_path / "new.csv", [str(tmp_path / "new.csv")]):
        pd.testing.assert_series_equal(detector.score(data).anomaly_score, expected)
    assert detector.score(table).column("anomaly_score").to_pylist() == expected.tolist()


def test_same_seed_same_scores(tiny_csv):
    first, second = (Detector(QUICK).fit(tiny_csv).score(tiny_csv) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    other = Detector({**QUICK, "training.seed": 1}).fit(tiny_csv).score(tiny_csv)
    assert not other.anomaly_score.equals(first.anomaly_score)


def test_fitting_leaves_torch_as_it_was(tiny_csv):
    torch.manual_seed(7)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    Detector(QUICK).fit(tiny_csv).score(tiny_csv)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_finds_a_broken_relation():
    """`load` follows `temp`: a row with both values common and their relation broken is flagged."""
    detector = Detector({"threshold.alert_rate": 0.02, "training.epochs": 30}).fit(tiny_frame(600))
    new = tiny_frame(100, seed=1)
    new.loc[7, ["temp", "load"]] = [16.0, 52.0]
    found = detector.score(new)
    assert found.anomaly_score.idxmax() == 7
    assert found.is_anomaly[7]
    assert "load" in found.anomaly_features[7] or "temp" in found.anomaly_features[7]
    assert found.is_anomaly.sum() < 12


@pytest.mark.parametrize("value", [200.0, -1e30])
def test_one_wild_number_among_many_columns_is_flagged_and_blamed(value):
    random = np.random.default_rng(0)
    rows = random.normal(size=(330, 6)) @ random.normal(size=(6, 90)) + random.normal(size=(330, 90))
    normal = pd.DataFrame(rows, columns=[f"x{number}" for number in range(90)])
    detector = Detector(QUICK).fit(normal[:300])
    new = normal[300:].reset_index(drop=True)
    new.loc[4, "x17"] = value
    found = detector.score(new)
    assert found.anomaly_score.idxmax() == 4
    assert found.anomaly_score[4] > detector.fitted.out_of_range_score
    assert next(iter(json.loads(found.anomaly_features[4]))) == "x17"


@pytest.mark.slow
def test_an_unseen_category_and_a_moved_constant_are_noticed():
    normal = tiny_frame(600).assign(unit="C")
    detector = Detector({"training.epochs": 60}).fit(normal)
    new = tiny_frame(20, seed=1).assign(unit="C")
    new.loc[3, "site"] = "atlantis"
    new.loc[5, "unit"] = "F"
    found = detector.score(new)
    assert found.is_anomaly[5]
    assert found.anomaly_features[5].startswith('{"unit"')
    assert "site" in str(found.anomaly_features[3])
    assert np.isfinite(found.anomaly_score).all()


def test_infinite_numbers_are_flagged_in_full(tiny_model):
    new = tiny_frame(4, seed=1)
    new["load"] = [np.inf, -np.inf, 1e300, -1e300]
    found = load(tiny_model).score(new)
    assert found.is_anomaly.all()
    assert np.isfinite(found.anomaly_score).all()


def test_thresholds_can_be_overridden(tiny_model):
    detector = load(tiny_model)
    new = tiny_frame(100, seed=1)
    assert detector.score(new, threshold=-1.0).is_anomaly.all()
    rates = [detector.score(new, alert_rate=rate).is_anomaly.sum() for rate in (0.001, 0.1, 0.9)]
    assert rates == sorted(rates)
    assert rates[0] < rates[2]
    with pytest.raises(UsageError, match="^alert rate 1.5: must lie between 0 and 1$"):
        detector.score(new, alert_rate=1.5)
    with pytest.raises(UsageError, match="^threshold nan: must be a finite number$"):
        detector.score(new, threshold=float("nan"))


def test_cross_conformal_below_a_row_count_and_split_above(tiny_csv):
    few = Detector(QUICK).fit(tiny_csv)
    assert (few.training.calibration, len(few.fitted.calibration.scores)) == ("cross-conformal", 200)
    many = Detector({**QUICK, "training.fold_below": 100}).fit(tiny_csv)
    assert (many.training.calibration, len(many.fitted.calibration.scores)) == ("split-conformal", 40)


@pytest.mark.slow
def test_the_streamed_path_is_as_good_as_the_one_in_memory():
    frame = tiny_frame(60_000).assign(note=1.5)
    settings = {"training.epochs": 1, "data.memory_mb": 1}
    wide = pd.concat([frame[["temp", "load"]].add_suffix(str(index)) for index in range(5)], axis=1)
    detector = Detector(settings).fit(wide)
    assert detector.fitted.training.members[0].rows < 54_000
    new = wide.head(20).copy()
    new.loc[3, "load2"] = 200.0
    assert detector.score(new).anomaly_score.idxmax() == 3


def test_labelled_anomalies_are_left_out(tiny_csv):
    frame = tiny_frame().assign(fraud=["yes" if index < 5 else "no" for index in range(200)])
    detector = Detector({**QUICK, "data.label": "fraud"}).fit(frame)
    assert detector.fitted.training.rows == 195
    assert detector.fitted.training.rows_left_out["labelled"] == 5
    assert "fraud" not in detector.fitted.columns


def test_an_unfitted_detector_says_so():
    with pytest.raises(UsageError, match="^this Detector is not fitted yet; call fit, or load a model file$"):
        _ = Detector().threshold


def test_wrong_data_is_refused(tiny_model):
    with pytest.raises(UsageError, match="^data must be a DataFrame, an Arrow table, .*, not dict$"):
        load(tiny_model).score({})
    with pytest.raises(ModelError, match="^data: column 'load' is missing, which the model was trained on"):
        load(tiny_model).score(tiny_frame(3).drop(columns="load"))
    with pytest.raises(DataError, match="^the column name 'temp' appears twice in the DataFrame"):
        load(tiny_model).score(pd.concat([tiny_frame(3), tiny_frame(3)[["temp"]]], axis=1))


def test_config_comes_as_object_mapping_or_file(tmp_path):
    (tmp_path / "c.toml").write_text("[training]\nepochs = 7\n")
    for given in (
        Config.build(overrides={"training.epochs": 7}),
        {"training.epochs": 7},
        tmp_path / "c.toml",
    ):
        assert Detector(given).config.training.epochs == 7


def test_public_names_are_lazy():
    assert set(dir(aedetect)) == {"Config", "Detector", "Muting", "__version__", "load", "tune"}
    with pytest.raises(AttributeError, match="^module 'aedetect' has no attribute 'x'$"):
        _ = aedetect.x


def test_rows_equal_to_the_one_at_the_threshold_are_not_flagged():
    """In a table of few categories many rows score alike: rounding must not flag them all."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.choice(list("abc"), (3000, 2), p=[0.8, 0.15, 0.05]), columns=["x", "y"])
    detector = Detector({**QUICK, "threshold.alert_rate": 0.05}).fit(frame)
    found = detector.score(frame)
    assert found.is_anomaly.mean() <= 0.07
    assert found.anomaly_score.isin(detector.fitted.calibration.scores).all()
