from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aedetect.data.cells import CellRules
from aedetect.data.series.time_text import ORDERS, Order, looks_like, read_text, template_of
from aedetect.data.series.timestamps import Clock


def orders_of(text: str) -> dict[Order, str]:
    """The orders in which `text` is a date, and the date."""
    said = {}
    for order in (*ORDERS, "clock"):
        read = read_text(pa.array([text]), CellRules(), order, None)
        if not read.bad[0]:
            said[order] = str(np.datetime64(int(read.seconds[0]), "s"))
    return said


@pytest.mark.parametrize(
    ("text", "order", "when"),
    [
        ("2024-W01", "yw", "2024-01-01T00:00:00"),
        ("2020W53", "yw", "2020-12-28T00:00:00"),
        ("2020-W53-3", "yw", "2020-12-30T00:00:00"),
        ("2024-Q3", "yq", "2024-07-01T00:00:00"),
        ("Jan 2026", "by", "2026-01-01T00:00:00"),
        ("Jan-26", "by", "2026-01-01T00:00:00"),
        ("January, 2026", "by", "2026-01-01T00:00:00"),
        ("Jan 05 2026", "bdy", "2026-01-05T00:00:00"),
        ("Mon Jan  5 14:30:00 2026", "bdty", "2026-01-05T14:30:00"),
        ("Mon Jan 5 14:30:00 UTC 2026", "bdty", "2026-01-05T14:30:00"),
        ("14:30:00", "clock", "1970-01-01T14:30:00"),
        ("2:30 PM", "clock", "1970-01-01T14:30:00"),
        ("2024-01", "ym", "2024-01-01T00:00:00"),
        ("23-Sep-11", "dby", "2011-09-23T00:00:00"),
    ],
)
def test_one_order_alone_fits(text: str, order: Order, when: str) -> None:
    assert orders_of(text) == {order: when}


@pytest.mark.parametrize("text", ["2024-W53", "2024-W00", "2024-Q5", "25:00", "14:60", "Foo 2026", "2024-13"])
def test_no_dates(text: str) -> None:
    assert orders_of(text) == {}


def test_forms() -> None:
    assert looks_like(["99.99.2026", "a"], "dmy")
    assert looks_like(["2024-01-01T10:00:00Z"], "ymd")
    assert not looks_like(["a", "b"], "dmy")


@pytest.mark.parametrize(
    ("text", "order", "template"),
    [
        ("05.01.2026 14:30", "dmy", "%d.%m.%Y %H:%M"),
        ("1/2/26", "mdy", "%m/%d/%y"),
        ("5 January 2026", "dby", "%d %B %Y"),
        ("01/05/2026 2:30 PM", "mdy", "%m/%d/%Y %I:%M %p"),
        ("2024-W05", "yw", "%G-W%V"),
        ("20240131T143000Z", "compact", "%Y%m%dT%H%M%S%z"),
        ("nothing", "dmy", "%d/%m/%Y"),
    ],
)
def test_templates(text: str, order: Order, template: str) -> None:
    assert template_of(text, order) == template


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2068, 12, 31)),
    st.sampled_from(
        [
            ("%d.%m.%Y %H:%M", "dmy"),
            ("%Y%m%d%H%M%S", "compact"),
            ("%b %d %Y %I:%M %p", "bdy"),
            ("%d-%b-%y", "dby"),
        ]
    ),
)
def test_what_is_spelled_is_read_again(when: datetime, written: tuple[str, Order]) -> None:
    template, order = written
    text = when.strftime(template)
    clock = Clock(columns=("x",), kind="text", order=order, format=template_of(text, order))
    seconds = clock.instants(pa.array([text]), CellRules()).values
    assert seconds[0] == datetime.strptime(text, template).replace(tzinfo=UTC).timestamp()
    assert clock.spelled(np.append(seconds, np.nan)).to_pylist() == [text, None]
