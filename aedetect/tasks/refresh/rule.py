"""When a new model is no worse than the old one: the rule, and what it comes to on the gate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.evaluate.metrics.paired import Difference
from aedetect.tasks.refresh.gate import GateFigures

# The chance that a model that keeps its promise, or is as good as the old one, is refused by a check.
REFUSED_BY_CHANCE = 0.025
# Up to so many times the accepted share, more false alarms than the old model gives are luck of its
# calibration: on a large gate a lucky model would never be replaced otherwise.
MARGIN = 1.25

CheckName = Literal["promise", "old_model", "average_precision"]


@dataclass(frozen=True)
class Check:
    """One part of the rule. `p_value`: how likely so much is by chance; None where nothing was tested."""

    name: CheckName
    passed: bool
    text: str
    p_value: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "passed": self.passed, "text": self.text, "p_value": self.p_value}


def checks_of(new: FittedModel, gate: GateFigures, precision: Difference | None) -> Sequence[Check]:
    """The checks that a new model has to pass to take the place of the old one.

    `precision`: its average precision less the old one's, where there are labels.
    """
    rate = new.threshold_policy.promised_rate
    checks = [_promise(rate, gate, len(new.calibration.scores)), _old_model(rate, gate)]
    if precision is not None:
        checks.append(_precision(precision))
    return checks


def chance_of_more(flagged: int, rate: float, rows: float, calibrated: float) -> float:
    """How likely at least so many of `rows` normal rows are flagged at an alert rate.

    The threshold itself rests on so many `calibrated` rows: the share of normal rows above it is a beta
    variable, and the count beta-binomial (Vovk, 2012).
    """
    from scipy.stats import betabinom

    above = rate * (calibrated + 1)
    return float(betabinom.sf(flagged - 1, round(rows), above, calibrated + 1 - above))


def most_passed(rate: float, rows: float, calibrated: float) -> int:
    """The most flagged rows that chance still explains."""
    from scipy.stats import betabinom

    above = rate * (calibrated + 1)
    return int(betabinom.isf(REFUSED_BY_CHANCE, round(rows), above, calibrated + 1 - above))


def _p(p_value: float) -> str:
    return f"p = {p_value:.2g}" if p_value >= 0.001 else "p < 0.001"


def _promise(rate: float | None, gate: GateFigures, calibrated: int) -> Check:
    share = gate.share(gate.new)
    flags = (
        f"the new model flags {share.value:.2%} of {gate.rows:,} normal rows "
        f"(95%: {share.low:.2%} to {share.high:.2%})"
    )
    if rate is None:
        return Check("promise", True, f"{flags}; no share of rows was promised")
    together = gate.together
    p_value = chance_of_more(
        math.floor(gate.new / together), rate, gate.rows / together, calibrated / together
    )
    passed = p_value >= REFUSED_BY_CHANCE
    accepted = f"{100 * rate:.3g}% {'is' if passed else 'was'} accepted"
    if passed:
        explained = "" if share.value <= rate else f", and chance explains as much ({_p(p_value)})"
        return Check("promise", True, f"{flags}, where {accepted}{explained}", p_value)
    return Check("promise", False, f"{flags}, where {accepted}: more than chance explains", p_value)


def _old_model(rate: float | None, gate: GateFigures) -> Check:
    """McNemar's test (1947), one-sided and exact; hardly more than were accepted are no reason to refuse."""
    from scipy.stats import binom

    only_new, only_old = (math.floor(count / gate.together) for count in (gate.only_new, gate.only_old))
    differing = only_new + only_old
    p_value = float(binom.sf(only_new - 1, differing, 0.5)) if differing else 1.0
    within = rate is not None and gate.new <= MARGIN * rate * gate.rows
    passed = p_value >= REFUSED_BY_CHANCE or within
    text = f"the old one flags {gate.old / gate.rows:.2%} of them, and both agree on {gate.agreement:.2%}"
    if not passed:
        text += f": the new one gives clearly more false alarms ({_p(p_value)})"
    return Check("old_model", passed, text, p_value)


def _precision(difference: Difference) -> Check:
    if math.isnan(difference.value):
        return Check("average_precision", True, "the labelled rows are all of one kind, and rank nothing")
    passed = difference.high >= 0
    low = "" if passed else ": clearly lower"
    return Check(
        "average_precision",
        passed,
        f"average precision on the labelled rows changes by {difference.value:+.3f} "
        f"(95%: {difference.low:+.3f} to {difference.high:+.3f}){low}",
        difference.p_value,
    )
