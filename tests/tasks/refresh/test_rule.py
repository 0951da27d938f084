"""When a new model is no worse: the rule, and how often it is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aedetect.tasks.evaluate.metrics.paired import Difference
from aedetect.tasks.refresh.gate import GateFigures
from aedetect.tasks.refresh.rule import MARGIN, REFUSED_BY_CHANCE, chance_of_more, checks_of, most_passed


def model(rate: float | None = 0.01, calibrated: int = 2000) -> Any:
    return SimpleNamespace(
        threshold_policy=SimpleNamespace(promised_rate=rate),
        calibration=SimpleNamespace(scores=np.zeros(calibrated)),
    )


def gate(both: int, only_old: int, only_new: int, rows: int = 5000, together: float = 1.0) -> GateFigures:
    return GateFigures(rows, 0, 0, both, only_old, only_new, together)


def passed(
    figures: GateFigures, precision: Difference | None = None, rate: float | None = 0.01
) -> list[bool]:
    return [check.passed for check in checks_of(model(rate), figures, precision)]


def test_as_many_false_alarms_as_were_accepted_pass() -> None:
    assert passed(gate(40, 5, 5)) == [True, True]


def test_more_than_chance_explains_do_not() -> None:
    checks = checks_of(model(), gate(40, 5, 160), None)
    assert [check.passed for check in checks] == [False, False]
    assert checks[0].text == (
        "the new model flags 4.00% of 5,000 normal rows (95%: 3.47% to 4.58%), where 1% was accepted: more "
        "than chance explains"
    )
    assert checks[1].text.startswith(
        "the old one flags 0.90% of them, and both agree on 96.70%: the new one gives clearly more false"
    )


def test_clearly_more_than_the_old_one_do_not_pass_but_where_they_were_accepted() -> None:
    assert passed(gate(0, 0, 66)) == [True, False]
    assert MARGIN * 0.01 * 5000 < 66
    assert passed(gate(0, 0, 60)) == [True, True]
    # Without a promised share the old model is all there is to compare with.
    assert passed(gate(0, 0, 60), rate=None) == [True, False]


def test_rows_flagged_in_stretches_tell_less() -> None:
    assert passed(gate(0, 0, 120)) == [False, False]
    assert passed(gate(0, 0, 120, together=60.0)) == [True, True]


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(-0.2, -0.01, False), (-0.2, 0.0, True), (-0.1, 0.3, True)]
)
def test_a_clearly_lower_average_precision_does_not_pass(low: float, high: float, expected: bool) -> None:
    difference = Difference((low + high) / 2, low, high, 0.01)
    assert passed(gate(40, 5, 5), difference) == [True, True, expected]


def test_labels_of_one_kind_decide_nothing() -> None:
    assert passed(gate(40, 5, 5), Difference(*[float("nan")] * 4))[2]


def test_a_model_that_keeps_its_promise_is_refused_as_seldom_as_is_said() -> None:
    random = np.random.default_rng(0)
    rate, calibrated, rows, refused = 0.01, 500, 3000, 0
    for _ in range(1000):
        threshold = np.sort(random.random(calibrated))[-int(rate * (calibrated + 1))]
        flagged = int((random.random(rows) > threshold).sum())
        refused += chance_of_more(flagged, rate, rows, calibrated) < REFUSED_BY_CHANCE
    assert refused <= 40


def test_the_most_that_passes_is_the_last_that_passes() -> None:
    most = most_passed(0.01, 3000, 500)
    assert (
        chance_of_more(most, 0.01, 3000, 500) >= REFUSED_BY_CHANCE > chance_of_more(most + 1, 0.01, 3000, 500)
    )
