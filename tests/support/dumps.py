"""Deliveries of a feed, for tests of their health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from aedetect.engine.deliveries import Delivery, Facts

DAY, HOUR = 86_400.0, 3_600.0
# A Monday.
START = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


def dump(
    day: float,
    rows: int = 1000,
    anomalies: int = 10,
    missing: Mapping[str, int] | None = None,
    entities: Sequence[str] | None = None,
    name: str = "in/{:%Y-%m-%d}.csv",
    threshold: float = 1.0,
) -> Delivery:
    """The dump of a day, the first being Monday, 2 March 2026; it comes at three the next night."""
    due = START + day * DAY
    facts = Facts(threshold, missing, None if entities is None else [(one,) for one in entities])
    arrived = round((due + DAY + 3 * HOUR) * 1e9)
    return Delivery.of(name.format(datetime.fromtimestamp(due, UTC)), arrived, rows, anomalies, facts)


def at(delivery: Delivery, seconds: float) -> Delivery:
    """The delivery with another time of change; without a date in its name it is due then."""
    moved = Delivery.of(delivery.path, round(seconds * 1e9), delivery.rows, delivery.anomalies)
    return replace(moved, missing=delivery.missing, entities=delivery.entities, threshold=delivery.threshold)
