"""`aedetect feedback`, and what other commands make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from support.prompt import Prompt, Result

ROWS = (
    "temp,load,site,open\n20,40,north,true\n500,-900,north,true\n?,40,south,false\n505,-905,north,true\n"
    "21,42,west,false\n"
)


@pytest.fixture
def run(prompt: Prompt, tiny_model: Path) -> Prompt:
    """In a folder with m.aed, new.csv (rows 2 and 4 are odd and alike, row 3 unreadable) and scored.csv."""
    Path("m.aed").write_bytes(tiny_model.read_bytes())
    prompt.write("new.csv", ROWS)
    assert prompt("score", "new.csv", "-m", "m.aed", "-o", "scored.csv").exit_code == 0
    return prompt


def noted(run: Prompt, *words: object) -> Result:
    return run("feedback", "scored.csv", "--store", "notes.json", *words)


def refused(result: Result, code: int) -> str:
    assert result.exit_code == code, result.stderr
    assert result.stdout == ""
    return result.stderr.strip().rpartition("\n")[2]


def test_rows_like_one_called_normal_are_muted_and_counted_apart(run: Prompt) -> None:
    said = noted(run, "--row", 2, "--normal", "--note", "new oven", "--by", "ann", "-m", "m.aed")
    assert said.exit_code == 0
    assert said.stdout == "notes.json: note 1: row 2 of scored.csv called normal\n"
    before = pd.read_csv("scored.csv", dtype=str, keep_default_na=False)
    result = run("score", "new.csv", "-m", "m.aed", "-o", "again.csv", "--feedback", "notes.json")
    assert result.stdout == (
        "new.csv: 5 rows, 0 flagged (0.00%), 1 unscorable, 2 muted → again.csv\n"
        "muted by feedback note 1 (new oven): 2 rows\n"
    )
    after = pd.read_csv("again.csv", dtype=str, keep_default_na=False)
    assert after["anomaly_status"].tolist() == ["ok", "muted", "unscorable", "muted", "ok"]
    assert after["is_anomaly"].tolist() == ["false", "false", "", "false", "false"]
    assert after["anomaly_muted_by"].tolist() == ["", *["feedback: note 1 (new oven)", ""] * 2]
    for column in ("anomaly_score", "anomaly_p_value", "anomaly_features"):
        assert after[column].tolist() == before[column].tolist()


def test_the_summary_says_what_muted_how_many(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal")
    summary = run.json("score", "new.csv", "-m", "m.aed", "--feedback", "notes.json")
    assert (summary["rows"], summary["normal"], summary["anomalies"], summary["unscorable"]) == (5, 2, 0, 1)
    assert summary["muted"] == 2
    assert summary["muted_by"] == [{"kind": "feedback", "name": "note 1", "rows": 2}]
    assert [entry["muted"] for entry in summary["files"]] == [2]


def test_explain_says_which_note_muted_a_row(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal", "--note", "new oven", "--by", "ann")
    result = run("explain", "new.csv", "-m", "m.aed", "--feedback", "notes.json", "--row", 4)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("new.csv: row 4 (line 5): muted, score ")
    (reason,) = [line for line in lines if line.startswith("  muted: ")]
    assert reason.startswith("  muted: like row 2 of scored.csv, which ann called normal on 20")
    assert "('new oven'); " in reason
    assert " counts as alike" in reason
    (entry,) = run.json("explain", "new.csv", "-m", "m.aed", "--feedback", "notes.json", "--row", 4)[
        "explained"
    ]
    assert entry["muted_by"] == {"kind": "feedback", "name": "note 1 (new oven)"}
    assert entry["is_anomaly"] is False


def test_what_is_stranger_or_of_other_columns_stays_flagged(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal")
    run.write(
        "other.csv", "temp,load,site,open\n20,-900,north,true\n9e5,-9e5,north,true\n500,40,north,true\n"
    )
    summary = run.json("score", "other.csv", "-m", "m.aed", "--feedback", "notes.json")
    assert (summary["anomalies"], summary["muted"]) == (3, 0)


def test_a_note_that_was_taken_back_mutes_nothing(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal", "--by", "ann")
    assert run("feedback", "undo", 1, "--store", "notes.json", "--by", "bob").stdout == (
        "notes.json: taken back: note 1\n"
    )
    assert run.json("score", "new.csv", "-m", "m.aed", "--feedback", "notes.json")["muted"] == 0
    assert run.json("feedback", "list", "--store", "notes.json")["notes"] == []
    (note,) = run.json("feedback", "list", "--store", "notes.json", "--all")["notes"]
    assert (note["who"], note["undone"]["who"], note["row"]) == ("ann", "bob", 2)
    assert refused(run("feedback", "undo", 1, "--store", "notes.json"), 3).startswith(
        "error: notes.json: note 1 was taken back on "
    )
    assert refused(run("feedback", "undo", 8, "--store", "notes.json"), 3) == (
        "error: notes.json: there is no note 8; see `aedetect feedback list`"
    )


def test_an_anomaly_called_so_keeps_rows_nearer_to_it_flagged(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal")
    noted(run, "--row", 4, "--anomaly")
    out = run.json("score", "new.csv", "-m", "m.aed", "-o", "a.csv", "--feedback", "notes.json")
    assert (out["anomalies"], out["muted"]) == (1, 1)
    assert pd.read_csv("a.csv")["anomaly_status"].tolist()[1::2] == ["muted", "ok"]


def test_a_verdict_replaces_the_contrary_and_is_not_noted_twice(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal")
    again = noted(run, "--row", 2, "--normal")
    assert (again.stdout, again.stderr) == ("", "1 note of the same verdict there already\n")
    noted(run, "--row", 2, "--anomaly")
    (note,) = run.json("feedback", "list", "--store", "notes.json")["notes"]
    assert (note["id"], note["verdict"]) == (2, "anomaly")


def test_rows_are_named_by_what_they_hold(run: Prompt) -> None:
    result = noted(run, "--where", "site=north", "--normal")
    assert result.stdout == "notes.json: notes 1 to 2: 2 rows of scored.csv called normal\n"
    (note,) = noted(run, "--where", "site=west", "--where", "open=false", "--anomaly", "--json").json()[
        "added"
    ]
    assert note["cells"] == {"temp": "21", "load": "42", "site": "west", "open": "false"}


def test_a_file_of_flagged_rows_names_rows_by_their_numbers_in_the_input(run: Prompt) -> None:
    run("score", "new.csv", "-m", "m.aed", "-o", "odd.parquet", "--only-anomalies", "--prefix", "x_")
    result = run("feedback", "odd.parquet", "--row", 4, "--normal", "--store", "notes.json")
    assert result.stdout == "notes.json: note 1: row 4 of odd.parquet called normal\n"
    assert run.json("score", "new.csv", "-m", "m.aed", "--feedback", "notes.json")["muted"] == 2
    assert refused(run("feedback", "odd.parquet", "--row", 1, "--normal", "--store", "n.json"), 3) == (
        "error: odd.parquet: there is no row 1; not among its rows"
    )
    assert not Path("n.json").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--row", 2], 2, "say what they are: --normal or --anomaly"),
        (["--row", 2, "--normal", "--anomaly"], 2, "say what they are: --normal or --anomaly"),
        (["--normal"], 2, "say which rows: --row N, --where COLUMN=VALUE, or --event N"),
        (["--row", 0, "--normal"], 2, "--row 0: rows are counted from 1"),
        (["--row", "two", "--normal"], 2, "--row = 'two': not a whole number"),
        (
            ["--where", "site", "--normal"],
            2,
            "--where 'site': write it as COLUMN=VALUE, e.g. --where shop=17",
        ),
        (
            ["--where", "sit=north", "--normal"],
            2,
            "--where: no column named 'sit' in the data; did you mean 'site'? There are: temp, load, site, "
            "open",
        ),
        (["--event", 1, "--normal"], 2, "scored.csv: has no column anomaly_event: no events of time series"),
        (["--row", 9, "--normal"], 3, "scored.csv: there is no row 9; the last is row 5"),
        (
            ["--row", 3, "--normal"],
            3,
            "scored.csv: row 3 was not scored (unscorable): nothing was said of it",
        ),
        (["--where", "site=west", "--normal"], 3, "scored.csv: no flagged row has site=west"),
    ],
)
def test_wrong_use_is_told_in_a_line(run: Prompt, words: list[object], code: int, said: str) -> None:
    last = refused(noted(run, *words), code)
    assert last == f"error: {said}" if code == 3 else said in last
    assert not Path("notes.json").exists()


def test_what_is_no_scored_file_or_store_is_told(run: Prompt) -> None:
    result = run("feedback", "new.csv", "--row", 2, "--normal", "--store", "notes.json")
    assert refused(result, 3) == (
        "error: new.csv: has no columns anomaly_score, is_anomaly, …; name a file that `aedetect score -o` "
        "wrote"
    )
    result = run("feedback", "scored.csv", "--row", 2, "--normal", "--store", "scored.csv")
    assert "scored.csv: --store is also the scored file or the model; name another" in refused(result, 2)
    assert refused(run("score", "new.csv", "-m", "m.aed", "--feedback", "none.json"), 3) == (
        "error: none.json: there is no such file of feedback; `aedetect feedback` makes one with --store"
    )
    Path("notes.csv").touch()
    result = run("score", "new.csv", "-m", "m.aed", "-o", "notes.csv", "--feedback", "notes.csv")
    assert "notes.csv: the output would replace what says which rows are fine; name another" in refused(
        result, 2
    )


def test_a_damaged_store_is_an_error_and_stays_as_it_is(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal")
    content = Path("notes.json").read_text()
    for damaged in (content[:-40], content.replace('"normal"', '"anomaly"'), "{}", ""):
        Path("notes.json").write_text(damaged)
        for result in (
            run("score", "new.csv", "-m", "m.aed", "-o", "out.csv", "--feedback", "notes.json"),
            noted(run, "--row", 4, "--normal"),
            run("feedback", "list", "--store", "notes.json"),
        ):
            assert refused(result, 5).startswith("error: notes.json: ")
        assert Path("notes.json").read_text() == damaged
        assert not Path("out.csv").exists()
    Path("notes.json").write_text(json.dumps(json.loads(content) | {"schema_version": 9}))
    assert refused(noted(run, "--row", 4, "--normal"), 5) == (
        "error: notes.json: made by a newer aedetect (feedback version 9); upgrade"
    )


def test_notes_outlive_the_model(run: Prompt) -> None:
    noted(run, "--row", 2, "--normal", "-m", "m.aed")
    from support.tables import tiny_frame

    tiny_frame(300, seed=8).to_csv("later.csv", index=False)
    run("train", "later.csv", "-o", "later.aed", "--epochs", 2, "--seed", 3)
    summary = run.json("score", "new.csv", "-m", "later.aed", "--feedback", "notes.json")
    assert (summary["anomalies"], summary["muted"]) == (0, 2)


def test_a_note_that_lacks_a_learned_column_mutes_nothing_and_says_so(run: Prompt) -> None:
    run("score", "new.csv", "-m", "m.aed", "-o", "bare.csv", "--keep", "none")
    run("feedback", "bare.csv", "--row", 2, "--normal", "--store", "notes.json")
    result = run("score", "new.csv", "-m", "m.aed", "--feedback", "notes.json")
    assert result.exit_code == 0
    assert (
        "warning: notes.json: note 1 lacks column 'temp', which the model learned: it mutes nothing\n"
        in result.stderr
    )


def test_a_scored_file_with_decimal_commas_is_read_without_a_flag(run: Prompt) -> None:
    run.write("comma.csv", "temp;load;site;open\n20,5;40;north;true\n500,5;-900,25;north;true\n")
    run("score", "comma.csv", "-m", "m.aed", "-o", "comma-scored.csv", "--decimal", ",")
    said = run("feedback", "comma-scored.csv", "--row", 2, "--normal", "--store", "notes.json")
    assert said.stdout == "notes.json: note 1: row 2 of comma-scored.csv called normal\n", said.stderr
    (note,) = run.json("feedback", "list", "--store", "notes.json")["notes"]
    written = Path("comma-scored.csv").read_text(encoding="utf-8").splitlines()[2].split(";")[4]
    assert "," in written
    assert note["score"] == float(written.replace(",", "."))


def test_a_score_that_is_no_number_is_told(run: Prompt) -> None:
    scored = pd.read_csv("scored.csv", dtype=str)
    scored["anomaly_score"] = "high"
    scored.to_csv("scored.csv", index=False)
    assert refused(noted(run, "--row", 2, "--normal"), 3) == (
        "error: scored.csv: column 'anomaly_score': 'high' is no score; name the file as `aedetect score -o` "
        "wrote it"
    )


def test_a_row_that_the_named_model_cannot_read_is_told(run: Prompt) -> None:
    scored = pd.read_csv("scored.csv", dtype=str)
    scored.loc[1, ["temp", "load"]] = "?"
    scored.to_csv("scored.csv", index=False)
    assert refused(noted(run, "--row", 2, "--normal", "-m", "m.aed"), 3) == (
        "error: scored.csv: row 2: the model cannot read it; name the one that scored the file, or leave "
        "out -m"
    )


def test_a_number_of_several_inputs_names_no_row(run: Prompt) -> None:
    run.write("other.csv", ROWS)
    run("score", "new.csv", "other.csv", "-m", "m.aed", "-o", "all.csv", "--only-anomalies")
    words = "feedback", "all.csv", "--normal", "--store", "notes.json"
    assert refused(run(*words, "--row", 2), 2) == (
        "Error: Invalid value: all.csv: row 2 is there 2 times, as it holds rows of several inputs; name it "
        "by what it holds, --where COLUMN=VALUE, or score each input to an output of its own"
    )
    one = run(*words, "--where", "source_file=other.csv", "--where", "temp=500")
    assert one.stdout == "notes.json: note 1: row 2 of all.csv called normal\n"
