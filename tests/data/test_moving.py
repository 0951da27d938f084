"""Columns that move on are told from those that only look like it; the rows are otherwise alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aedetect.config import Config
from aedetect.data.schema import Column
from aedetect.io.inputs import as_inputs
from aedetect.training.profiling import profile_inputs

Made = Callable[[np.ndarray[Any, Any]], Any]
RNG = np.random.default_rng
ROWS = 1000


def rows(at: np.ndarray[Any, Any]) -> pd.DataFrame:
    rng = RNG(int(at[0]) + 5)
    return pd.DataFrame(
        {
            "price": rng.gamma(3, 10, len(at)).round(2),
            "channel": rng.choice(["web", "shop", "phone"], len(at)),
            "weight": rng.normal(5, 1, len(at)).round(3),
        }
    )


def decided(*frames: pd.DataFrame, name: str, **settings: Any) -> tuple[Column, tuple[str, ...]]:
    profile = profile_inputs(as_inputs(list(frames), Config().data), Config.model_validate(settings))
    return next(column for column in profile.schema.columns if column.name == name), profile.notices


MOVING: dict[str, tuple[str, Made, str, str]] = {
    "batches": ("batch", lambda at: 500 + at // 40, "id", "a running number, from 500 to 524"),
    "batches as text": ("lot", lambda at: [f"B-{i // 40:04d}" for i in at], "id", "a code that moves on"),
    "lines of orders": ("order_no", lambda at: 90000 + at // 3, "id", "a running number"),
    "one twice": ("order_id", lambda at: np.where(at == 700, 10699, 10000 + at), "id", "a running number"),
    "newest first": ("seq", lambda at: 90000 - at, "id", "a running number, from 89001 to 90000"),
    "by a neutral name": ("x", lambda at: 5 * at + RNG(1).integers(0, 5, len(at)), "id", "a running number"),
    "not quite in order": ("ticket", lambda at: at + RNG(1).integers(-5, 6, len(at)), "id", "a running"),
    "customers": ("k", lambda at: RNG(1).integers(1, 2000 + at), "id", "like a number given out one by one"),
    "ids in any order": (
        "account",
        lambda at: np.where(at == 3, 10, RNG(1).permutation(len(at)) + 10),
        "id",
        "by its name an identifier, another in nearly every row",
    ),
    "many digits": (
        "v",
        lambda at: np.where(at % 9 == 0, 5_000_000_000, RNG(1).integers(4 * 10**9, 9 * 10**9, len(at))),
        "id",
        "whole numbers of many digits",
    ),
    "hashes as numbers": (
        "v",
        lambda at: RNG(1).integers(0, 2**63, len(at)),
        "id",
        "whole numbers of more digits than are ever measured",
    ),
    "hashes over lines": (
        "order_id",
        lambda at: [f"{hash((i // 3, 7)) & 0xFFFFFFFF:08x}" for i in at],
        "id",
        "by its name an identifier, whose values come once and not again",
    ),
    "a meter": ("v", lambda at: 4000 + 3.1 * at + RNG(1).random(len(at)), "ignored", "a reading that only"),
    "a slow meter": (
        "odometer",
        lambda at: 1e5 + 40 * at + 8000 * np.sin(at / 500),
        "ignored",
        "a reading that only grows or falls",
    ),
    "a balance": (
        "balance",
        lambda at: 5000 + 50.0 * at + 90 * np.cos(7.0 * at),
        "ignored",
        "a level that moves on with the rows, from 5,0",
    ),
    "weeks": ("week", lambda at: 1 + at // 300, "ignored", "a part of a date that moves on"),
    "quarters": ("quarter", lambda at: [f"Q{1 + i // 400}" for i in at], "ignored", "a part of a date"),
    "months": ("month", lambda at: [("May", "June")[i // 600] for i in at], "ignored", "a part of a date"),
    "a scattered level": (
        "total_km",
        lambda at: (50000 + 3.1 * at + RNG(1).normal(0, 150, len(at))).round(),
        "ignored",
        "a level that moves on with the rows, from ",
    ),
    "days in words": (
        "seen",
        lambda at: [f"{1 + i // 40}{'th' if i // 40 > 2 else 'st'} of Brumaire 2025" for i in at],
        "ignored",
        "texts with a year, of which each comes once and not again",
    ),
    "weeks before years": (
        "at",
        lambda at: [f"KW {(9 + i // 8) % 52 + 1}/{2025 + (9 + i // 8) // 52}" for i in at],
        "ignored",
        "weeks, quarters or halves of years",
    ),
    "a reading with restarts": (
        "uptime",
        lambda at: (at * 90.0) % 60_000,
        "ignored",
        "a reading that grows with the rows, and falls 1 time",
    ),
    "shifts": (
        "crew",
        lambda at: [f"202501{1 + i // 60:02d}-{'ABC'[i // 20 % 3]}" for i in at],
        "ignored",
        "a part of a date that moves on with the rows",
    ),
    "weeks by a short name": ("w", lambda at: [f"W{9 + i // 200:02d}" for i in at], "ignored", "a part of a"),
    "years of sport": (
        "season",
        lambda at: [f"{2020 + i // 200}/{21 + i // 200}" for i in at],
        "ignored",
        "a part of a date",
    ),
    "quarters, shuffled": (
        "at",
        lambda at: [f"Q{1 + i % 4} 202{i % 3}" for i in RNG(1).permutation(at)],
        "ignored",
        "weeks, quarters or halves of years",
    ),
    "weeks in one word": ("weekno", lambda at: 10 + at // 200, "ignored", "a part of a date that moves on"),
    "orders, shuffled": (
        "v",
        lambda at: RNG(1).permutation(at // 3 + 5000),
        "id",
        "a number given out one by one: those from 5000 to 5333 are in as many rows each",
    ),
    "orders, one twice, shuffled": (
        "v",
        lambda at: RNG(1).permutation(np.where(at == 700, 10699, 10000 + at)),
        "id",
        "a number given out one by one: those from 10000 to 10999 are in as many rows each",
    ),
    "sessions, shuffled": (
        "session",
        lambda at: [f"{hash((i // 5, 3)) & 0xFFFFFFFF:08x}" for i in RNG(1).permutation(at)],
        "id",
        "by its name what comes once and not again, each in as many rows",
    ),
    "customers, newest first": (
        "k",
        lambda at: RNG(1).integers(1, 2000 + at)[::-1],
        "id",
        "like a number given out one by one: the highest keeps growing from the last row to the first",
    ),
    "a scattered level of few rows": (
        "stock",
        lambda at: np.r_[(20000 - 3.3 * at[:150] + RNG(1).normal(0, 30, 150)).round(), np.full(850, np.nan)],
        "ignored",
        "a level that moves on with the rows",
    ),
    "one batch": (
        "batch",
        lambda at: np.full(len(at), 7),
        "ignored",
        "the same in all rows, and by its name",
    ),
}


@pytest.mark.parametrize("kind", MOVING)
def test_columns_that_move_on_are_left_out_and_said(kind: str) -> None:
    name, make, role, why = MOVING[kind]
    at = np.arange(ROWS)
    column, notices = decided(rows(at).assign(**{name: make(at)}), name=name)
    assert column.role == role
    assert column.reason.startswith(f"left out, {why}")
    assert any(notice.startswith(f"column {name!r} is left out: {why}") for notice in notices)
    assert any(f"--role {name}=" in notice and notice.endswith("to learn it") for notice in notices)


STAYING: dict[str, tuple[str, Made, str]] = {
    "amounts, sorted": ("amount", lambda at: np.sort(RNG(1).lognormal(3, 1, len(at))), "numeric"),
    "a season": ("temp", lambda at: 15 + 10 * np.sin(at / 300) + RNG(1).normal(0, 1, len(at)), "numeric"),
    "ages, sorted": ("age", lambda at: np.sort(RNG(1).normal(45, 12, len(at)).round()), "numeric"),
    "sizes": ("bytes", lambda at: RNG(1).lognormal(12, 2, len(at)).round(), "numeric"),
    "stores": ("store_id", lambda at: RNG(1).integers(1, 40, len(at)), "numeric"),
    "regions, sorted": ("region", lambda at: np.sort(RNG(1).choice(list("NSEW"), len(at))), "categorical"),
    "densities": ("n_e", lambda at: RNG(1).lognormal(44, 1, len(at)).round(), "numeric"),
    "hours, as many of each": ("hr", lambda at: at % 24, "numeric"),
    "ports by chance": ("port", lambda at: RNG(1).integers(5000, 5040, len(at)), "numeric"),
    "zip codes": ("zip", lambda at: RNG(1).integers(10000, 99999, len(at)), "numeric"),
    "counts": ("orders", lambda at: RNG(1).poisson(30, len(at)), "numeric"),
    "pressures": ("pa", lambda at: RNG(1).normal(101325, 300, len(at)).round(), "numeric"),
    "by species": ("petal", lambda at: at // 400 * 2.0 + RNG(1).normal(4, 0.5, len(at)), "numeric"),
    "models, sorted": ("model", lambda at: [f"Ford {chr(65 + i // 60)} 2012" for i in at], "categorical"),
    "a constant": ("site", lambda at: np.full(len(at), 7), "constant"),
}


@pytest.mark.parametrize("kind", STAYING)
def test_other_columns_stay(kind: str) -> None:
    name, make, role = STAYING[kind]
    at = np.arange(ROWS)
    column, _ = decided(rows(at).assign(**{name: make(at)}), name=name)
    assert column.role == role


def test_what_goes_along_with_a_sorted_measurement_stays() -> None:
    sale = np.sort(RNG(1).lognormal(7, 1, ROWS)).round(2)
    frame = rows(np.arange(ROWS)).assign(sale=sale, carat=(sale**0.4 + RNG(2).normal(0, 1, ROWS)).round(2))
    assert decided(frame, name="carat")[0].role == "numeric"


def test_readings_of_several_meters_grow_within_each() -> None:
    at = np.arange(ROWS)
    start = np.array([1000, 50000, 20000, 7000, 90000])[at % 5]
    frame = rows(at).assign(device=at % 5, v=start + 1.3 * at + RNG(1).random(ROWS))
    column, _ = decided(frame, name="v")
    assert column.reason == (
        "left out, a reading that only grows within each 'device'; --role v=numeric to learn it"
    )


def test_shuffled_rows_are_seen_in_the_order_of_a_date() -> None:
    at = np.arange(ROWS)
    frame = rows(at).assign(when=pd.Timestamp("2026-01-01") + pd.to_timedelta(at, unit="h"), b=500 + at // 40)
    column, _ = decided(frame.sample(frac=1, random_state=1), name="b")
    assert column.reason == (
        "left out, a running number, from 500 to 524 in the order of 'when'; --role b=numeric to learn it"
    )


def test_the_order_of_inputs_does_not_matter_and_indexes_of_several_are_told() -> None:
    parts = [rows(np.arange(ROWS) + start).assign(i=np.arange(ROWS)) for start in (0, ROWS, 2 * ROWS)]
    column, _ = decided(*parts, name="i")
    assert column.reason == "left out, it counts the rows of each file; --role i=numeric to learn it"
    batches = [
        part.assign(b=1 + np.arange(ROWS) // 40 + start)
        for part, start in zip(parts, (50, 0, 25), strict=True)
    ]
    column, _ = decided(*batches, name="b")
    assert column.role == "id"


def test_a_column_asked_for_is_learned() -> None:
    at = np.arange(ROWS)
    column, notices = decided(
        rows(at).assign(batch=500 + at // 40), name="batch", data={"roles": {"batch": "numeric"}}
    )
    assert column.role == "numeric"
    assert not any("batch" in notice for notice in notices)


def test_where_the_rows_are_sorted_by_a_measurement_it_is_learned_and_said() -> None:
    at = np.arange(ROWS)
    name, make, _ = STAYING["amounts, sorted"]
    _, notices = decided(rows(at).assign(**{name: make(at)}), name=name)
    assert (
        "column 'amount': the rows are in its order; --exclude amount if the next file goes on from there"
        in notices
    )
