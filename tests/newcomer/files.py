"""Twelve kinds of files as people have them: what was written down so far, and the next of the same kind.

Each is text, as a spreadsheet, a logger or an exporter writes it. In the next file a few rows do not belong;
`Case.strange` says which, and the column that gives each away, '' where several do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Rng = np.random.Generator


@dataclass(frozen=True)
class Case:
    """`train` and `next`: the texts of two files; `strange`: columns by row of the next, from 1.

    `time`: the column of timestamps, where rows are a series; `roles`: what columns must be taken for.
    """

    train: str
    next: str
    strange: Mapping[int, str]
    time: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)


def _money(values: Any) -> list[str]:
    return [f"${value:,.2f}" for value in values]


def _european(values: Any, decimals: int = 2) -> list[str]:
    texts = [f"{value:,.{decimals}f}" for value in values]
    return [text.replace(",", " ").replace(".", ",").replace(" ", ".") for text in texts]


def _csv(frame: pd.DataFrame, delimiter: str = ",") -> str:
    return str(frame.to_csv(index=False, sep=delimiter))


def _sales(rng: Rng, first: int, rows: int) -> pd.DataFrame:
    at = np.arange(first, first + rows)
    quantity, price = rng.integers(1, 12, rows), rng.choice([4.5, 12.95, 80.0, 249.9, 1299.0], rows)
    discount = rng.choice([0, 5, 10, 20], rows, p=[0.6, 0.2, 0.15, 0.05])
    day = pd.Timestamp("2026-01-05") + pd.to_timedelta(at // 15, unit="D")
    return pd.DataFrame(
        {
            "Order No": 70214 + at // 3,
            "Date": day.strftime("%d.%m.%Y"),
            "Region": rng.choice(["North", "South", "East", "West"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "Qty": quantity,
            "Unit Price": price,
            "Discount": discount,
            "Total": quantity * price * (1 - discount / 100),
            "Remark": np.where(rng.random(rows) < 0.05, "call back", ""),
        }
    )


def _written_sales(frame: pd.DataFrame) -> str:
    return _csv(
        frame.assign(
            **{
                "Unit Price": _money(frame["Unit Price"]),
                "Total": _money(frame["Total"]),
                "Discount": [f"{value:.0f}%" for value in frame["Discount"]],
            }
        )
    )


def messy_sales() -> Case:
    """Order lines with currency signs, thousands, percent signs, dotted dates and a running number."""
    rng = np.random.default_rng(1)
    train, coming = _sales(rng, 0, 1500), _sales(rng, 1500, 600)
    coming.loc[99, "Total"] = 98_000.0
    coming.loc[299, "Qty"] = 4_000
    return Case(
        _written_sales(train),
        _written_sales(coming),
        {100: "Total", 300: "Qty"},
        roles={"Order No": "id", "Date": "datetime", "Total": "numeric", "Discount": "numeric"},
    )


def _sensors(rng: Rng, start: str, rows: int) -> pd.DataFrame:
    times = pd.date_range(start, periods=rows, freq="5min")
    hours = times.hour + times.minute / 60
    warm = 18 + 4 * np.sin((hours - 9) / 24 * 2 * np.pi) + rng.normal(0, 0.2, rows)
    return pd.DataFrame(
        {
            "time": times.strftime("%Y-%m-%d %H:%M:%S"),
            "temperature": warm.round(2),
            "humidity": (70 - 1.8 * (warm - 18) + rng.normal(0, 0.6, rows)).round(1),
            "pressure": (1013 + np.cumsum(rng.normal(0, 0.02, rows)) + rng.normal(0, 0.1, rows)).round(1),
        }
    )


def sensors_with_gaps() -> Case:
    """Three sensors every five minutes, with outages of the logger and single cells missing."""
    rng = np.random.default_rng(2)
    train = _sensors(rng, "2026-03-01", 288 * 21).drop(range(900, 960)).drop(range(3000, 3010))
    train.loc[train.sample(40, random_state=1).index, "humidity"] = np.nan
    coming = _sensors(rng, "2026-03-22", 288 * 4)
    coming.loc[600:611, "temperature"] += 9
    return Case(_csv(train), _csv(coming), dict.fromkeys(range(601, 613), "temperature"), time="time")


def web_log() -> Case:
    """Requests to a web server."""
    rng = np.random.default_rng(3)

    def rows(first: int, count: int) -> pd.DataFrame:
        at = np.arange(first, first + count)
        path = rng.choice(
            ["/", "/shop", "/cart", "/api/items", "/login"], count, p=[0.4, 0.25, 0.15, 0.15, 0.05]
        )
        size = rng.lognormal(8, 0.6, count) * np.where(path == "/shop", 3, 1)
        return pd.DataFrame(
            {
                "timestamp": (pd.Timestamp("2026-05-01") + pd.to_timedelta(at * 7, unit="s")).strftime(
                    "%Y-%m-%dT%H:%M:%SZ"
                ),
                "client": [
                    f"10.0.{a}.{b}"
                    for a, b in zip(rng.integers(0, 9, count), rng.integers(1, 250, count), strict=True)
                ],
                "method": np.where(path == "/login", "POST", "GET"),
                "path": path,
                "status": rng.choice([200, 304, 404], count, p=[0.85, 0.12, 0.03]),
                "bytes": size.round().astype(int),
                "ms": rng.lognormal(3, 0.5, count).round(1),
            }
        )

    train, coming = rows(0, 4000), rows(4000, 1000)
    coming.loc[249, ["status", "ms"]] = [500, 30_000.0]
    coming.loc[699, "bytes"] = 900_000_000
    return Case(_csv(train), _csv(coming), {250: "ms", 700: "bytes"}, roles={"timestamp": "ignored"})


def survey() -> Case:
    """Answers on scales of one to five, with remarks and gaps."""
    rng = np.random.default_rng(4)

    def rows(first: int, count: int) -> pd.DataFrame:
        mood = rng.normal(3.4, 0.8, count)
        answers = {
            f"q{number}": np.clip(np.round(mood + rng.normal(0, 0.7, count)), 1, 5) for number in range(1, 9)
        }
        frame = pd.DataFrame(
            {
                "respondent": np.arange(first, first + count) + 1,
                "age": np.clip(rng.normal(42, 14, count).round(), 18, 88),
                "country": rng.choice(["DE", "FR", "PL", "NL"], count, p=[0.5, 0.25, 0.15, 0.1]),
                **answers,
                "remark": [f"{rng.integers(10**9):x}" if rng.random() < 0.2 else "" for _ in range(count)],
            }
        )
        return frame.mask((rng.random(frame.shape) < 0.02) & (frame.columns != "respondent"))

    train, coming = rows(0, 900), rows(900, 300)
    coming.loc[49, "age"] = 430
    coming.loc[149, "q3"] = 55
    return Case(
        _csv(train), _csv(coming), {50: "age", 150: "q3"}, roles={"respondent": "id", "q1": "numeric"}
    )


def bank_rows() -> Case:
    """Bookings of an account: dates as numbers, European amounts, a balance that runs on."""
    rng = np.random.default_rng(5)

    def rows(first: int, count: int, balance: float) -> pd.DataFrame:
        at = np.arange(first, first + count)
        amount = np.where(
            rng.random(count) < 0.1, rng.normal(2900, 150, count), -rng.lognormal(3.5, 0.8, count)
        )
        day = pd.Timestamp("2025-01-02") + pd.to_timedelta(at // 4, unit="D")
        return pd.DataFrame(
            {
                "booking_date": day.strftime("%Y%m%d"),
                "account": "DE89370400440532013000",
                "type": np.where(amount > 0, "salary", rng.choice(["card", "debit", "transfer"], count)),
                "amount": _european(amount),
                "currency": "EUR",
                "balance": _european(balance + np.cumsum(amount)),
            }
        )

    train, coming = rows(0, 1200, 5000.0), rows(1200, 400, 90_000.0)
    coming.loc[119, "amount"] = "-48.500,00"
    return Case(_csv(train, ";"), _csv(coming, ";"), {120: "amount"}, roles={"booking_date": "datetime"})


def wide_assay() -> Case:
    """Few samples, two hundred measurements each."""
    rng = np.random.default_rng(6)
    loadings = rng.normal(0, 1, (6, 200))

    def rows(first: int, count: int) -> pd.DataFrame:
        values = rng.normal(0, 1, (count, 6)) @ loadings + rng.normal(0, 0.4, (count, 200))
        frame = pd.DataFrame(values.round(4), columns=[f"marker_{number:03d}" for number in range(200)])
        frame.insert(0, "sample", [f"S-{first + number:04d}" for number in range(count)])
        return frame

    train, coming = rows(0, 240), rows(240, 80)
    coming.loc[29, coming.columns[1:60]] = rng.normal(0, 3, 59).round(4)
    return Case(_csv(train), _csv(coming), {30: ""}, roles={"sample": "id"})


def inventory() -> Case:
    """Parts with codes that look like numbers, bins and suppliers."""
    rng = np.random.default_rng(7)

    def rows(first: int, count: int) -> pd.DataFrame:
        kind = rng.integers(0, 4, count)
        cost = np.array([0.4, 6.0, 45.0, 380.0])[kind] * rng.lognormal(0, 0.2, count)
        return pd.DataFrame(
            {
                "part": [f"{number:06d}" for number in rng.permutation(900_000)[:count] + first],
                "supplier": [f"{number:03d}" for number in np.array([7, 12, 31, 80])[kind]],
                "bin": [
                    f"{row}-{shelf:02d}"
                    for row, shelf in zip(
                        np.array(list("ABCD"))[kind], rng.integers(1, 20, count), strict=True
                    )
                ],
                "stock": rng.poisson(np.array([900, 120, 40, 6])[kind]),
                "reorder_at": np.array([200, 30, 10, 2])[kind],
                "unit_cost": cost.round(2),
            }
        )

    train, coming = rows(0, 1600), rows(0, 500)
    coming.loc[79, "stock"] = -40
    coming.loc[379, "unit_cost"] = 99_999.0
    return Case(
        _csv(train),
        _csv(coming),
        {80: "stock", 380: "unit_cost"},
        roles={"supplier": "categorical", "part": "id"},
    )


def european_decimals() -> Case:
    """Semicolons, decimal commas and points between thousands."""
    rng = np.random.default_rng(8)

    def rows(count: int, odd: int | None = None) -> str:
        width, height = rng.normal(1200, 80, count), rng.normal(700, 40, count)
        area = width * height / 1000
        if odd is not None:
            area[odd] = 90
        return _csv(
            pd.DataFrame(
                {
                    "Werk": rng.choice(["Köln", "Linz", "Zürich"], count),
                    "Breite": _european(width, 1),
                    "Höhe": _european(height, 1),
                    "Fläche": _european(area, 2),
                }
            ),
            ";",
        )

    return Case(rows(1000), rows(300, 200), {201: "Fläche"}, roles={"Breite": "numeric", "Fläche": "numeric"})


def energy_meter() -> Case:
    """An hourly meter: power, voltage, and the reading of what was used so far."""
    rng = np.random.default_rng(9)

    def rows(start: str, count: int, reading: float) -> pd.DataFrame:
        times = pd.date_range(start, periods=count, freq="h")
        day = np.clip(np.sin((times.hour - 6) / 24 * 2 * np.pi), 0, None)
        power = 0.4 + 2.2 * day * np.where(times.day_of_week < 5, 1, 0.6) + rng.gamma(2, 0.08, count)
        return pd.DataFrame(
            {
                "Zeit": times.strftime("%Y-%m-%d %H:%M"),
                "power_kw": power.round(3),
                "voltage": rng.normal(230, 1.2, count).round(1),
                "meter_kwh": (reading + np.cumsum(power)).round(2),
            }
        )

    train, coming = rows("2026-01-01", 24 * 70, 10_000.0), rows("2026-03-12", 24 * 14, 12_300.0)
    coming.loc[170:176, "power_kw"] += 9
    return Case(_csv(train), _csv(coming), dict.fromkeys(range(171, 178), "power_kw"), time="Zeit")


def server_metrics() -> Case:
    """Three machines, a line each every minute."""
    rng = np.random.default_rng(10)

    def rows(start: str, count: int) -> pd.DataFrame:
        times = pd.date_range(start, periods=count, freq="min")
        parts = []
        for host, busy in (("web-1", 35.0), ("web-2", 30.0), ("db-1", 55.0)):
            day = np.sin(times.hour.to_numpy() / 24 * 2 * np.pi)
            cpu = np.clip(busy + 12 * day + rng.normal(0, 4, count), 1, 100)
            parts.append(
                pd.DataFrame(
                    {
                        "ts": times.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
                        "host": host,
                        "cpu": cpu.round(1),
                        "memory": (40 + 0.3 * cpu + rng.normal(0, 1, count)).round(1),
                        "net_mb": (cpu * rng.gamma(20, 0.05, count)).round(2),
                    }
                )
            )
        return pd.concat(parts).sort_values("ts", kind="stable").reset_index(drop=True)

    train, coming = rows("2026-02-01", 1440 * 4), rows("2026-02-05", 1440)
    odd = coming.index[(coming["host"] == "db-1")][600:620]
    coming.loc[odd, "memory"] = 99.0
    return Case(_csv(train), _csv(coming), dict.fromkeys((odd + 1).tolist(), "memory"), time="ts")


def daily_sales() -> Case:
    """A year of days, with weekends and a slow rise."""
    rng = np.random.default_rng(11)

    def rows(start: str, count: int, first: int) -> pd.DataFrame:
        days = pd.date_range(start, periods=count, freq="D")
        level = 900 * np.array([1.0, 0.95, 0.95, 1.0, 1.2, 1.5, 0.6])[days.day_of_week]
        visitors = rng.poisson(level * (1 + (first + np.arange(count)) / 4000))
        return pd.DataFrame(
            {
                "date": days.strftime("%Y-%m-%d"),
                "visitors": visitors,
                "sales": (visitors * rng.normal(23, 1.5, count)).round(2),
            }
        )

    train, coming = rows("2025-01-01", 365, 0), rows("2026-01-01", 60, 365)
    coming.loc[39, "sales"] = 0.0
    return Case(_csv(train), _csv(coming), {40: "sales"}, time="date")


def sixty_rows() -> Case:
    """As few rows as people try a tool with."""
    rng = np.random.default_rng(12)

    def rows(count: int) -> pd.DataFrame:
        length = rng.normal(50, 5, count)
        return pd.DataFrame(
            {
                "length": length.round(1),
                "weight": (length * 0.2 + rng.normal(0, 0.3, count)).round(2),
                "colour": rng.choice(["red", "blue"], count),
                "ok": rng.choice(["yes", "no"], count, p=[0.9, 0.1]),
            }
        )

    train, coming = rows(60), rows(30)
    coming.loc[9, "weight"] = 80.0
    return Case(_csv(train), _csv(coming), {10: "weight"})


CASES: Mapping[str, Callable[[], Case]] = {
    made.__name__: made
    for made in (
        messy_sales,
        sensors_with_gaps,
        web_log,
        survey,
        bank_rows,
        wide_assay,
        inventory,
        european_decimals,
        energy_meter,
        server_metrics,
        daily_sales,
        sixty_rows,
    )
}
