from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import in_parts, profile, schema_of

from aedetect.data import profile as profiling
from aedetect.data.cells import CellRules
from aedetect.data.profile import ColumnProfile, NumberProfile, is_usable, kind_of
from aedetect.errors import AedetectError


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


def cut(values: list[Any], places: list[int]) -> list[int]:
    return sorted({place % (len(values) + 1) for place in places})


CUTS = st.lists(st.integers(0, 1000), max_size=4)
WAYS = [
    ["1", "2.5", "-3", "1e5", ""],
    ["1", "2", "3", "4", "5"],
    ["1,234", "12", "1,234,567.5", ""],
    ["12%", "3.5 %", "-", "7%"],
    ["yes", "no", ""],
    ["07", "1e4", "12", "ab7"],
    ["a", "b c", "1", "?"],
    ["1", "2", "oops", "3.5"],
    ["2026-01-05", "2026-03-01T10:00:00Z", ""],
    ["05/01/2026", "17/02/2026", "03/03/2026", ""],
    ["20260105", "20260217", "20260303"],
    ["10:00", "11:30", "23:59"],
]


class TestParts:
    """What is seen of parts of a column adds up to what is seen of the whole."""

    @given(
        st.lists(st.integers(-3, 40).map(float) | st.sampled_from([np.nan, np.inf, 0.5, 1e39]), max_size=60),
        CUTS,
        st.integers(1, 20),
    )
    def test_facts_of_numbers(self, values: list[float], places: list[int], head: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(profiling, "_UNIQUE_ROWS", head)
            whole, total = numbers(values), NumberProfile()
            for part in np.split(np.array(values), cut(values, places)):
                total.add(numbers(part.tolist()))
        names = ("count", "infinite", "all_integer", "only_zero_one", "consecutive", "unique_head")
        assert [getattr(total, name) for name in names] == [getattr(whole, name) for name in names]
        np.testing.assert_array_equal([total.minimum, total.maximum], [whole.minimum, whole.maximum])
        if whole.count:
            ranks = np.linspace(0, 1, 9)
            np.testing.assert_allclose(total.quantiles(ranks), whole.quantiles(ranks), atol=1e-9)

    @given(st.integers(0, 4), st.integers(2, 60), st.sampled_from(["normal", "lognormal", "poisson"]))
    @settings(max_examples=20, deadline=None)
    def test_quantiles_are_as_near_as_those_of_one_pass(self, seed: int, parts: int, law: str) -> None:
        random = np.random.default_rng(seed)
        values = np.asarray(getattr(random, law)(size=30_000), np.float64)
        total = NumberProfile()
        for part in np.array_split(np.sort(values) if seed % 2 else values, parts):
            total.add(numbers(part.tolist()))
        ranks, ordered = np.linspace(0.01, 0.99, 50), np.sort(values)

        def error(found: NumberProfile) -> float:
            quantiles = found.quantiles(ranks)
            ends = (np.searchsorted(ordered, quantiles, side) / len(values) for side in ("left", "right"))
            low, high = ends
            return float(np.maximum(np.maximum(low - ranks, ranks - high), 0).mean())

        assert error(total) <= error(numbers(values.tolist()))

    @given(
        st.sampled_from(WAYS).flatmap(lambda way: st.lists(st.sampled_from(way), min_size=1, max_size=40)),
        CUTS,
        st.booleans(),
    )
    @settings(deadline=None, max_examples=60)
    def test_what_a_column_is_taken_for(self, texts: list[str], places: list[int], piloted: bool) -> None:
        said = []
        for found in (profile(texts, counting=True), in_parts(texts, cut(texts, places), piloted=piloted)):
            counted = (found.rows, found.missing, found.example, found.first_bad, found.bad_texts)
            try:
                said.append((counted, str(schema_of({"x": found}))))
            except AedetectError as error:
                said.append((counted, str(error)))
        assert said[0] == said[1]

    @given(st.lists(st.sampled_from(["a", "b", "c", "2026-01-05", ""]), max_size=30), CUTS)
    def test_counts_of_typed_text(self, texts: list[str], places: list[int]) -> None:
        whole = profile(texts or [""], is_text=False)
        total = in_parts(texts or [""], cut(texts, places), is_text=False)
        assert list(total.counts.items()) == list(whole.counts.items())
        assert (total.is_counted, total.overflowed) == (True, False)

    def test_a_part_of_something_else_does_not_hide_what_the_others_are(self) -> None:
        texts = ["1,234"] * 4000 + ["junk"] * 200 + ["2,345"] * 4000
        total = in_parts(texts, [4000, 4200])
        assert not total.written.hopeless
        assert total.written.cells == len(texts)
        assert in_parts([*texts[:4000], *["junk"] * 4000], [4000]).written.hopeless

    def test_too_many_to_count_are_too_many_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(profiling, "MAX_COUNTED", 5)
        assert in_parts(list("abcdefgh"), [4]).overflowed
        assert not in_parts(list("abcdabcd"), [4]).overflowed

    def test_what_hardly_repeats_is_counted_in_the_first_part_alone(self) -> None:
        empty, part = (
            profile(pa.array([], pa.string()), counting=True),
            pa.array([f"u{n}" for n in range(2000)]),
        )
        pilot = empty.fresh()
        pilot.update(part, str)
        for must_count, counted in ((False, 0), (True, 2000)):
            empty.must_count = must_count
            later = empty.fresh(pilot)
            later.update(part, str)
            assert (later.counted_rows, later.rows) == (counted, 2000)
