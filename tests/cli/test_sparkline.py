"""Numbers as a line of blocks."""

from __future__ import annotations

import io

import pytest

from aedetect.cli.sparkline import bars, levels_of, sparkline

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([3, NAN, 5], "▁ █"),
        ([2, 2, NAN], "▄▄ "),
        ([NAN], " "),
        ([], ""),
    ],
)
def test_low_to_high(values: list[float], line: str) -> None:
    assert sparkline(values) == line


@pytest.mark.parametrize(
    ("encoding", "line"), [("utf-8", "▁█"), ("ascii", "_#"), ("latin-1", "_#"), ("cp437", "_#")]
)
def test_streams_that_know_no_blocks_get_other_characters(encoding: str, line: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert sparkline([0, 1], levels_of(stream)) == line


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([0, 1, 1000], "▁▂█"),
        ([2, NAN, 2], "█ █"),
        ([0, 0], "▁▁"),
        ([], ""),
    ],
)
def test_bars_begin_at_none(counts: list[float], line: str) -> None:
    assert bars(counts) == line
