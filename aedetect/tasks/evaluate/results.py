"""What labels say of a model: the figures that follow from scores and labels, and their JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from aedetect.data.arrays import Floats, Mask
from aedetect.scoring.group_thresholds import GroupThreshold
from aedetect.scoring.threshold import ThresholdPolicy
from aedetect.tasks.evaluate.by_event import EventFigures
from aedetect.tasks.evaluate.curves import CurvePoints
from aedetect.tasks.evaluate.metrics.at_threshold import (
    Confusion,
    at_best_f1,
    f1_interval,
    of_flags,
    share_interval,
)
from aedetect.tasks.evaluate.metrics.paired import Difference
from aedetect.tasks.evaluate.metrics.ranking import (
    Interval,
    ScoreTable,
    auroc,
    average_precision,
    with_interval,
)


@dataclass(frozen=True)
class LabelledScores:
    """Labelled rows with their scores, and the figures that follow from them.

    Shapes: scores (finite), labels and `flagged` [rows], labels true for anomalies. `policy`: where the
    threshold lies, and what it promises. `by_group`: whether each group has a threshold of its own.
    """

    scores: Floats
    labels: Mask
    flagged: Mask
    policy: ThresholdPolicy
    by_group: bool = False

    @property
    def by_p_value(self) -> bool:
        """Whether rows are flagged by their p-values, as those of series are, and not by the threshold."""
        return self.policy.by_p_value

    @property
    def rows(self) -> int:
        return len(self.labels)

    @property
    def anomalies(self) -> int:
        return int(self.labels.sum())

    @cached_property
    def threshold(self) -> float:
        return self.policy.value

    @property
    def promised(self) -> float | None:
        """The share of normal rows that the threshold promises to flag at most; None where it does not."""
        return self.policy.promised_rate

    @cached_property
    def table(self) -> ScoreTable:
        return ScoreTable.of(self.scores, self.labels)

    @cached_property
    def auroc(self) -> Interval | None:
        """None where there are only anomalies or only normal rows."""
        return with_interval(auroc, self.table) if self.table.has_both else None

    @cached_property
    def average_precision(self) -> Interval | None:
        """None where there are only anomalies or only normal rows."""
        return with_interval(average_precision, self.table) if self.table.has_both else None

    @cached_property
    def confusion(self) -> Confusion:
        """Rows by label and flag, as the model flags them."""
        several = self.by_p_value or self.by_group
        return of_flags(self.flagged, self.labels, np.nan if several else self.threshold)

    @property
    def f1(self) -> Interval:
        return f1_interval(self.confusion)

    @cached_property
    def best(self) -> Confusion | None:
        return at_best_f1(self.table) if self.table.has_both else None

    @property
    def false_alarms(self) -> Interval:
        """Share of normal rows flagged, with its binomial interval."""
        return share_interval(self.confusion.false_alarms, self.rows - self.anomalies)

    @property
    def promise(self) -> str | None:
        """Whether the false-alarm rate is as promised: 'kept', 'broken', or 'undecided'.

        'broken' where even the interval's low end is above the promised rate, 'kept' where the
        rate found is not above it, None where no rate was promised or there are no normal rows.
        """
        rate = self.false_alarms
        if self.promised is None or np.isnan(rate.value):
            return None
        if rate.low > self.promised:
            return "broken"
        return "kept" if rate.value <= self.promised else "undecided"

    def ranking(self) -> dict[str, Any]:
        """AUROC and average precision, for JSON."""
        return {"auroc": _interval(self.auroc), "average_precision": _interval(self.average_precision)}

    def measured(self) -> dict[str, Any]:
        """What the model's own threshold comes to, with intervals, for JSON."""
        confusion = self.confusion
        return {
            **_confusion(confusion),
            "precision_interval": _range(share_interval(confusion.caught, confusion.flagged)),
            "recall_interval": _range(share_interval(confusion.caught, self.anomalies)),
            "f1_interval": _range(self.f1),
        }

    def as_segment(self) -> dict[str, Any]:
        """These rows as a part of all, for JSON."""
        return {
            "rows": self.rows,
            "anomalies": self.anomalies,
            **self.ranking(),
            "at_threshold": _confusion(self.confusion),
            "false_alarms": _interval(self.false_alarms),
            "promise": self.promise,
        }


@dataclass(frozen=True)
class Comparison:
    """Two models on the rows that both could score; differences are second less first."""

    first: LabelledScores
    judged: LabelledScores
    auroc: Difference
    average_precision: Difference
    only_first_right: int
    only_second_right: int
    p_value: float
    by_event: EventFigures | None = None

    def as_dict(self) -> dict[str, Any]:
        """The second model's figures and the differences, for JSON."""
        return {
            "rows": self.judged.rows,
            "threshold": self.judged.threshold,
            **self.judged.ranking(),
            "at_threshold": self.judged.measured(),
            "false_alarms": _interval(self.judged.false_alarms),
            "auroc_difference": _difference(self.auroc),
            "average_precision_difference": _difference(self.average_precision),
            "only_first_right": self.only_first_right,
            "only_second_right": self.only_second_right,
            "verdicts_p_value": self.p_value,
        }


@dataclass(frozen=True, repr=False)
class Evaluation:
    """All that labels say of a model.

    `rows` are all rows read, `judged` those with label and score. `at_rates`: what thresholds for other
    alert rates come to. `p_value_shares`: of the normal rows, the share with a p-value of at most x, as
    lists of x and shares. `by_event`: the figures by event, of models that know events. `thresholds`: by
    segment, where the segments are the groups of the model. `workers`: how many of a cluster scored rows;
    None where this process did.
    """

    judged: LabelledScores
    at_rates: dict[float, Confusion]
    segments: dict[str, LabelledScores]
    comparison: Comparison | None
    rows: int
    unlabelled: int
    unscorable: int
    label: str
    p_value_shares: CurvePoints
    warnings: list[str] = field(default_factory=list)
    by_event: EventFigures | None = None
    thresholds: dict[str, GroupThreshold] = field(default_factory=dict)
    workers: int | None = None

    def calibration_of(self, segment: str) -> str | None:
        """Where the threshold of a segment is from: 'own', 'pooled' or 'by hand'; None without groups."""
        if not self.thresholds:
            return None
        known = self.thresholds.get(segment)
        return known.kind if known is not None else next(iter(self.thresholds.values())).kind_of_others

    def __repr__(self) -> str:
        judged = self.judged
        where = "at the alert rate" if judged.by_p_value else f"at threshold {judged.threshold:.4g}"
        ranking = f", AUROC {judged.auroc.value:.3f}" if judged.auroc else ""
        return (
            f"<Evaluation by {self.label!r}: {judged.rows:,} rows, {judged.anomalies:,} anomalies{ranking}; "
            f"{where}: {judged.confusion.caught:,} caught, "
            f"{judged.confusion.false_alarms:,} false alarms>"
        )

    def as_dict(self) -> dict[str, Any]:
        """The figures under stable names, null where one cannot be had: the contract of `evaluate --json`."""
        judged = self.judged
        return {
            "label": self.label,
            "rows": self.rows,
            "judged": judged.rows,
            "anomalies": judged.anomalies,
            "normal": judged.rows - judged.anomalies,
            "unlabelled": self.unlabelled,
            "unscorable": self.unscorable,
            "threshold": judged.threshold,
            **judged.policy.rates(),
            **judged.ranking(),
            "at_threshold": judged.measured(),
            "at_best_f1": _confusion(judged.best) if judged.best else None,
            "at_alert_rates": [
                {"alert_rate": rate, **_confusion(confusion)} for rate, confusion in self.at_rates.items()
            ],
            "false_alarms": {
                **(_interval(judged.false_alarms) or {}),
                "promised": judged.promised,
                "promise": judged.promise,
            },
            "segments": [
                {"value": name, **part.as_segment(), **self._of_group(name)}
                for name, part in self.segments.items()
            ],
            "comparison": self.comparison.as_dict() if self.comparison else None,
            "series": self.by_event.as_dict() if self.by_event else None,
        }

    def _of_group(self, segment: str) -> dict[str, Any]:
        if not self.thresholds:
            return {}
        known = self.thresholds.get(segment)
        return {
            "promised": self.judged.promised,
            "threshold": known.threshold if known is not None else self.judged.threshold,
            "calibration": self.calibration_of(segment),
        }


def _confusion(confusion: Confusion) -> dict[str, Any]:
    return {
        "threshold": _number(confusion.threshold),
        "flagged": confusion.flagged,
        "precision": _number(confusion.precision),
        "recall": _number(confusion.recall),
        "f1": _number(confusion.f1),
        "caught": confusion.caught,
        "missed": confusion.missed,
        "false_alarms": confusion.false_alarms,
        "passed": confusion.passed,
        "false_alarm_rate": _number(confusion.false_alarm_rate),
    }


def _interval(interval: Interval | None) -> dict[str, float] | None:
    if interval is None or math.isnan(interval.value):
        return None
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _range(interval: Interval) -> list[float] | None:
    return None if math.isnan(interval.low) or math.isnan(interval.value) else [interval.low, interval.high]


def _difference(difference: Difference) -> dict[str, float] | None:
    if math.isnan(difference.value):
        return None
    return {
        "value": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p_value": difference.p_value,
    }


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None
