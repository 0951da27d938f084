"""What is said of drift at the prompt is true: of fresh rows, of columns that fill or empty."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from faults.kit import TRAIN
from support.prompt import Prompt

Random = np.random.Generator


def sales(random: Random, rows: int) -> pd.DataFrame:
    qty = random.poisson(8, rows) + 1
    price = np.exp(random.normal(3, 0.5, rows)).round(2)
    towns = random.choice(["Köln", "Zürich", "Paris", "Málaga"], rows)
    return pd.DataFrame({"town": towns, "qty": qty, "price": price, "amount": (qty * price).round(2)})


def cities(random: Random, rows: int) -> pd.DataFrame:
    shares = 1 / np.arange(1, 301)
    names = random.choice(300, rows, p=shares / shares.sum())
    return sales(random, rows).assign(town=[f"city {name}" for name in names])


def gappy(random: Random, rows: int) -> pd.DataFrame:
    values = np.where(random.random((rows, 6)) < 0.8, np.nan, random.normal(size=(rows, 6)).round(3))
    return pd.DataFrame(values, columns=list("abcdef"))


def trained(prompt: Prompt, frame: pd.DataFrame, *words: str) -> None:
    frame.to_csv("in.csv", index=False)
    result = prompt(*TRAIN, "in.csv", *words)
    assert result.exit_code == 0, result.stderr


def scored(prompt: Prompt, frame: pd.DataFrame) -> tuple[int, dict[str, object]]:
    frame.to_csv("now.csv", index=False)
    result = prompt("score", "now.csv", "-m", "new.aed", "--fail-on-drift", "--json")
    return result.exit_code, json.loads(result.stdout)


@pytest.mark.parametrize("draw", [sales, cities, gappy])
def test_neither_fresh_rows_nor_the_training_rows_have_drifted(
    prompt: Prompt, draw: Callable[[Random, int], pd.DataFrame]
) -> None:
    random = np.random.default_rng(0)
    frame = draw(random, 800)
    trained(prompt, frame)
    for rows in (frame, draw(random, 700), draw(random, 60), frame[:400]):
        exit_code, summary = scored(prompt, rows)
        assert (exit_code, summary["warnings"]) == (0, [])


def test_labelled_anomalies_are_left_out_of_drift_as_of_training(prompt: Prompt) -> None:
    random = np.random.default_rng(1)
    frame = sales(random, 500).assign(fraud=random.random(500) < 0.3)
    frame.loc[frame["fraud"], "price"] *= 50
    trained(prompt, frame, "--label", "fraud")
    exit_code, summary = scored(prompt, frame)
    assert exit_code == 0
    assert summary["drift"]["rows"] == (~frame["fraud"]).sum()  # type: ignore[index]
    exit_code, summary = scored(prompt, frame[frame["fraud"]])
    assert exit_code == 0
    assert summary["drift"]["text"] == "too few rows to tell: 0, where it takes 50"  # type: ignore[index]


def test_letters_composed_or_not_are_the_same(prompt: Prompt) -> None:
    random = np.random.default_rng(2)
    trained(prompt, sales(random, 400))
    new = sales(random, 300)
    composed = scored(prompt, new)[1]
    apart = new.assign(town=[unicodedata.normalize("NFD", town) for town in new["town"]])
    exit_code, summary = scored(prompt, apart)
    assert (exit_code, summary["warnings"]) == (0, [])
    assert summary["anomalies"] == composed["anomalies"]


def test_another_case_is_named(prompt: Prompt) -> None:
    random = np.random.default_rng(3)
    trained(prompt, sales(random, 400))
    new = sales(random, 300)
    upper = new.assign(town=new["town"].where(new.index % 3 > 0, new["town"].str.upper()))
    counts = upper["town"].value_counts()
    exit_code, summary = scored(prompt, upper)
    assert exit_code == 11
    warning, *_ = summary["warnings"]  # type: ignore[misc]
    assert warning.startswith("now.csv: column 'town': 100 rows with a rare category or one never seen: '")
    for town in ("KÖLN", "ZÜRICH", "PARIS", "MÁLAGA"):
        said = f"{town!r} in {counts[town]} rows ({town.capitalize()!r} in another case?)"
        assert said in warning or warning.endswith(" and 1 more")


def test_a_column_empty_in_training_that_fills_is_said_and_drift(prompt: Prompt) -> None:
    random = np.random.default_rng(4)
    trained(prompt, sales(random, 400).assign(note=None))
    assert scored(prompt, sales(random, 200).assign(note=None))[0] == 0
    assert scored(prompt, sales(random, 200))[0] == 0
    note = np.where(np.arange(200) % 4, "", "ERROR")
    exit_code, summary = scored(prompt, sales(random, 200).assign(note=note))
    assert exit_code == 11
    assert summary["warnings"] == [
        "now.csv: column 'note' was empty in training; 50 of 200 rows have a value that nothing is known of: "
        "'ERROR' in 50 rows"
    ]
    assert summary["drift"]["drifted"] == ["note"]  # type: ignore[index]
    one = sales(random, 200).assign(note=np.where(np.arange(200) == 5, "7.5", ""))
    exit_code, summary = scored(prompt, one)
    assert (exit_code, len(summary["warnings"])) == (0, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["town", "price"])
def test_a_column_that_is_empty_only_now_is_said_and_decides_nothing(prompt: Prompt, name: str) -> None:
    random = np.random.default_rng(5)
    trained(prompt, sales(random, 400))
    exit_code, summary = scored(prompt, sales(random, 300).assign(**{name: None}))
    assert exit_code == 11
    assert summary["anomaly_share"] <= 0.05  # type: ignore[operator]
    assert summary["warnings"] == [
        f"now.csv: column {name!r} is empty in all rows, and was not in training: rows are judged by the "
        "other columns"
    ]
