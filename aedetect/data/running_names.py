"""Names that say what a column of whole numbers, codes or readings is for."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|[^\W\d_]+")


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IDS = _listed(
    """
    id ids no nr num number nummer uuid guid key pk fk idx index row line seq sequence serial ref
    reference
    """
)
# Of things that are numbered one after the other, or whose numbers say nothing of them.
_NUMBERED = _listed(
    """
    batch lot charge run job order invoice receipt ticket transaction txn trx tx document doc voucher
    booking shipment parcel delivery package build revision version release cycle heat coil pallet reel
    session request trace event message msg packet frame block record entry import export load upload
    customer client cust user account member subscriber patient contact employee case claim policy contract
    visitor device imei offset cursor auftrag bestellung rechnung beleg kunde charge los vorgang
    commande facture pedido factura lote cliente
    """
)
# Of these, which stand for a whole file or a long stretch of it.
_BATCHES = _listed(
    """
    batch lot charge run job build revision version release cycle session import export load upload dump
    file sheet snapshot partition lote
    """
)
_READINGS = _listed(
    """
    meter reading readings counter odometer mileage cumulative cum cumul accumulated totalizer uptime
    runtime lifetime kwh hours zaehler zählerstand zaehlerstand stand compteur lectura
    """
)
_TIMES = _listed(
    """
    time timestamp ts epoch date day week month quarter year yyyymmdd yyyymm period datetime created
    updated modified kw calweek yearweek yearmonth yyyyww jahr monat tag woche datum zeit
    """
)


# What is written behind such words without anything between.
_SUFFIXES = ("number", "num", "no", "nr", "id")


def words(name: str) -> list[str]:
    """The words of a column's name: 'orderNo', 'ORDER_NO', 'orderno' and 'order no.' are 'order' and 'no'."""
    return [part for word in _WORDS.findall(name) for part in _split(word.lower())]


def _split(word: str) -> list[str]:
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if stem != word and stem in _NUMBERED | _BATCHES | _TIMES:
            return [stem, suffix]
    return [word]


def names_an_id(name: str) -> bool:
    """Whether the name ends in, or is, a word for identifiers."""
    listed = words(name)
    return bool(listed) and (
        listed[-1] in _IDS or listed[0] in ("id", "uuid", "guid") or listed == ["unnamed"]
    )


def names_what_is_numbered(name: str) -> bool:
    """Whether the name is that of things that are numbered, or of their numbers."""
    listed = words(name)
    return bool(listed) and (names_an_id(name) or listed[-1] in _NUMBERED)


def names_a_batch(name: str) -> bool:
    """Whether the name is that of what a file, or a stretch of it, was made in."""
    listed = [word for word in words(name) if word not in _IDS and word not in ("name", "code")]
    return bool(listed) and listed[-1] in _BATCHES


def names_a_reading(name: str) -> bool:
    """Whether the name is that of a meter, or of what adds up."""
    return any(word in _READINGS for word in words(name))


def names_a_time(name: str) -> bool:
    """Whether the name is that of a date, or of a part of one."""
    return any(word in _TIMES for word in words(name))
