from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.errors import DataError
from aedetect.io.source import TableInput
from aedetect.training.joint_inputs import absence_notice, absent_columns, in_order, joint_inputs


def config(**settings: Any) -> Config:
    return Config.build(overrides={name.replace("__", "."): value for name, value in settings.items()})


def inputs(*columns: str) -> list[TableInput]:
    """One input for each word, with a column for each letter."""
    return [
        TableInput(pa.table({name: [1, 2] for name in word}), f"f{place}")
        for place, word in enumerate(columns)
    ]


def fault(*columns: str, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        joint_inputs(inputs(*columns), config(**settings))
    return str(caught.value)


def test_numbers_in_names_count_by_size() -> None:
    table = pa.table({"a": [1]})
    given = [TableInput(table, name) for name in ("p10", "p9", "q", "p10b", "7")]
    assert [source.name for source in in_order(given)] == ["7", "p9", "p10", "p10b", "q"]


def test_each_input_has_the_columns_of_all() -> None:
    joint = joint_inputs(inputs("abc", "cab", "abd"), Config())
    assert [sorted(source.open(10).schema.names) for source in joint] == [list("abcd")] * 3
    (batch,) = joint[2].open(10).batches()
    assert batch.column("c").to_pylist() == [None, None]
    absent = {name: [source.name for source in lacking] for name, lacking in absent_columns(joint).items()}
    assert absent == {"d": ["f0", "f1"], "c": ["f2"]}


def test_what_is_said_of_many_columns() -> None:
    joint = joint_inputs(inputs("abcdefghij", "hijk"), Config())
    absent = absent_columns(joint)
    assert absence_notice(absent, ("a", "k"), 2) == (
        "column 'k' is missing in 1 of 2 files (f0), 'a' in 1 (f1); their cells there count as missing "
        "(--exclude k,a does without them)"
    )
    assert absence_notice(absent, (), 2) is None
    assert absence_notice(absent, "abcdefg", 2) == (
        "column 'a' is missing in 1 of 2 files (f1), 'b' in 1 (f1), 'c' in 1 (f1), 'd' in 1 (f1), 'e' in 1 "
        "(f1) and 2 more columns; their cells there count as missing (--exclude does without them)"
    )


@pytest.mark.parametrize("words", [("abc", "xyz"), ("abc", "abc", "xyz"), ("xyz", "abc", "abc")])
def test_files_of_two_kinds_are_refused(words: tuple[str, ...]) -> None:
    odd, usual = words.index("xyz"), words.index("abc")
    if len(words) == 2:
        # Of two kinds alike, the one of later letters is the usual one.
        odd, usual = usual, odd
    own = ", ".join(repr(name) for name in words[odd])
    assert fault(*words) == (
        f"f{odd}: has no column in common with f{usual} (not {own}); train on files of one kind"
    )


def test_files_that_share_little_are_refused() -> None:
    assert fault("abcde", "abcde", "axyz") == (
        "f2: has 1 of its 4 columns in common with f0 (not 'x', 'y', 'z'); train on files of one kind"
    )
    # What is left out does not count, nor does what files have beside.
    joint_inputs(inputs("abcde", "abcde", "axyz"), config(data__columns=["a"]))
    joint_inputs(inputs("ab", "abvwxyz"), Config())


@pytest.mark.parametrize(("option", "setting"), [("--time", "series__time"), ("--entity", "series__entity")])
def test_times_and_entities_are_needed_in_each(option: str, setting: str) -> None:
    settings = {"series__time": "t", setting: "c" if option == "--time" else ["c"]}
    assert (
        fault("abct", "abt", **settings)
        == f"f1: has no column 'c', which {option} names; leave this file out"
    )
