"""Of rows drawn like those of training nothing is called drift, however many there are of either."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.drift import Learned

Random = np.random.Generator


def mixed(random: Random, rows: int) -> pd.DataFrame:
    """Numbers of many kinds, truth values, and gaps."""
    size = random.normal(size=rows)
    return pd.DataFrame(
        {
            "normal": size,
            "heavy": np.exp(2 * random.normal(size=rows)),
            "whole": random.poisson(1.5, rows),
            "mostly_zero": np.where(random.random(rows) < 0.9, 0.0, size),
            "gaps": np.where(random.random(rows) < 0.3, np.nan, size + random.normal(size=rows)),
            "flag": random.random(rows) < 0.03,
        }
    )


def cities(random: Random, rows: int) -> pd.DataFrame:
    """Categories of which new ones keep coming."""
    shares = 1 / np.arange(1, 301)
    names = random.choice(300, rows, p=shares / shares.sum())
    codes = random.choice([f"k{place}" for place in range(260)], rows)
    return pd.DataFrame(
        {"city": [f"c{name}" for name in names], "code": codes, "qty": random.poisson(5, rows)}
    )


def skus(random: Random, rows: int) -> pd.DataFrame:
    """So many categories that hardly one is told apart from the others."""
    return pd.DataFrame(
        {"sku": [f"s{one}" for one in random.integers(0, 6000, rows)], "a": random.normal(size=rows)}
    )


def gappy(random: Random, rows: int) -> pd.DataFrame:
    """A third of the rows hold nothing at all, and most cells of the others neither."""
    values = np.where(random.random((rows, 8)) < 0.85, np.nan, random.normal(size=(rows, 8)))
    return pd.DataFrame(values, columns=list("abcdefgh"))


KINDS: dict[str, tuple[Callable[[Random, int], pd.DataFrame], tuple[int, ...]]] = {
    "mixed": (mixed, (50, 200, 2000)),
    "cities": (cities, (200, 600, 2000)),
    "skus": (skus, (12_000,)),
    "gappy": (gappy, (200, 1500)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_drawn_alike_have_not_drifted(kind: str) -> None:
    draw, sizes = KINDS[kind]
    random = np.random.default_rng(0)
    said = []
    for training in sizes:
        for _ in range(3):
            learned = Learned.of(draw(random, training))
            for rows in (50, 300, 3000):
                drift = learned.drift(draw(random, rows))
                said += [drift.text] if drift.verdict == "drifted" else []
    assert said == []


@given(st.integers(0, 2**32 - 1), st.sampled_from(["mixed", "cities", "gappy"]), st.integers(100, 1500))
@settings(max_examples=15, deadline=None)
def test_the_training_rows_and_their_halves_have_not_drifted(seed: int, kind: str, rows: int) -> None:
    frame = KINDS[kind][0](np.random.default_rng(seed), rows)
    whole = Learned.of(frame)
    assert whole.drift(frame).verdict == "steady"
    order = np.random.default_rng(seed).permutation(rows)
    half = Learned.of(frame.iloc[order[: rows // 2]])
    drift = half.drift(frame.iloc[order[rows // 2 :]])
    assert drift.verdict in ("steady", "too few rows")


PLANTED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "a column shifted by one standard deviation": (lambda f: f.assign(normal=f["normal"] + 1), "normal"),
    "a truth value turned": (lambda f: f.assign(flag=~f["flag"]), "flag"),
    "ten points more missing": (
        lambda f: f.assign(normal=f["normal"].where(np.arange(len(f)) % 10 > 0)),
        "normal",
    ),
    "a tenth far out of range": (
        lambda f: f.assign(whole=np.where(np.arange(len(f)) % 10, f["whole"], 1000)),
        "whole",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
@pytest.mark.parametrize(("training", "rows"), [(500, 300), (5000, 5000)])
def test_planted_drift_is_said(what: str, training: int, rows: int) -> None:
    random = np.random.default_rng(1)
    change, name = PLANTED[what]
    drift = Learned.of(mixed(random, training)).drift(change(mixed(random, rows)))
    assert drift.drifted == [name]


def test_a_new_category_is_said_with_its_name() -> None:
    random = np.random.default_rng(2)
    new = cities(random, 1000)
    new.loc[:249, "city"] = "Atlantis"
    new.loc[250:299, "city"] = "C0"
    (drift,) = (one for one in Learned.of(cities(random, 2000)).drift(new).columns if one.name == "city")
    assert drift.drifted
    assert drift.unseen is not None
    assert drift.unseen.training < drift.unseen.expected < drift.unseen.chance < drift.unseen.now
    assert (drift.values[0].name, drift.values[0].rows) == ("C0", 50)
    assert drift.values[0].like == "'c0' in another case"
    assert "'C0' in 50 rows ('c0' in another case?), 'Atlantis' in 250 rows" in drift.text


def test_more_rows_without_a_value_are_said() -> None:
    random = np.random.default_rng(3)
    learned = Learned.of(gappy(random, 1500))
    new = gappy(random, 1000)
    new.loc[:299] = np.nan
    drift = learned.drift(new)
    assert (drift.verdict, drift.drifted, drift.rows) == ("drifted", [], 1000)
    assert drift.whole_rows.missing is not None
    assert drift.text == drift.whole_rows.text
    assert drift.text.endswith("by chance)")
    assert f"{drift.whole_rows.missing.now:.1%} of the rows have no value in any column, where " in drift.text


@pytest.mark.parametrize("value", ["ERROR", 7.5])
def test_a_column_that_was_empty_and_fills_is_said(value: object) -> None:
    random = np.random.default_rng(4)
    learned = Learned.of(mixed(random, 500).assign(note=None))
    assert learned.drift(mixed(random, 400).assign(note=None)).verdict == "steady"
    drift = learned.drift(mixed(random, 400).assign(note=value))
    assert drift.drifted == ["note"]
    assert drift.columns[-1].text == (
        f"empty in training, it holds a value in 100.0% of the rows (up to 3.0% by chance): "
        f"'{value}' in 400 rows"
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_form_of_letters_is_no_drift(form: str) -> None:
    import unicodedata

    names = np.array(["Köln", "Zürich", "Málaga", "Łódź"])
    random = np.random.default_rng(5)

    def towns(rows: int) -> pd.DataFrame:
        return pd.DataFrame({"town": random.choice(names, rows), "a": random.normal(size=rows)})

    learned = Learned.of(towns(300))
    new = towns(300)
    drift = learned.drift(new.assign(town=[unicodedata.normalize(form, town) for town in new["town"]]))
    assert (drift.verdict, drift.columns[1].values) == ("steady", ())
