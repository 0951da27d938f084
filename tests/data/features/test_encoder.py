from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.profiles import profile, schema_of

from aedetect.data.features import FeatureEncoder
from aedetect.data.features.encoder import EncoderState, Unreadable

ROWS = 60
COLUMNS: dict[str, list[Any]] = {
    "x": [f"{number / 7:.3f}" for number in range(ROWS)],
    "gap": ["" if number % 5 == 0 else str(number % 11) for number in range(ROWS)],
    "sure": ["yes" if number % 3 else "no" for number in range(ROWS)],
    "bit": [str(number % 2) for number in range(ROWS)],
    "kind": [["a", "b", "c"][number % 3] for number in range(ROWS)],
    "when": [(datetime(2024, 1, 1) + timedelta(hours=7 * number)).isoformat() for number in range(ROWS)],
    "unit": ["C"] * ROWS,
    "level": ["5"] * ROWS,
}


def fitted(columns: dict[str, list[Any]], is_text: bool = True) -> FeatureEncoder:
    profiles = {name: profile(values, is_text=is_text) for name, values in columns.items()}
    return FeatureEncoder.fit(schema_of(profiles), profiles, max_categories=10)


ENCODER = fitted(COLUMNS)
BATCH = pa.RecordBatch.from_pydict(COLUMNS)


def one(**changed: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {name: [changed.get(name, values[7])] for name, values in COLUMNS.items()}
    )


def test_numbers_far_beyond_all_learned_ones_are_marked() -> None:
    largest = (ROWS - 1) / 7
    assert not ENCODER.transform(BATCH).out_of_range.any()
    for value, far in ((2.9 * largest, False), (3.1 * largest, True), (-2.1 * largest, True), ("inf", True)):
        found = ENCODER.transform(one(x=str(value))).out_of_range
        assert found.tolist() == [[far] + [False] * (found.shape[1] - 1)]
    assert not ENCODER.transform(one(x="")).out_of_range.any()


def test_shape_and_owners() -> None:
    encoded = ENCODER.transform(BATCH)
    assert encoded.matrix.dtype == np.float32
    assert encoded.matrix.shape == (ROWS, ENCODER.layout.width)
    assert ENCODER.owners == ["x", "gap", "sure", "bit", *["when"] * 4, "kind", "unit", "level"]


def test_training_rows_are_all_scorable_and_centred() -> None:
    encoded = ENCODER.transform(BATCH)
    assert not encoded.unscorable.any()
    assert not encoded.infinite.any()
    assert not encoded.changed_constants.any()
    numbers = encoded.matrix[:, : ENCODER.layout.numeric]
    assert (np.abs(np.nanmedian(numbers, axis=0)) < 1.5).all()


def test_layout_knows_what_was_missing() -> None:
    layout = ENCODER.layout
    assert layout.gaps.tolist() == [False, True, *[False] * 6]
    assert layout.missing_rates[1] == pytest.approx(12.5 / 61)
    assert layout.cardinalities == (5,)


def test_second_view_is_in_standard_deviations() -> None:
    layout, matrix = ENCODER.layout, ENCODER.transform(BATCH).matrix
    view = np.sinh(matrix[:, 0]) * layout.gain[0] + layout.shift[0]
    assert (view.mean(), view.std()) == pytest.approx((0, 1), abs=0.1)


def test_inverse_transform_undoes_transform() -> None:
    found = ENCODER.inverse_transform(ENCODER.transform(BATCH).matrix)
    np.testing.assert_allclose(found["x"].to_numpy(), np.array(COLUMNS["x"], float), atol=1e-4)
    assert found["kind"].to_pylist() == COLUMNS["kind"]
    assert found["sure"].to_pylist() == COLUMNS["sure"]
    assert found["gap"].null_count == 12
    assert found["unit"].to_pylist() == COLUMNS["unit"]
    assert found["when"].to_pylist()[1] == "Mon 07:00"


@given(st.permutations(list(COLUMNS)), st.integers(1, ROWS - 1))
def test_neither_order_of_columns_nor_batches_matter(order: list[str], cut: int) -> None:
    whole = ENCODER.transform(BATCH).matrix
    shuffled = BATCH.select(order)
    parts = [ENCODER.transform(shuffled[:cut]).matrix, ENCODER.transform(shuffled[cut:]).matrix]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(("column", "text"), [("x", "--"), ("sure", "maybe"), ("when", "soon")])
def test_unreadable_cells_make_the_row_unscorable(column: str, text: str) -> None:
    batch = pa.Table.from_batches([one(), one(**{column: text})]).combine_chunks().to_batches()[0]
    encoded = ENCODER.transform(batch)
    assert encoded.unscorable.tolist() == [False, True]
    assert encoded.unreadable == {column: Unreadable(1, 1)}


def test_row_without_any_value_is_unscorable() -> None:
    empty = dict.fromkeys(("x", "gap", "sure", "bit", "kind", "when"), "")
    assert ENCODER.transform(one(**empty)).unscorable.tolist() == [True]
    assert ENCODER.transform(one(**{**empty, "kind": "a"})).unscorable.tolist() == [False]


@pytest.mark.parametrize("text", ["inf", "-inf", "1e300", "1e400"])
def test_infinite_and_absurd_numbers_are_marked_and_stay_finite(text: str) -> None:
    encoded = ENCODER.transform(one(x=text))
    assert encoded.infinite.tolist() == [True]
    assert np.isfinite(encoded.matrix[0, 0])


def test_unusual_numbers_in_a_column_of_bits_are_readable() -> None:
    encoded = ENCODER.transform(one(bit="5"))
    assert not encoded.unscorable.any()


def test_unseen_categories_are_counted() -> None:
    assert ENCODER.transform(one(kind="z")).unseen == {"kind": {"z": 1}}


@pytest.mark.parametrize(
    ("column", "value", "moved"),
    [
        ("unit", "C", False), ("unit", " C ", False), ("unit", "F", True), ("unit", "", True),
        ("unit", None, True), ("level", "5", False), ("level", "5.00", False), ("level", "6", True),
        ("level", "x", True), ("level", "", True),
    ],
)  # fmt: skip
def test_constants_that_move(column: str, value: str | None, moved: bool) -> None:
    place = list(ENCODER.state.constant).index(column)
    assert bool(ENCODER.transform(one(**{column: value})).changed_constants[0, place]) is moved


@pytest.mark.parametrize(
    ("trained", "is_text", "value", "moved"),
    [
        ("01", True, "01", False),
        ("01", True, "1", True),
        ("infinity", False, "infinity", False),
        ("1_000", False, "1_000", False),
        (True, False, "TRUE", False),
        (True, False, 0, True),
        ("True", True, True, False),
        (7, False, "7.0", False),
    ],
)
def test_constants_are_compared_as_what_they_are(
    trained: Any, is_text: bool, value: Any, moved: bool
) -> None:
    numbers = [f"{number}.5" for number in range(20)] if is_text else [number + 0.5 for number in range(20)]
    encoder = fitted({"x": numbers, "c": [trained] * 20}, is_text)
    batch = pa.RecordBatch.from_pydict({"x": numbers[:1], "c": [value]})
    assert bool(encoder.transform(batch).changed_constants[0, 0]) is moved


def test_same_matrix_from_typed_data() -> None:
    typed = BATCH.to_pydict()
    columns = {
        "x": [float(text) for text in typed["x"]],
        "gap": [None if text == "" else int(text) for text in typed["gap"]],
        "sure": [text == "yes" for text in typed["sure"]],
        "bit": [int(text) for text in typed["bit"]],
        "kind": pa.array(typed["kind"]).dictionary_encode(),
        "when": [datetime.fromisoformat(text) for text in typed["when"]],
        "unit": typed["unit"],
        "level": [5.0] * ROWS,
    }
    encoded = ENCODER.transform(pa.RecordBatch.from_pydict(columns))
    np.testing.assert_array_equal(encoded.matrix, ENCODER.transform(BATCH).matrix)
    assert not encoded.changed_constants.any()


def test_state_and_statistics_restore_the_encoder() -> None:
    state = EncoderState.model_validate_json(ENCODER.state.model_dump_json())
    restored = FeatureEncoder(ENCODER.schema, state, ENCODER.statistics())
    np.testing.assert_array_equal(restored.transform(BATCH).matrix, ENCODER.transform(BATCH).matrix)


def test_truth_values_of_a_typed_file_are_known_again_in_a_text_file() -> None:
    columns = {
        "x": [number / 4 for number in range(ROWS)],
        "open": [number % 3 == 0 for number in range(ROWS)],
    }
    encoder = fitted(columns, is_text=False)
    typed = encoder.transform(pa.RecordBatch.from_pydict(columns))
    words = encoder.transform(
        pa.RecordBatch.from_pydict(
            {name: [str(value) for value in values] for name, values in columns.items()}
        )
    )
    assert words.matrix.tolist() == typed.matrix.tolist()
    assert not words.unscorable.any()
    odd = encoder.transform(pa.RecordBatch.from_pydict({"x": ["1"], "open": ["ajar"]}))
    assert odd.unreadable == {"open": Unreadable(1, 0)}


def test_a_counter_is_encoded_as_missing_and_read_as_it_is() -> None:
    encoder = fitted({"count": [str(1000 * n) for n in range(1, 41)], "x": [str(n % 7) for n in range(40)]})
    place = encoder.owners.index("count")
    counting = encoder.counting([place], np.linspace(900, 1100, 40)[:, None])
    assert counting.counters == [place]
    assert encoder.counters == []
    encoded = counting.transform(pa.record_batch({"count": ["5e6"], "x": ["3"]}))
    assert np.isnan(encoded.matrix[0, place])
    assert encoded.numbers[0, place] == 5e6
    assert not encoded.unscorable[0]
    assert not encoded.out_of_range[0].any()
    assert counting.mean[place] == pytest.approx(1000, rel=0.01)
    again = EncoderState.model_validate_json(counting.state.model_dump_json())
    assert FeatureEncoder(counting.schema, again, counting.statistics()).counters == [place]
    assert "counter" not in encoder.state.model_dump_json()


def test_a_growth_that_is_always_the_same_has_a_spread() -> None:
    encoder = fitted({"count": [str(n) for n in range(1, 80, 2)], "x": [str(n % 7) for n in range(40)]})
    place = encoder.owners.index("count")
    assert encoder.counting([place], np.full((40, 1), 2.0)).deviation[place] == pytest.approx(0.2)


def test_a_range_is_replaced_without_the_scale() -> None:
    encoder = fitted({"x": [*map(str, range(60)), "9000"]})
    ranged = encoder.ranged(0, np.arange(60.0))
    assert ranged.largest("x") == 59
    assert ranged.center[0] == encoder.center[0]
