"""What a refresh came to: as data, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aedetect.tasks.evaluate.metrics.ranking import Interval
from aedetect.tasks.refresh.gate import GateFigures
from aedetect.tasks.refresh.recent import RecentRows
from aedetect.tasks.refresh.rule import Check

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.evaluate import Evaluation

RULE = (
    "the new model takes the old one's place if it keeps the accepted share of false alarms on the gate, as "
    "far as chance goes (2.5%); if it does not give clearly more of them than the old one (McNemar's test, "
    "2.5%) and more than 1.25 times that share; and if its average precision on labelled rows is not clearly "
    "lower (95% interval)"
)


@dataclass(frozen=True, repr=False)
class Refreshment:
    """A new model beside the old one.

    `recent`: the rows it was learned from. `labelled`: both models held against labels, the new one as the
    second; None where no labelled rows were given. `warnings`: what was said on the way.
    """

    old: FittedModel
    new: FittedModel
    recent: RecentRows
    gate: GateFigures
    checks: Sequence[Check]
    labelled: Evaluation | None = None
    warnings: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Refreshment: {'no worse' if self.no_worse else 'worse'}; {self.reason}>"

    @property
    def no_worse(self) -> bool:
        """Whether the new model may take the place of the old one."""
        return all(check.passed for check in self.checks)

    @property
    def reason(self) -> str:
        """Why it may, or may not."""
        failed = [check.text for check in self.checks if not check.passed]
        return "; ".join(failed) if failed else self.checks[0].text

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the body of `refresh --json`, but for what became of the files."""
        gate, rate = self.gate, self.new.threshold_policy.promised_rate
        return {
            "rows": self.recent.rows,
            "rows_learned": self.new.training.rows,
            "rows_left_out": dict(self.new.training.rows_left_out),
            "no_worse": self.no_worse,
            "rule": RULE,
            "checks": [check.as_dict() for check in self.checks],
            "gate": {
                "rows": gate.rows,
                "unscorable": gate.unscorable,
                "labelled": gate.labelled,
                "alert_rate": rate,
                "old": _share(gate.old, gate.share(gate.old)),
                "new": _share(gate.new, gate.share(gate.new)),
                "only_old": gate.only_old,
                "only_new": gate.only_new,
                "agreement": gate.agreement,
            },
            "labelled": self._labels(),
        }

    def _labels(self) -> dict[str, Any] | None:
        evaluation = self.labelled
        if evaluation is None or evaluation.comparison is None:
            return None
        comparison = evaluation.comparison.as_dict()
        return {
            "label": evaluation.label,
            "rows": evaluation.judged.rows,
            "anomalies": evaluation.judged.anomalies,
            "old": evaluation.judged.ranking(),
            "new": {name: comparison[name] for name in ("auroc", "average_precision")},
            "average_precision_difference": comparison["average_precision_difference"],
            "auroc_difference": comparison["auroc_difference"],
        }


def _share(flagged: int, interval: Interval) -> dict[str, Any]:
    return {
        "flagged": flagged,
        "false_alarms": {"value": interval.value, "low": interval.low, "high": interval.high},
    }
