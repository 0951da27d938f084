from __future__ import annotations

import pytest

from aedetect.data import running_names as names


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("orderNo", ["order", "no"]),
        ("ORDER_NO", ["order", "no"]),
        ("order no.", ["order", "no"]),
        ("REGISTRY-ID2", ["registry", "id"]),
        ("X.ID", ["x", "id"]),
        ("", []),
    ],
)
def test_words(name: str, listed: list[str]) -> None:
    assert names.words(name) == listed


@pytest.mark.parametrize("name", ["order_id", "customerNumber", "id", "ID_kunde", "Unnamed: 0", "row"])
def test_ids(name: str) -> None:
    assert names.names_an_id(name)
    assert names.names_what_is_numbered(name)


@pytest.mark.parametrize("name", ["humid", "paid", "valid", "orders", "amount", "customers_seen", "load_kw"])
def test_other_names(name: str) -> None:
    assert not names.names_what_is_numbered(name)


def test_batches_readings_and_times() -> None:
    assert names.names_a_batch("batch_no")
    assert names.names_a_batch("file name")
    assert not names.names_a_batch("load_kw")
    assert names.names_a_reading("meter reading")
    assert names.names_a_time("loadMonth")
    assert not any(
        test("temperature") for test in (names.names_a_batch, names.names_a_reading, names.names_a_time)
    )


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("weekno", ["week", "no"]),
        ("custid", ["cust", "id"]),
        ("INVOICENR", ["invoice", "nr"]),
        ("piano", ["piano"]),
        ("grid", ["grid"]),
        ("paid", ["paid"]),
    ],
)
def test_words_written_together(name: str, parts: list[str]) -> None:
    assert names.words(name) == parts
