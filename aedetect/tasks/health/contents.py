"""What a delivery holds, held against its peers: rows, flagged rows, empty columns, entities."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial

from aedetect.engine.deliveries import Delivery
from aedetect.tasks.health.finding import Finding, Health
from aedetect.tasks.health.limits import (
    Limits,
    Peers,
    is_excused,
    limits_of,
    of_rows,
    of_share,
    rows_at,
    share_at,
)

# Half the width of limits at least: a third more rows, or a quarter fewer; 6% missing where none were, or 29%
# where 10% were; 2.2% flagged where 1% were.
_OF_ROWS, _OF_MISSING, _OF_FLAGGED = math.log(4 / 3), 0.25, 0.05
# An entity is expected where it was in so many of the peers.
_ALWAYS = 0.9
# From so many rows on a column may be said to be empty.
_FEW_ROWS = 20


def of_contents(delivery: Delivery, peers: Peers, name: str, window: int) -> Health:
    """What is found of a delivery, called `name`, of which enough others are known."""
    findings = _of_rows(delivery, peers, name)
    if delivery.rows:
        findings += _of_missing(delivery, peers, name)
        findings += _of_flagged(delivery, peers, name, window)
        findings += _of_entities(delivery, peers, name)
    return Health(findings)


def _of_rows(delivery: Delivery, peers: Peers, name: str) -> list[Finding]:
    limits = limits_of(of_rows, peers, _OF_ROWS, lambda level: 1 / math.sqrt(rows_at(level) + 1))
    value = of_rows(delivery)
    if limits is None or limits.hold(value) or is_excused(of_rows, value, peers, _OF_ROWS):
        return []
    low, high = math.floor(rows_at(limits.low)), math.ceil(rows_at(limits.high))
    text = (
        f"{name}: {delivery.rows:,} row{'s' * (delivery.rows != 1)}; {peers.words} had "
        f"{_from_to(f'{rows_at(limits.least):,.0f}', f'{rows_at(limits.most):,.0f}')} "
        f"(limits {low:,} to {high:,})"
    )
    return [Finding("rows", text, delivery.rows, low, high, name)]


def missing_share(column: str, delivery: Delivery) -> float | None:
    """The share of a delivery's rows in which a column has no value, on the scale of `of_share`."""
    if not delivery.rows or delivery.missing is None or column not in delivery.missing:
        return None
    return of_share(delivery.missing[column] / delivery.rows)


def _of_missing(delivery: Delivery, peers: Peers, name: str) -> list[Finding]:
    findings = []
    for column in delivery.missing or ():
        measure = partial(missing_share, column)
        limits = limits_of(measure, peers, _OF_MISSING, partial(_by_chance, delivery.rows))
        value = measure(delivery)
        if limits is None or value is None:
            continue
        share, most = (delivery.missing or {})[column] / delivery.rows, share_at(limits.most)
        high = share_at(limits.high)
        if most < 1 and delivery.rows >= _FEW_ROWS:
            # However much it varies, none was empty before.
            high = min(high, (1 + most) / 2)
        if share <= high or is_excused(measure, value, peers, _OF_MISSING):
            continue
        what = "is empty" if share == 1 else f"lacks {share:.1%} of its values"
        text = (
            f"{name}: column {column!r} {what}; {peers.words} lacked "
            f"{_from_to(*_shares(limits))} (limit {high:.1%})"
        )
        findings.append(Finding("empty", text, share, None, high, name, column))
    return findings


def flagged_share(like: Delivery, delivery: Delivery) -> float | None:
    """The share of flagged rows, on the scale of `of_share`; None where others were flagged."""
    known = delivery.rows and (delivery.model, delivery.threshold) == (like.model, like.threshold)
    return of_share(delivery.anomalies / delivery.rows) if known else None


def _of_flagged(delivery: Delivery, peers: Peers, name: str, window: int) -> list[Finding]:
    measure = partial(flagged_share, delivery)
    # Of series the rows of a window are flagged together.
    limits = limits_of(measure, peers, _OF_FLAGGED, partial(_by_chance, delivery.rows / window))
    value = measure(delivery)
    if limits is None or value is None or limits.hold(value):
        return []
    if is_excused(measure, value, peers, _OF_FLAGGED):
        return []
    low, high = share_at(max(limits.low, 0.0)), share_at(limits.high)
    share = delivery.anomalies / delivery.rows
    text = (
        f"{name}: {share:.2%} of the rows flagged; {peers.words} had "
        f"{_from_to(*_shares(limits, 2))} (limits {low:.2%} to {high:.2%})"
    )
    return [Finding("flagged", text, share, low, high, name)]


def _of_entities(delivery: Delivery, peers: Peers, name: str) -> list[Finding]:
    known = [one for one in peers.each if one.entities is not None]
    if delivery.entities is None or len(known) < peers.least:
        return []
    present = Counter(entity for one in known for entity in one.entities or ())
    findings = []
    for entity, files in sorted(present.items()):
        if entity in delivery.entities or files < _ALWAYS * len(known):
            continue
        share = f"all of {peers.words}" if files == len(known) else f"{files} of {peers.words}"
        text = f"{name}: no row of {'/'.join(entity)!r}, which was in {share} (limit: {_ALWAYS:.0%})"
        findings.append(
            Finding("entity", text, 0.0, math.ceil(_ALWAYS * len(known)), None, name, entity=entity)
        )
    return findings


def _by_chance(rows: float, level: float) -> float:
    """The deviation of a share of so many rows, on the scale of `of_share`; the same at every level."""
    return 0.5 / math.sqrt(max(rows, 1.0))


def _shares(limits: Limits, decimals: int = 1) -> Sequence[str]:
    return [f"{share_at(value):.{decimals}%}" for value in (limits.least, limits.most)]


def _from_to(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"
