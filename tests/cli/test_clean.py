"""`aedetect clean`, as scripts use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.converting import text
from support.prompt import Prompt


def test_cleaning_lists_what_it_changed(convert: Prompt) -> None:
    found = convert.json("clean", "new.csv", "-o", "out.csv", "--changes", "changes.csv")
    out, changes = text("out.csv"), text("changes.csv")
    assert found["changed_cells"] == 3
    assert changes[["row", "column", "was", "why"]].to_numpy().tolist() == [
        ["2", "temp", "500", "beyond all learned"],
        ["2", "load", "-900", "beyond all learned"],
        ["4", "site", "mars", "never seen"],
    ]
    assert out["site"][3] == changes["is"][2]
    assert out["site"][3] in ("north", "south", "west")
    assert out.loc[1, ["temp", "load"]].tolist() == changes["is"][:2].tolist()
    assert float(out["temp"][1]) < 100
    out.loc[3, "site"] = "mars"
    out.loc[1, ["temp", "load"]] = ["500", "-900"]
    assert out.equals(text("new.csv"))


def test_only_the_cells_to_blame(convert: Prompt) -> None:
    convert.json(
        "clean",
        "new.csv",
        "-o",
        "out.csv",
        "--only-anomalous-cells",
        "--changes",
        "changes.jsonl",
    )
    out = text("out.csv")
    assert out.iloc[0].tolist() == ["a", "20", "40", "north", "true"]
    assert abs(float(out["temp"][1])) < 100
    listed = [json.loads(line) for line in Path("changes.jsonl").read_text().splitlines()]
    assert {entry["why"] for entry in listed} == {"blamed"}


def test_noise_is_removed_where_asked(convert: Prompt) -> None:
    frame = text("new.csv")
    assert convert.json("clean", "new.csv", "-o", "usual.csv", "--denoise")["changed_cells"] > 1
    convert.json("clean", "new.csv", "-o", "same.csv", "--noise", "0.5")
    assert Path("usual.csv").read_bytes() == Path("same.csv").read_bytes()
    assert not text("usual.csv")["temp"].equals(frame["temp"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["clean", "new.csv", "-o", "new.csv"], "new.csv: the output is also an input; choose another name"),
        (["clean", "new.csv", "-o", "o.csv", "--noise", "2"], "noise = 2.0: must lie between 0 and 1"),
        (
            ["clean", "new.csv", "-o", "o.csv", "--noise", "0.1", "--denoise"],
            "--noise S says how strong the noise is, and is enough; leave --denoise out",
        ),
        (
            ["clean", "new.csv", "-o", "o.csv", "--only-anomalous-cells", "--denoise"],
            "--only-anomalous-cells and --denoise exclude each other; choose one",
        ),
        (["clean", "new.csv", "-o", "o.csv", "--alert-rate", "0.1"], "--alert-rate needs --only-anom"),
        (["clean", "new.csv", "-o", "o.csv", "--changes", "new.csv"], "new.csv: the output is also an input"),
        (["clean", "new.csv", "-o", "-", "--changes", "-"], "-o - and --changes - both write to stdout"),
        (["clean", "new.csv", "-o", "o", "--changes", "-", "--json"], "--json and --changes - both write"),
    ],
)  # fmt: skip
def test_wrong_use(convert: Prompt, words: list[str], message: str) -> None:
    result = convert(*words, stdin="")
    assert result.exit_code == 2
    found = json.loads(result.stderr)["error"] if "--json" in words else result.stderr
    assert message in found
    assert [path.name for path in Path().iterdir()] == ["new.csv"]
