from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.profiles import profile

from aedetect.data import profile as profiling
from aedetect.data.cells import CellRules
from aedetect.data.profile import ColumnProfile, NumberProfile, is_usable, kind_of


def numbers(*batches: list[float]) -> NumberProfile:
    found = NumberProfile()
    for batch in batches:
        found.update(np.array(batch, dtype=np.float64))
    return found


class TestNumberProfile:
    def test_non_finite_and_absurd_values_are_set_aside(self) -> None:
        found = numbers([1.0, np.inf, -np.inf, 1e300, np.nan, 3.0])
        assert (found.count, found.infinite, found.minimum, found.maximum) == (2, 3, 1.0, 3.0)

    def test_quantiles(self) -> None:
        found = numbers(list(range(501)), list(range(501, 1001)))
        np.testing.assert_allclose(
            found.quantiles(np.array([0.0, 0.25, 0.5, 1.0])), [0, 250, 500, 1000], atol=1
        )

    def test_nothing_seen(self) -> None:
        assert np.isnan(numbers([]).minimum)
        assert np.isnan(numbers([np.nan]).maximum)

    @pytest.mark.parametrize(
        ("batches", "facts"),
        [
            ([[1, 2], [3, 4]], (True, True, True, False)),
            ([[1, 2], [4, 5]], (True, False, True, False)),
            ([[1, 2], [2, 3]], (True, False, False, False)),
            ([[0, 1], [1, 0]], (True, False, False, True)),
            ([[0.5], [1.5]], (False, True, True, False)),
        ],
    )
    def test_facts_span_batches(self, batches: list[list[float]], facts: tuple[bool, ...]) -> None:
        found = numbers(*batches)
        assert (found.all_integer, found.consecutive, found.unique_head, found.only_zero_one) == facts

    @given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 7))
    def test_a_repeated_number_is_seen_wherever_it_stands(self, values: list[int], rows: int) -> None:
        found = numbers(
            *([float(each) for each in values[i : i + rows]] for i in range(0, len(values), rows))
        )
        assert found.unique_head == (len(set(values)) == len(values))

    def test_numbers_that_all_differ_take_little_room(self) -> None:
        values = np.random.default_rng(0).permutation(9_000).astype(np.float64)
        found = NumberProfile()
        tracemalloc.start()
        for part in np.split(values, 9):
            found.update(part)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # A set of Python's numbers takes eight times as much: gigabytes for thousands of columns.
        assert found.unique_head
        assert size < 100_000


class TestText:
    def test_counts_of_what_cells_are(self) -> None:
        found = profile(["1", "x", "", None, "02", "?"], rules=CellRules(na_values=("?",)))
        assert (found.rows, found.missing, found.filled) == (6, 3, 3)
        assert (found.bad_numbers, found.leading_zeros) == (1, 1)
        assert found.first_bad == ("f: row 2", "x")

    @pytest.mark.parametrize("text", ["0.5", "0", "-0.1", "00.5"])
    def test_zero_before_the_point_is_no_code(self, text: str) -> None:
        assert profile([text]).leading_zeros == 0

    @given(
        st.lists(
            st.sampled_from(["1", "0", "2.5", "x", "true", "2024-01-01", "1,5", "07", ""]),
            min_size=1,
            max_size=30,
        ),
        st.integers(1, 5),
    )
    def test_what_is_found_does_not_depend_on_batches(self, texts: list[str], batches: int) -> None:
        def facts(found: ColumnProfile) -> tuple[Any, ...]:
            words = found.not_boolean if found.bad_numbers else None
            dates = found.first_instant if not found.not_datetime else None
            return (found.missing, found.bad_numbers, found.first_bad, found.numbers.count, words, dates)

        assert facts(profile(texts, batches=batches)) == facts(profile(texts))

    def test_counting_begins_when_a_column_turns_out_to_hold_words(self) -> None:
        late = profile(["1", "2", "a", "b"], batches=2)
        assert late.counts == {"a": 1, "b": 1}
        assert not late.is_counted

    def test_counting_stops_when_there_are_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(profiling, "MAX_COUNTED", 3)
        assert profile(list("abcdef")).overflowed


class TestTyped:
    def test_text_is_counted_and_looked_through_for_no_numbers(self) -> None:
        found = profile(["1", "", None, "2024-01-01"], is_text=False)
        assert found.counts == {"1": 1, "2024-01-01": 1}
        assert (found.missing, found.numbers.count, found.not_datetime) == (2, 0, 1)

    def test_text_is_parsed_when_a_role_was_set_by_hand(self) -> None:
        assert profile(["1", "2"], is_text=False, parsed=True).numbers.count == 2

    def test_dates(self) -> None:
        found = profile([date(1970, 1, 2), None, date(1970, 1, 1)], is_text=False)
        assert (found.first_instant, found.last_instant, found.missing) == (0.0, 86400.0, 1)

    def test_numbers(self) -> None:
        found = profile([1.5, None, 2.5], is_text=False)
        assert (found.numbers.count, found.missing, found.bad_numbers) == (2, 1, 0)

    def test_lists_are_not_looked_at(self) -> None:
        found = profile([[1], [2]], is_text=False)
        assert (found.readable, found.rows, found.kind) == (False, 2, "list<item: int64>")

    def test_text_in_a_later_file_of_a_numeric_column_is_parsed(self) -> None:
        found = profile([1.0, 2.0], is_text=False)
        found.update(pa.array(["3", "x"]), lambda index: f"g: row {index + 1}")
        assert (found.numbers.count, found.first_bad) == (3, ("g: row 2", "x"))


@pytest.mark.parametrize(
    ("field", "usable", "kind"),
    [
        (pa.field("x", pa.string()), True, "string"),
        (pa.field("x", pa.string(), metadata={b"aedetect.nested": b"1"}), False, "list or object"),
        (pa.field("x", pa.binary()), False, "binary"),
    ],
)
def test_usable_fields(field: pa.Field, usable: bool, kind: str) -> None:
    assert (is_usable(field), kind_of(field)) == (usable, kind)
