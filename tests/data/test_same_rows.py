"""The same rows mean the same from a text file, the DataFrame that pandas makes of it, and Parquet."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support.tables import tiny_frame

from aedetect.config import Config
from aedetect.data.cells import NA_TEXTS
from aedetect.data.features import Encoded
from aedetect.data.schema import Schema
from aedetect.detector import Detector
from aedetect.io.files import open_inputs
from aedetect.io.inputs import as_inputs
from aedetect.io.source import Input, ReadOptions
from aedetect.training.profiling import profile_inputs

# No quotes are written: texts are such that CSV needs none.
MISSING = st.sampled_from(NA_TEXTS)
NAMES = st.sampled_from(["north", "south", "none", "NIL", "na"])
LEARNED = {
    "number": st.sampled_from(["1.5", "-2.25", "3", "7", "1.5e300"]),
    "whole": st.sampled_from(["1", "2", "40"]),
    "name": NAMES,
    "stored": st.sampled_from(["True", "False"]),
    "word": st.sampled_from(["yes", "no"]),
    "day": st.sampled_from(["2026-01-01", "2026-01-05 07:00", "2027-06-01"]),
}
# What stands in columns of those kinds later, learned or not.
ODD = {
    "number": st.sampled_from(["NAN", "none", "NIL", "x", "inf"]),
    "whole": st.sampled_from(["2.5", "x"]),
    "name": st.sampled_from(["east", "NAN"]),
    "stored": st.sampled_from(["maybe", "yes"]),
    "word": st.sampled_from(["maybe", "NAN"]),
    "day": st.sampled_from(["soon", "none"]),
}


def rows_of(*kinds: Mapping[str, st.SearchStrategy[str]]) -> st.SearchStrategy[list[dict[str, str]]]:
    cells = {name: st.one_of(MISSING, *(kind[name] for kind in kinds)) for name in LEARNED}
    return st.lists(st.fixed_dictionaries(cells), min_size=12, max_size=30)


def csv_of(rows: Sequence[Mapping[str, str]]) -> bytes:
    # A column that is always filled, so that no row is empty and something can be learned.
    steady = [{"steady": f"{index % 5}.5", **row} for index, row in enumerate(rows)]
    names = list(steady[0])
    lines = [",".join(names), *(",".join(row[name] for name in names) for row in steady)]
    return ("\n".join(lines) + "\n").encode()


def from_text(content: bytes, config: Config) -> Sequence[Input]:
    return open_inputs(["-"], ReadOptions(), io.BytesIO(content))


def from_pandas(content: bytes, config: Config) -> Sequence[Input]:
    return as_inputs(pd.read_csv(io.BytesIO(content)), config.data)


def from_parquet(content: bytes, config: Config) -> Sequence[Input]:
    stored = io.BytesIO()
    pd.read_csv(io.BytesIO(content)).to_parquet(stored)
    return open_inputs(["-"], ReadOptions(), io.BytesIO(stored.getvalue()))


def from_frame_of_text(content: bytes, config: Config) -> Sequence[Input]:
    """All cells as text, also those that mean 'missing'."""
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    return as_inputs(frame.astype(object), config.data)


def from_mixed_frame(content: bytes, config: Config) -> Sequence[Input]:
    """Numbers and the texts for missing in one column, as after much work by hand."""
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False).astype(object)
    for name in ("number", "whole"):
        for row, text in enumerate(frame[name]):
            if text and text[-1].isdigit():
                frame.at[row, name] = int(text) if text.isdigit() else float(text)
    return as_inputs(frame, config.data)


WAYS: list[Callable[[bytes, Config], Sequence[Input]]] = [
    from_text, from_pandas, from_parquet, from_frame_of_text, from_mixed_frame,
]  # fmt: skip


def only_batch(inputs: Sequence[Input]) -> pa.RecordBatch:
    (batch,) = inputs[0].open(1000).batches()
    return batch


def facts(encoded: Encoded) -> dict[str, Any]:
    return {name: np.asarray(value).tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(encoded).items() if name not in ("matrix", "numbers")}  # fmt: skip


@pytest.mark.slow
@given(rows_of(LEARNED), rows_of(LEARNED, ODD))
@settings(max_examples=20, deadline=None, phases=[Phase.generate])
def test_what_is_learned_and_what_is_read(rows: list[dict[str, str]], later: list[dict[str, str]]) -> None:
    config = Config()
    first, *others = (profile_inputs(way(csv_of(rows), config), config) for way in WAYS)
    given_rows = [only_batch(way(csv_of(part), config)) for part in (rows, later) for way in WAYS]
    for other in others:
        assert [(column.name, column.role) for column in other.schema.columns] == [
            (column.name, column.role) for column in first.schema.columns
        ]
        for name, values in first.encoder.statistics().items():
            np.testing.assert_array_equal(other.encoder.statistics()[name], values)
        assert other.encoder.state.categorical == first.encoder.state.categorical
    for found in (first, *others):
        for index, batch in enumerate(given_rows):
            like = first.encoder.transform(given_rows[index // len(WAYS) * len(WAYS)])
            encoded = found.encoder.transform(batch)
            np.testing.assert_array_equal(encoded.matrix, like.matrix)
            np.testing.assert_array_equal(encoded.numbers, like.numbers)
            assert facts(encoded) == facts(like)


def with_gaps(seed: int) -> pd.DataFrame:
    """Rows as text, of which one cell in ten is one of the texts for missing."""
    frame = tiny_frame(150, seed).astype(str)
    frame["word"] = np.where(frame["open"] == "true", "yes", "no")
    random = np.random.default_rng(seed)
    gaps = random.random(frame.shape) < 0.1
    return frame.mask(gaps, random.choice(NA_TEXTS, frame.shape))


def test_scores_are_equal(tmp_path: Path) -> None:
    forms: dict[str, list[Any]] = {}
    for name, seed in (("normal", 1), ("new", 2)):
        path = tmp_path / f"{name}.csv"
        with_gaps(seed).to_csv(path, index=False)
        frame = pd.read_csv(path)
        frame.to_parquet(tmp_path / f"{name}.parquet")
        forms[name] = [path, frame, tmp_path / f"{name}.parquet"]
    scores = [
        model.score(data)["anomaly_score"].to_numpy()
        for model in [Detector({"training.epochs": 1}).fit(data) for data in forms["normal"]]
        for data in forms["new"]
    ]
    for found in scores[1:]:
        np.testing.assert_array_equal(found, scores[0])
    assert np.isfinite(scores[0]).all()


@pytest.mark.parametrize("text", ["-9", "-9.0", "n.d."])
def test_na_values_add_to_what_is_missing(text: str) -> None:
    config = Config.build(overrides={"data.na_values": ["-9", "n.d."]})
    content = csv_of([{"x": cell, "site": name} for cell, name in zip("12345678", "ababNbNb", strict=True)])
    encoder = profile_inputs(from_text(content.replace(b"N", b"NA"), config), config).encoder
    new = only_batch(from_text(f"steady,x,site\n1,{text},{text}\n1,NA,NA\n".encode(), config))
    encoded = encoder.transform(new)
    assert (encoded.filled["x"], encoded.unreadable) == (0, {})
    assert encoded.matrix[:, -1].tolist() == [0, 0]


def test_models_of_0_1_0_keep_na_as_a_name() -> None:
    stored = '{"columns": [{"name": "site", "role": "categorical", "reason": "", "type": "string"}]}'
    assert Schema.model_validate_json(stored).rules.na_rule == "0.1.0"
    new = profile_inputs(from_text(csv_of([{"x": cell} for cell in "12345678"]), Config()), Config()).schema
    assert Schema.model_validate_json(new.model_dump_json()).rules.na_rule == "pandas"
