"""Tables for people, at the widths of their terminals."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from support.prompt import Prompt

from aedetect.cli.tables import learned_table
from aedetect.data.column_facts import ColumnFacts
from aedetect.data.schema import Column, Schema

NAMES = ["temperature_of_the_inlet_valve_no_17", "when", "a", "Betrag inkl. Mehrwertsteuer (EUR)"]


WHOLE = "whole numbers from 1000 to 2000000"
RUNNING = (
    "left out, a running number, from 70214 to 70713 with the rows; --role 'Order No=numeric' to learn it"
)


def drawn(width: int, most: int = 40, reason: str = WHOLE) -> list[str]:
    columns = tuple(Column(name=name, role="categorical", reason=reason, type="string") for name in NAMES)
    facts = {name: ColumnFacts("2026-01-05 12:00:00.123456+00:00", share)
             for name, share in zip(NAMES, (0, 0.0004, 0.0321, 1), strict=True)}  # fmt: skip
    screen = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    screen.print(learned_table(Schema(columns=columns), facts, width, most))
    assert isinstance(screen.file, io.StringIO)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_too_long_and_no_word_is_broken(width: int) -> None:
    lines = drawn(width)
    assert max(map(len, lines)) <= width
    words = {"whole", "numbers", "from", "1000", "to", "2000000", "categorical"}
    assert words <= {word for line in lines for word in line.split()}
    assert lines[0].split() == ["column", "taken", "as", "because", "example", "missing"]


@pytest.mark.parametrize("width", [80, 120])
def test_reasons_are_in_full(width: int) -> None:
    lines = drawn(width, reason=RUNNING)
    assert max(map(len, lines)) <= width
    assert set(RUNNING.split()) <= {word for line in lines for word in line.split()}
    assert f"{'x' * 30}…{'x' * 29}" in "".join(drawn(200, reason="always " + "x" * 90))


def test_names_and_examples_are_longer_where_there_is_room() -> None:
    assert drawn(80)[2].startswith("temperatur…lve_no_17   categorical")
    assert drawn(120)[2].startswith("temperature_of_the_inlet_valve_no_17   categorical")


def test_shares_of_missing_cells() -> None:
    ends = [line.split()[-1] for line in drawn(120)[2:] if "%" in line]
    assert ends == ["0%", "<0.1%", "3.2%", "100%"]


@pytest.mark.slow
def test_long_tables_are_cut_and_say_where_the_rest_is(prompt: Prompt) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(60, 1540)), columns=[f"c{index}" for index in range(1540)])
    frame.to_parquet("wide.parquet")
    quick = prompt.setting(training_epochs="1", training_folds="2", model_architecture="principal")
    text = quick("train", "wide.parquet", "-o", "my model.aed").stdout
    assert "\n… and 1,500 more (aedetect inspect 'my model.aed')\n" in text
    assert "c39" in text
    assert "c40" not in text


def test_beside_short_names_a_time_is_shown_in_full_at_80_columns(prompt: Prompt) -> None:
    times = pd.date_range("2026-03-01", periods=300, freq="7h").strftime("%Y-%m-%d %H:%M:%S")
    loads = np.random.default_rng(0).normal(size=300)
    pd.DataFrame({"timestamp": times, "load": loads}).to_csv("a.csv", index=False)
    quick = prompt.setting(training_epochs="1", training_folds="2", model_architecture="principal")
    shown = quick("train", "a.csv", "-o", "m.aed").stdout.splitlines()[2]
    assert shown.startswith("timestamp   datetime   dates; ")
    assert shown.endswith("   2026-03-01 00:00:00        0%")
