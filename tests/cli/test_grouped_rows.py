"""Every command on rows that belong to groups: `train --group` and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.prompt import Prompt
from support.tables import dropped, regions_frame

import aedetect
from aedetect.scoring.model_file import read_model_file

TRAIN = ("--epochs", "3", "--alert-rate", "0.05")
QUICK = (*TRAIN, "--architecture", "principal")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Models of ten regions: 'grouped', 'learned', which learns the region, too, and 'pooled', without it."""
    folder = tmp_path_factory.mktemp("regions")
    regions_frame().to_csv(folder / "train.csv", index=False)
    asked = {
        "grouped": ("--group", "region"),
        "learned": ("--group", "region", "--role", "region=categorical"),
        "pooled": ("--exclude", "region"),
    }

    def model(name: str) -> bytes:
        path = folder / f"{name}.aed"
        if not path.exists():
            result = Prompt(folder)("train", "train.csv", "-o", path.name, *TRAIN, *asked[name])
            assert result.exit_code == 0, result.output
        return path.read_bytes()

    return model


@pytest.fixture
def at(prompt: Prompt, models: Callable[[str], bytes]) -> Prompt:
    """In a folder with m.aed, fresh normal rows in new.csv, and in bad.csv those of r6, fallen by 80%."""
    prompt.write("m.aed", models("grouped"))
    frame = regions_frame(2000, seed=1)
    frame.to_csv("new.csv", index=False)
    dropped(frame, "r6").to_csv("bad.csv", index=False)
    return prompt


class TestTrain:
    def test_says_what_is_relative_and_what_is_promised_to_whom(self, prompt: Prompt) -> None:
        regions_frame(600, regions=3).to_csv("t.csv", index=False)
        result = prompt("train", "t.csv", "-o", "m.aed", "--group", "region", *QUICK)
        assert result.exit_code == 0
        assert "orders    numeric    whole numbers from" in result.stdout
        assert "seen relative to region" in result.stdout
        assert "rows scoring above the threshold of their group, between " in result.stdout
        assert "are flagged, 5% of normal rows in each of 3 groups\n" in result.stdout
        assert result.stderr == ""

    def test_json_has_the_groups(self, prompt: Prompt) -> None:
        regions_frame(600, regions=3).to_csv("t.csv", index=False)
        groups = prompt.json("train", "t.csv", "-o", "m.aed", "--group", "region", *QUICK)["groups"]
        assert sorted(one["group"] for one in groups) == ["r0", "r1", "r2"]
        assert {one["calibration"] for one in groups} == {"own"}
        assert sum(one["calibration_rows"] for one in groups) == sum(one["rows"] for one in groups) == 600

    def test_time_series_have_entities_instead(self, prompt: Prompt) -> None:
        regions_frame(100).assign(at=range(100)).to_csv("t.csv", index=False)
        result = prompt("train", "t.csv", "-o", "m.aed", "--time", "at", "--group", "region")
        assert result.exit_code == 2
        assert (
            "--group region goes with tables; of time series, --entity region sees each one" in result.output
        )
        assert not Path("m.aed").exists()

    def test_a_column_that_is_not_there(self, prompt: Prompt) -> None:
        regions_frame(100).to_csv("t.csv", index=False)
        result = prompt("train", "t.csv", "-o", "m.aed", "--group", "regoin")
        assert result.exit_code == 2
        assert result.usage() == (
            "--group: no column named 'regoin' in the data; did you mean 'region'? There are: region, "
            "orders, revenue, waiting"
        )

    def test_labels_are_no_groups(self, prompt: Prompt) -> None:
        regions_frame(100).assign(bad=0).to_csv("t.csv", index=False)
        result = prompt("train", "t.csv", "-o", "m.aed", "--group", "bad", "--label", "bad")
        assert result.exit_code == 2
        assert "--group bad: the labels (--label) do not tell groups apart" in result.output

    @pytest.mark.slow
    def test_an_older_model_keeps_its_groups(self, at: Prompt) -> None:
        assert at("train", "new.csv", "-o", "n.aed", "--from", "m.aed", *TRAIN).exit_code == 0
        older, newer = aedetect.load("m.aed"), aedetect.load("n.aed")
        np.testing.assert_array_equal(
            older.fitted.encoder.groups.location, newer.fitted.encoder.groups.location
        )
        assert {one.group: one.threshold for one in older.group_thresholds} != {
            one.group: one.threshold for one in newer.group_thresholds
        }
        result = at("train", "new.csv", "-o", "n.aed", "--from", "m.aed", "--group", "region")
        assert result.exit_code == 2
        assert "--group cannot be changed with --from" in result.output


class TestScore:
    @pytest.mark.slow
    def test_a_drop_that_pooled_data_hide_is_found(self, at: Prompt, models: Callable[[str], bytes]) -> None:
        """The case of DQX #1484: each value of the region is still one that regions together often have."""
        bad, normal = pd.read_csv("bad.csv"), pd.read_csv("new.csv")
        for column in ("orders", "revenue"):
            assert normal[column].quantile(0.1) < bad[column].min()
            assert bad[column].max() < normal[column].quantile(0.9)
        assert at.json("score", "bad.csv", "-m", "m.aed", "-o", "o.csv")["anomaly_share"] == 1
        at.write("p.aed", models("pooled"))
        assert at.json("score", "bad.csv", "-m", "p.aed", "-o", "p.csv")["anomaly_share"] < 0.15

    def test_the_share_of_normal_rows_flagged_is_about_the_rate_in_every_group(self, at: Prompt) -> None:
        regions_frame(20_000, seed=2).to_csv("many.csv", index=False)
        at.json("score", "many.csv", "-m", "m.aed", "-o", "o.csv")
        scored = pd.read_csv("o.csv")
        shares = scored.groupby("region")["is_anomaly"].mean()
        assert shares.mean() == pytest.approx(0.05, abs=0.015)
        assert shares.max() < 0.15
        # A row is flagged just where its p-value is at most the rate.
        assert (scored["is_anomaly"] == (scored["anomaly_p_value"] <= 0.05)).all()

    def test_groups_unknown_or_missing_are_judged_against_all_rows_and_that_is_said(self, at: Prompt) -> None:
        at.write("odd.csv", "region,orders,revenue,waiting\nr77,500,12500,8\n,500,12500,8\nr3,800,20000,8\n")
        result = at("score", "odd.csv", "-m", "m.aed", "-o", "o.csv")
        assert result.exit_code == 0
        assert result.stderr == (
            "warning: odd.csv: 1 row of groups of 'region' that the model does not know, judged against all "
            "rows: 'r77' in 1 row\n"
            "warning: odd.csv: 1 row without a value of 'region', judged against all rows\n"
        )
        assert pd.read_csv("o.csv")["anomaly_status"].tolist() == ["ok"] * 3

    def test_a_group_column_that_is_not_there_is_the_usual_error(
        self, at: Prompt, models: Callable[[str], bytes]
    ) -> None:
        pd.read_csv("new.csv").drop(columns="region").to_csv("lacking.csv", index=False)
        at.write("l.aed", models("learned"))
        for model in ("m.aed", "l.aed"):
            result = at("score", "lacking.csv", "-m", model, "-o", "o.csv")
            assert result.exit_code == 4
            assert result.stderr.startswith(
                "error: lacking.csv: column 'region' is missing, which the model was trained on; "
            )

    def test_a_threshold_by_hand_is_that_of_all(self, at: Prompt) -> None:
        at.json("score", "new.csv", "-m", "m.aed", "-o", "o.csv", "--threshold", "3")
        scored = pd.read_csv("o.csv")
        assert (scored["is_anomaly"] == (scored["anomaly_score"] > 3)).all()

    def test_scores_do_not_depend_on_how_rows_are_cut_and_ordered(self, at: Prompt) -> None:
        frame = pd.read_csv("new.csv").head(300)
        detector = aedetect.load("m.aed", device="cpu")
        whole = detector.score(frame)
        shuffled = frame.sample(frac=1, random_state=0)
        parts = [detector.score(shuffled.iloc[start : start + 7]) for start in range(0, len(frame), 7)]
        apart = pd.concat(parts).sort_index()
        pd.testing.assert_frame_equal(apart, whole)


class TestCalibrate:
    def test_thresholds_of_groups_follow_the_new_rows(self, at: Prompt) -> None:
        summary = at.json("calibrate", "new.csv", "-m", "m.aed", "-o", "n.aed")
        assert sum(one["calibration_rows"] for one in summary["groups"]) == 2000
        at.json("score", "new.csv", "-m", "n.aed", "-o", "o.csv")
        shares = pd.read_csv("o.csv").groupby("region")["is_anomaly"].mean()
        assert (shares <= 0.05).all()
        assert (shares > 0.03).all()

    def test_groups_with_too_few_rows_take_the_pooled_threshold(self, at: Prompt) -> None:
        frame = pd.read_csv("new.csv")
        few = frame[frame["region"] == "r0"].head(18)
        pd.concat([frame[frame["region"] != "r0"], few]).to_csv("few.csv", index=False)
        summary = at.json("calibrate", "few.csv", "-m", "m.aed", "-o", "n.aed")
        kinds = {one["group"]: one["calibration"] for one in summary["groups"]}
        assert kinds == {f"r{number}": "own" for number in range(1, 10)} | {"r0": "pooled"}
        pooled = next(one for one in summary["groups"] if one["group"] == "r0")
        assert pooled["threshold"] == summary["threshold"]
        result = at("calibrate", "few.csv", "-m", "m.aed", "-o", "n.aed")
        assert (
            "are flagged, 5% of normal rows in each of 9 of 10 groups, and in all others together, which "
            "have fewer than 19 calibration rows; before, those above that of their group, between"
        ) in result.stdout


class TestEvaluate:
    @pytest.fixture(autouse=True)
    def _labelled(self, at: Prompt) -> None:
        good, bad = pd.read_csv("new.csv").assign(bad=0), pd.read_csv("bad.csv").assign(bad=1)
        pd.concat([good, bad]).to_csv("labelled.csv", index=False)

    def test_the_promise_to_each_group(self, at: Prompt) -> None:
        result = at("evaluate", "labelled.csv", "-m", "m.aed", "--label", "bad", "--by", "region")
        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        head = next(place for place, line in enumerate(lines) if "calibration" in line)
        assert lines[head].split() == [
            *["region", "normal", "asked", "seen", "95%", "interval", "promise", "calibration"]
        ]
        rows = [line.split() for line in lines[head + 2 :] if line.startswith("r")]
        assert len(rows) == 10
        assert {(row[2], row[-1]) for row in rows} == {("5.00%", "own")}
        assert {row[-2] for row in rows} <= {"kept", "undecided", "broken"}

    def test_json(self, at: Prompt) -> None:
        asked = ("evaluate", "labelled.csv", "-m", "m.aed", "--label", "bad")
        figures = at.json(*asked, "--by", "region", "--at", "0.001,0.05")
        assert figures["by"] == "region"
        for one in figures["segments"]:
            assert (one["promised"], one["calibration"]) == (0.05, "own")
        thresholds = {one["value"]: one["threshold"] for one in figures["segments"]}
        assert len(set(thresholds.values())) == 10
        # At the model's own rate the verdicts are those of the model.
        finest, same = figures["at_alert_rates"]
        assert same["flagged"] == figures["at_threshold"]["flagged"] > finest["flagged"]
        assert same["threshold"] is None
        both = at.json(*asked, "--by", "region", "--by", "bad")
        assert both["by"] == ["region", "bad"]
        assert {"r6, 1", "r6, 0"} <= {one["value"] for one in both["segments"]}
        assert "calibration" not in both["segments"][0]


class TestInspect:
    def test_shows_groups_and_their_thresholds(self, at: Prompt) -> None:
        result = at("inspect", "m.aed")
        assert result.exit_code == 0
        assert "groups          10 of 'region'; thresholds between " in result.stdout
        lines = [line.split() for line in result.stdout.splitlines()]
        groups = [line for line in lines if line and line[-1] in ("own", "pooled")]
        assert len(groups) == 11
        assert groups[-1][:2] == ["all", "others"]
        listed = at.json("inspect", "m.aed")["groups"]
        assert {one["group"] for one in listed} == {f"r{number}" for number in range(10)}
        thresholds = {one.group: one.threshold for one in aedetect.load("m.aed").group_thresholds}
        assert {one["group"]: one["threshold"] for one in listed} == thresholds

    def test_a_model_without_groups_is_written_as_before_there_were_any(
        self, at: Prompt, models: Callable[[str], bytes]
    ) -> None:
        at.write("p.aed", models("pooled"))
        manifest, tensors, _ = read_model_file("p.aed")
        written = json.loads(manifest.model_dump_json())
        assert "group" not in written["config"]["data"]
        assert "groups" not in written["features"]
        assert "groups" not in written["model_schema"]
        assert not [name for name in tensors if name.startswith("groups.")]


class TestExplain:
    @pytest.mark.parametrize("model", ["grouped", "learned"])
    def test_what_was_expected_is_what_the_group_has(
        self, at: Prompt, models: Callable[[str], bytes], model: str
    ) -> None:
        at.write("m.aed", models(model))
        explained = at.json("explain", "bad.csv", "-m", "m.aed", "--top", "5")["explained"]
        normal = regions_frame()
        usual = normal[normal["region"] == "r6"]
        for one in explained:
            assert one["group"] == "r6"
            reasons = {reason["column"]: reason for reason in one["columns"]}
            for column in ("orders", "revenue"):
                expected = reasons[column]["expected"]["value"]
                assert usual[column].quantile(0.02) < expected < usual[column].quantile(0.98)
                assert reasons[column]["rarity"]["text"].startswith(
                    "below all normal rows relative to their groups; the lowest would be "
                )
            # The nearest rows are each in the numbers of its own group where that is known, else of this one.
            for near in one["nearest_normal_rows"]:
                orders = float(near["orders"].replace(",", ""))
                of_group = normal.loc[normal["region"] == near.get("region", "r6"), "orders"]
                assert of_group.min() * 0.9 < orders < of_group.max() * 1.1

    def test_the_threshold_shown_is_that_of_the_group(self, at: Prompt) -> None:
        threshold = next(
            one.threshold for one in aedetect.load("m.aed").group_thresholds if one.group == "r6"
        )
        result = at("explain", "bad.csv", "-m", "m.aed", "--top", "1")
        assert f"(threshold of its group {threshold:.4g}, p-value " in result.stdout


class TestRowsBack:
    def test_imputed_and_cleaned_numbers_are_those_of_the_group(self, at: Prompt) -> None:
        at.write("gap.csv", "region,orders,revenue,waiting\nr1,,5000,8\nr8,,640000,8\nr8,1e12,640000,8\n")
        assert at("impute", "gap.csv", "-m", "m.aed", "-o", "i.csv").exit_code == 0
        low, high, _ = pd.read_csv("i.csv")["orders"].astype(float)
        assert 130 < low < 300
        assert 17_000 < high < 38_000
        assert at("clean", "gap.csv", "-m", "m.aed", "-o", "c.csv").exit_code == 0
        assert 17_000 < pd.read_csv("c.csv")["orders"][2] < 38_000

    def test_codes_carry_the_group_and_are_decoded_in_its_numbers(self, at: Prompt) -> None:
        assert at("encode", "new.csv", "-m", "m.aed", "-o", "z.csv").exit_code == 0
        codes = pd.read_csv("z.csv")
        assert list(codes) == ["region", "z0", "z1"]
        assert at("decode", "z.csv", "-m", "m.aed", "-o", "back.csv").exit_code == 0
        back, new = pd.read_csv("back.csv"), pd.read_csv("new.csv")
        assert back["region"].tolist() == new["region"].tolist()
        ratio = back["orders"] / new["orders"]
        assert 0.6 < ratio.quantile(0.02) < ratio.quantile(0.98) < 1.7
        codes.drop(columns="region").to_csv("z.csv", index=False)
        result = at("decode", "z.csv", "-m", "m.aed", "-o", "back.csv")
        assert result.exit_code == 4
        assert result.stderr == (
            "error: z.csv: has no column 'region', which says whose numbers the codes stand for: decode what "
            "`aedetect encode` wrote, with that column\n"
        )

    def test_new_rows_are_those_of_their_group(self, at: Prompt, models: Callable[[str], bytes]) -> None:
        at.write("l.aed", models("learned"))
        assert at("sample", "500", "-m", "l.aed", "-o", "s.csv").exit_code == 0
        ranges = regions_frame().groupby("region")["orders"].agg(["min", "max"])
        for region, rows in pd.read_csv("s.csv").groupby("region"):
            low, high = ranges.loc[region]
            assert rows["orders"].between(low * 0.7, high * 1.4).all()
        result = at("sample", "5", "-m", "m.aed", "-o", "s.csv")
        assert result.usage() == (
            "the model sees numbers relative to 'region', which it has not learned: it cannot say whose new "
            "rows would be; train with --role region=categorical"
        )


def test_drift_within_groups_is_found_where_the_whole_has_not_moved(at: Prompt) -> None:
    frame = pd.read_csv("new.csv")
    grow = np.where(frame["region"].isin(["r0", "r2", "r4", "r6", "r8"]), 1.3, 1 / 1.3)
    frame.assign(orders=(frame["orders"] * grow).round()).to_csv("moved.csv", index=False)
    assert at.json("drift", "new.csv", "-m", "m.aed")["verdict"] == "steady"
    columns = at.json("drift", "moved.csv", "-m", "m.aed")["columns"]
    orders = next(one for one in columns if one["name"] == "orders")
    assert orders["drifted"]
    assert "relative to their groups, its values are" in orders["text"]


def test_a_report_says_that_groups_have_thresholds_of_their_own(at: Prompt) -> None:
    summary = at.json("report", "bad.csv", "-m", "m.aed", "-o", "r.html")
    assert any(
        text.startswith("each group has a threshold of its own, between") for text in summary["warnings"]
    )
    assert "10 of &#39;region&#39;; thresholds between" in Path("r.html").read_text()


def test_in_python() -> None:
    frame = regions_frame(600, regions=3)
    settings = {"data.group": ["region"], "training.epochs": 1, "threshold.alert_rate": 0.1}
    detector = aedetect.Detector(settings).fit(frame)
    assert sorted(one.group for one in detector.group_thresholds) == ["r0", "r1", "r2"]
    bad = detector.score(dropped(frame, "r2"))
    assert bad["is_anomaly"].all()
    evaluation = detector.evaluate(frame.assign(bad=0), label="bad", by="region")
    assert {evaluation.calibration_of(name) for name in evaluation.segments} == {"own"}
    assert aedetect.Detector({"training.epochs": 1}).fit(frame).group_thresholds == []
