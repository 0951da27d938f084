"""An evaluation as one JSON object: the contract of `evaluate --json`."""

from __future__ import annotations

import math
from typing import Any

from aedetect.tasks.evaluate.evaluate import Comparison, Evaluation, Judged
from aedetect.tasks.evaluate.metrics.at_threshold import Verdict, share_interval
from aedetect.tasks.evaluate.metrics.paired import Difference
from aedetect.tasks.evaluate.metrics.ranking import Interval


def evaluation_summary(found: Evaluation) -> dict[str, Any]:
    """The figures of an evaluation under stable names; null where one cannot be had."""
    judged = found.judged
    return {
        "label": found.label,
        "rows": found.rows,
        "judged": judged.rows,
        "anomalies": judged.anomalies,
        "normal": judged.rows - judged.anomalies,
        "unlabelled": found.unlabelled,
        "unscorable": found.unscorable,
        "threshold": judged.threshold,
        "alert_rate": judged.promised,
        "auroc": _interval(judged.auroc),
        "average_precision": _interval(judged.average_precision),
        "at_threshold": _measured(judged),
        "at_best_f1": _verdict(judged.best) if judged.best else None,
        "at_alert_rates": [{"alert_rate": rate, **_verdict(at)} for rate, at in found.at_rates.items()],
        "false_alarms": {
            **(_interval(judged.false_alarms) or {}),
            "promised": judged.promised,
            "promise": judged.promise,
        },
        "segments": [{"value": name, **_segment(part)} for name, part in found.segments.items()],
        "comparison": _comparison(found.comparison) if found.comparison else None,
        "series": found.series.as_dict() if found.series else None,
    }


def _measured(judged: Judged) -> dict[str, Any]:
    verdict = judged.verdict
    return {
        **_verdict(verdict),
        "precision_interval": _range(share_interval(verdict.caught, verdict.flagged)),
        "recall_interval": _range(share_interval(verdict.caught, judged.anomalies)),
        "f1_interval": _range(judged.f1),
    }


def _segment(judged: Judged) -> dict[str, Any]:
    return {
        "rows": judged.rows,
        "anomalies": judged.anomalies,
        "auroc": _interval(judged.auroc),
        "average_precision": _interval(judged.average_precision),
        "at_threshold": _verdict(judged.verdict),
        "false_alarms": _interval(judged.false_alarms),
        "promise": judged.promise,
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "rows": found.judged.rows,
        "threshold": found.judged.threshold,
        "auroc": _interval(found.judged.auroc),
        "average_precision": _interval(found.judged.average_precision),
        "at_threshold": _measured(found.judged),
        "false_alarms": _interval(found.judged.false_alarms),
        "auroc_difference": _difference(found.auroc),
        "average_precision_difference": _difference(found.average_precision),
        "only_first_right": found.only_first_right,
        "only_second_right": found.only_second_right,
        "verdicts_p_value": found.p_value,
    }


def _verdict(at: Verdict) -> dict[str, Any]:
    return {
        "threshold": at.threshold,
        "flagged": at.flagged,
        "precision": number(at.precision),
        "recall": number(at.recall),
        "f1": number(at.f1),
        "caught": at.caught,
        "missed": at.missed,
        "false_alarms": at.false_alarms,
        "passed": at.passed,
        "false_alarm_rate": number(at.false_alarm_rate),
    }


def _interval(found: Interval | None) -> dict[str, float] | None:
    if found is None or math.isnan(found.value):
        return None
    return {"value": found.value, "low": found.low, "high": found.high}


def _range(found: Interval) -> list[float] | None:
    return None if math.isnan(found.low) or math.isnan(found.value) else [found.low, found.high]


def _difference(found: Difference) -> dict[str, float] | None:
    if math.isnan(found.value):
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "p_value": found.p_value}


def number(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None
