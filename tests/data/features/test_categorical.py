from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from support.profiles import profile, schema_of

from aedetect.data.cells import CellRules
from aedetect.data.features import FeatureEncoder, categorical
from aedetect.data.features.categorical import MISSING, OTHER, Vocabulary, check_size
from aedetect.errors import DataError

RULES = CellRules()
VOCABULARY = Vocabulary.fit("x", Counter({"b": 5, "a": 5, "c": 3, "d": 1}), missing=2, most=10)


def test_most_frequent_first_and_ties_by_name() -> None:
    assert VOCABULARY.values == ("a", "b", "c")


def test_what_was_seen_once_is_rare() -> None:
    assert (VOCABULARY.other, VOCABULARY.cardinality) == (1, 5)


def test_cap() -> None:
    capped = Vocabulary.fit("x", Counter({"b": 5, "a": 5, "c": 3}), missing=0, most=2)
    assert (capped.values, capped.other) == (("a", "b"), 3)


def test_hardly_ever_seen_in_a_long_table_is_rare() -> None:
    assert Vocabulary.fit("x", Counter({"a": 99_997, "b": 3}), missing=0, most=10).values == ("a",)


def test_codes() -> None:
    codes, unseen = VOCABULARY.encode(pa.array(["a", "c", "d", "never", "", None]), RULES)
    assert codes.tolist() == [2, 4, OTHER, OTHER, MISSING, MISSING]
    assert (codes.dtype, unseen) == (np.float32, {"d": 1, "never": 1})


def test_all_missing() -> None:
    codes, unseen = VOCABULARY.encode(pa.nulls(2), RULES)
    assert (codes.tolist(), unseen) == ([MISSING, MISSING], {})


def test_no_known_category() -> None:
    codes, unseen = Vocabulary.fit("x", Counter({"a": 1}), 0, 10).encode(pa.array(["a"]), RULES)
    assert (codes.tolist(), unseen) == ([OTHER], {"a": 1})


def test_decode_undoes_encode() -> None:
    codes, _ = VOCABULARY.encode(pa.array(["a", "never", None]), RULES)
    assert VOCABULARY.decode(codes).to_pylist() == ["a", "(rare)", None]


def test_decode_of_codes_out_of_range() -> None:
    assert VOCABULARY.decode(np.array([-1, 99])).to_pylist() == [None, "c"]


def test_every_code_has_a_share() -> None:
    prior = VOCABULARY.prior
    assert prior.sum() == pytest.approx(1)
    assert (prior > 0).all()
    assert prior.tolist() == pytest.approx((np.array([2, 1, 5, 5, 3]) + 0.5) / 18.5)


def test_codes_are_known_however_they_are_spelled() -> None:
    counts = Counter({"1": 5, "1.0": 2, "0": 4, "nan": 2, "3.0": 3})
    vocabulary = Vocabulary.fit("x", counts, missing=1, most=10, codes=True)
    assert vocabulary.values == ("1", "0", "3.0")
    assert (vocabulary.counts, vocabulary.missing) == ((7, 4, 3), 3)
    cells = pa.array(["1.0", "1", "0.", "3", "01", "NA", None, "2"])
    assert vocabulary.encode(cells, RULES)[0].tolist() == [2, 2, 3, 4, OTHER, MISSING, MISSING, OTHER]
    truths = Vocabulary.fit("x", Counter({"True": 3, "False": 3}), 0, 10, codes=True)
    assert truths.encode(pa.array(["true", "FALSE"]), RULES)[0].tolist() == [3, 2]
    assert truths.encode(pa.array([True, False]), RULES)[0].tolist() == [3, 2]
    names = Vocabulary.fit("x", Counter({"1": 3, "1.0": 3}), 0, 10)
    assert names.values == ("1", "1.0")


def test_categories_that_no_model_file_takes_are_refused_before_anything_is_learned() -> None:
    def vocabulary(column: str, size: int) -> Vocabulary:
        return Vocabulary(column=column, values=("ä" * size, "b"), counts=(5, 5), other=0, missing=0)

    short, long = vocabulary("short", 10_000_000), vocabulary("long [red]", 20_000_000)
    check_size([short])
    with pytest.raises(DataError) as caught:
        check_size([short, long])
    assert str(caught.value) == (
        "the categories of 2 columns are 60.0 MB of text, and a model file takes 50.3 MB: lower "
        "data.max_categories, or leave columns out with --exclude (the most is in 'long [red]', 40.0 MB)"
    )
    with pytest.raises(DataError, match="the categories of column 'long' are 60.0 MB of text"):
        check_size([vocabulary("long", 30_000_000)])


def test_an_encoder_checks_the_size_of_its_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categorical, "MOST_VOCABULARY_BYTES", 10)
    profiles = {"kind": profile(["a", "b"] * 20)}
    with pytest.raises(DataError, match="the categories of column 'kind' are"):
        FeatureEncoder.fit(schema_of(profiles), profiles, max_categories=10)
