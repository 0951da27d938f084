from __future__ import annotations

from typing import Any

import pytest
from support.profiles import profile, schema_of

from aedetect.data.label_names import label_notice, looks_like_label, may_name_label

LABELS = (
    "label is_fraud isFraud anomaly is_anomaly anomaly_label target class Class outlier is_outlier attack y "
    "Y Label LABEL Target fraud fraud_bool fraud_reported FraudFlag has_fraud Is_Fraud? is-anomalous "
    "Machine_failure attack_label Normal/Attack Pass/Fail groundTruth is_spam anom "
    "fraud_found y_true gt_label"
)
OTHERS = (
    "target_temp heart_attack fraud_score label_id classroom class_size outlier_count yield "
    "anomaly_threshold attacker labelled_by default_code is_open fault_code subclass is_normal "
    "not_fraud normal pass"
)
RARE = [0] * 95 + [1] * 5
EVEN = [0, 1] * 50
SENSOR = profile([str(number % 7) + ".5" for number in range(100)])


def is_label(
    name: str, values: list[Any], others: tuple[str, ...] = ("amount",), is_text: bool = True
) -> bool:
    texts = [None if value is None else str(value) for value in values] if is_text else values
    found = profile(texts, is_text=is_text, counting=True)
    return looks_like_label(name, found, (name, *others))


@pytest.mark.parametrize(
    "name",
    LABELS.split(),
)
def test_names_of_labels(name: str) -> None:
    assert is_label(name, RARE)
    assert is_label(name, [0] * 100)
    assert is_label(name, [False] * 97 + [True] * 3, is_text=False)
    assert is_label(name, [0.0] * 90 + [None] * 8 + [1.0] * 2, is_text=False)


@pytest.mark.parametrize(
    "name",
    OTHERS.split(),
)
def test_other_names(name: str) -> None:
    assert not may_name_label(name)
    assert not is_label(name, RARE)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("class", [1, 2, 3] * 30),
        ("class", ["first", "second", "third"] * 30),
        ("class", ["economy"] * 90 + ["business"] * 9),
        ("class", [1] * 60 + [2] * 40),
        ("target", EVEN),
        ("target", [20] * 100),
        ("target", [18.5, 20] * 50),
        ("y", [number / 7 for number in range(99)]),
        ("y", EVEN),
        ("label", ["red", "green"] * 50),
        ("label", ["Sony", "EMI", "Decca"] * 30),
        ("label", [None] * 20),
        ("fault", [3, 7] * 50),
        ("attack", [0.1, 0.2, 0.3] * 30),
        ("status", ["ok"] * 95 + ["failed"] * 5),
        ("plan", ["regular"] * 90 + ["clean"] * 9),
        ("fault_type", ["A", "B", "C"] * 30),
    ],
)
def test_other_values(name: str, values: list[Any]) -> None:
    assert not is_label(name, values)


def test_y_beside_x_is_a_coordinate() -> None:
    assert not is_label("y", RARE, ("x", "z"))
    assert not is_label("Y", RARE, ("X",))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("label", ["normal"] * 90 + ["anomaly"] * 10),
        ("class", ["BENIGN"] * 90 + ["DDoS"] * 10),
        ("fraud", ["Legit"] * 90 + ["Fraud"] * 10),
        ("is_fraud", ["nein"] * 60 + ["ja"] * 40),
        ("outlier", [1] * 95 + [-1] * 5),
        ("label", EVEN),
        ("target", ["no"] * 90 + ["yes"] * 10),
        ("label", ["normal"] * 80 + ["dos"] * 10 + ["probe"] * 10),
        ("class", ["normal"] * 50),
        ("y", ["0.0"] * 90 + ["1.0"] * 3),
        ("status", ["legit"] * 95 + ["fraud"] * 5),
        ("remark", ["Normal"] * 60 + ["Anomalous"] * 40),
        ("verdict", ["benign"] * 95 + ["Malicious"] * 5),
        ("attack_cat", ["Normal"] * 95 + ["DoS"] * 5),
        ("fault type", ["normal"] * 95 + ["bearing"] * 5 + ["gear"] * 5),
        ("suspicious", ["N"] * 95 + ["Y"] * 5),
    ],
)
def test_values_of_labels(name: str, values: list[Any]) -> None:
    assert is_label(name, values)


def test_a_label_is_left_out_unless_asked_for() -> None:
    columns = {"is_fraud": profile([str(value) for value in RARE], counting=True), "temp": SENSOR}
    left_out = schema_of(columns).columns[0]
    assert (left_out.role, left_out.reason) == ("ignored", "looks like a label")
    assert schema_of(columns, columns=["is_fraud", "temp"]).columns[0].role == "boolean"
    assert schema_of(columns, roles={"is_fraud": "boolean"}).columns[0].role == "boolean"
    assert schema_of(columns, label="is_fraud").columns[0].role == "label"
    assert schema_of(columns, id=["is_fraud"]).columns[0].role == "id"


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        (
            "is_fraud",
            RARE,
            "column 'is_fraud' looks like a label and is left out; give --label is_fraud to use it as one, "
            "or --role is_fraud=boolean to learn it",
        ),
        (
            "Is Fraud",
            ["Legit"] * 9 + ["Fraud case"],
            "column 'Is Fraud' looks like a label and is left out; give --label 'Is Fraud' "
            "--positive 'Fraud case' to use it as one, or --role 'Is Fraud=categorical' to learn it",
        ),
        (
            "fraud",
            ["rouge"] * 3 + ["vert"] * 9,
            "column 'fraud' looks like a label and is left out; give --label fraud --positive rouge to use "
            "it as one, or --role fraud=categorical to learn it",
        ),
        (
            "label",
            ["normal"] * 9 + ["dos", "probe"],
            "column 'label' looks like a label and is left out; give --role label=categorical to learn it",
        ),
        (
            "class",
            ["normal"] * 9,
            "column 'class' looks like a label and is left out; give --label class to use it as one, or "
            "--role class=categorical to learn it",
        ),
    ],
)
def test_what_is_said(name: str, values: list[Any], said: str) -> None:
    assert label_notice(name, profile([str(value) for value in values], counting=True)) == said
