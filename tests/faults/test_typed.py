"""What people type: understood, or refused with what to type instead."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faults import test_table
from faults.kit import SCORE, TRAIN, Check, Fault, Files, roles, says, warns
from faults.table import from_normal
from support.prompt import Prompt, Result

EXPLAIN = ("explain", "normal.csv", "-m", "tiny.aed")
SAMPLE = ("sample", "3", "-m", "tiny.aed", "-o", "out.csv")
REPORT = ("report", "normal.csv", "-m", "tiny.aed")
CALIBRATE = ("calibrate", "normal.csv", "-m", "tiny.aed")
EVALUATE = ("evaluate", "normal.csv", "-m", "tiny.aed")
THERE = "There are: temp, load, site, open"
SHARE = "must be above 0 and below 1, such as 0.01 or 1%"


def renamed(name: str) -> Files:
    """normal.csv with another name in place of `temp`, in in.csv."""
    return from_normal(lambda frame: frame.rename(columns={"temp": name}))


def there(name: str) -> Check:
    """The file of that name is in the folder asked for."""

    def check(prompt: Prompt, _: Result) -> None:
        assert (prompt.folder / "new" / "deep" / name).is_file()

    return check


SHARES = [
    *(Fault(0, f"alert rate {text}", {}, (TRAIN,), ("normal.csv", "--alert-rate", text, "--json"), 0,
            holds=says(alert_rate=0.01))
      for text in ("1%", "1 %", "0.01", "1e-2", ".01", "10‰")),
    *(Fault(0, f"alert rate {text}", {}, (TRAIN,), ("normal.csv", "--alert-rate", text), 2,
            f"--alert-rate = '{text}': {said}")
      for text, said in (("0,003", "has a decimal comma; write 0.003 or 0.3%"),
                         ("0,5%", "has a decimal comma; write 0.5%"),
                         ("5", SHARE), ("0", SHARE), ("100%", SHARE),
                         ("low", "not a share; write it like 0.01 or 1%"))),
    Fault(0, "contamination in percent", {}, (TRAIN,), "normal.csv --contamination 5% --json", 0),
    *(Fault(0, f"{option} in percent", {}, (SCORE,), f"normal.csv {option} 100%", 0)
      for option in ("--fail-over", "--max-alert-rate")),
    *(Fault(0, f"{option} with a comma", {}, (SCORE,), f"normal.csv {option} 0,02", 2,
            f"{option} = '0,02': has a decimal comma; write 0.02 or 2%")
      for option in ("--fail-over", "--max-alert-rate")),
    Fault(0, "a share in a file of settings", {"c.toml": '[threshold]\nalert_rate = "1%"\n'}, (TRAIN,),
          "normal.csv --config c.toml --json", 0, holds=says(alert_rate=0.01)),
    Fault(0, "a share in a file of settings with a comma", {"c.toml": '[threshold]\nalert_rate = "0,01"\n'},
          (TRAIN,), "normal.csv --config c.toml", 2,
          "c.toml: threshold.alert_rate = '0,01': has a decimal comma; write 0.01 or 1%"),
]  # fmt: skip

NUMBERS = [
    *(Fault(0, f"row {text}", {}, (EXPLAIN,), ("--row", text), 0) for text in ("12", "#12", "1_2")),
    *(Fault(0, f"row {text}", {}, (EXPLAIN,), ("--row", text), 3,
            "normal.csv: there is no row 2690; the last is row 200")
      for text in ("2,690", "2 690", "2_690", "#2,690")),
    *(Fault(0, f"row {text}", {}, (EXPLAIN,), ("--row", text), 2,
            f"--row = '{text}': not a whole number; write it like 20 or 2,000")
      for text in ("0,003", "2,69", "1.5", "first")),
    Fault(0, "epochs that are none", {}, (TRAIN,), "normal.csv --epochs many", 2,
          "--epochs = 'many': not a whole number; write it like 20 or 2,000"),
    Fault(0, "seed below 0", {}, (TRAIN,), "normal.csv --seed -1", 2,
          "--seed = '-1': must be at least 0 and below 9.22337203685e+18"),
    Fault(0, "time in words", {}, (TRAIN,), ("normal.csv", "--max-time", "2 minutes", "--json"), 0),
    Fault(0, "time with a comma", {}, (TRAIN,), "normal.csv --max-time 1,5h", 2,
          "--max-time = '1,5h': has a decimal comma; write it like 90s, 10m or 2h, with a decimal point: "
          "1.5h"),
    Fault(0, "threshold with a comma", {}, (SCORE,), "normal.csv --threshold 2,5", 2,
          "--threshold = '2,5': has a decimal comma; write 2.5"),
    Fault(0, "device that is none", {}, (TRAIN,), "normal.csv --device GPU", 2,
          "--device = 'GPU': not one of auto, cpu, cuda or mps"),
]  # fmt: skip

COLUMNS = [
    *(Fault(0, f"column in another case for {option}", {}, (TRAIN,), f"normal.csv {option} {value}", 2,
            f"{option}: no column named '{value.partition('=')[0]}' in the data; did you mean 'site'? "
            f"{THERE}")
      for option, value in (("--columns", "Site"), ("--exclude", "SITE"), ("--id", "sites"),
                            ("--label", "Site"), ("--role", "stie=id"))),
    Fault(0, "column in another case in a file of settings", {"c.toml": '[data]\nexclude = ["Site"]\n'},
          (TRAIN,), "normal.csv --config c.toml", 2,
          f"--exclude: no column named 'Site' in the data; did you mean 'site'? {THERE}"),
    *(Fault(0, f"column in another case for {option}", {}, (EVALUATE,), words, 2,
            f"{option}: no column named 'Site' in normal.csv; did you mean 'site'? {THERE}")
      for option, words in (("--label", "--label Site"),)),
    Fault(0, "column in another case for --where", {}, (SAMPLE,),
          "--where Site=north", 2,
          "--where Site=north: 'Site' is no column of categories; did you mean 'site'? ('site')"),
    Fault(0, "category in another case for --where", {}, (SAMPLE,),
          "--where site=North", 2,
          "--where site=North: the model knows no such category; did you mean 'north'? (it knows 'north', "
          "'south', 'west')"),
    Fault(0, "calibrating with a label that is not there", {},
          (("calibrate", "normal.csv", "-m", "tiny.aed", "-o", "new.aed"),), "--label Site", 2,
          f"--label: no column named 'Site' in the data; did you mean 'site'? {THERE}"),
    Fault(0, "pattern to exclude", {}, (TRAIN,), ("normal.csv", "--exclude", "*t*", "--json"), 0,
          holds=roles(temp="ignored", load="numeric", site="ignored", open="boolean")),
    Fault(0, "pattern of columns", {}, (TRAIN,), ("normal.csv", "--columns", "?o*,temp", "--json"), 0,
          holds=roles(temp="numeric", load="numeric", site="ignored", open="ignored")),
    Fault(0, "pattern that nothing matches", {}, (TRAIN,), ("normal.csv", "--exclude", "Temp*"), 2,
          f"--exclude: no column in the data matches 'Temp*'; did you mean 'temp'? {THERE}"),
    *(Fault(0, f"name with a comma {how}", renamed("Amount, EUR"), (TRAIN,), ("in.csv", *words, "--json"), 0,
            holds=roles(**{"Amount, EUR": "ignored", "load": "ignored" if len(words) > 2 or "load" in words[1]
                           else "numeric"}))
      for how, words in (("as it is", ("--exclude", "Amount, EUR")),
                         ("repeated", ("--exclude", "Amount, EUR", "--exclude", "load")),
                         ("quoted", ("--exclude", '"Amount, EUR",load')),
                         ("unquoted", ("--exclude", "load,Amount, EUR")))),
    Fault(0, "role of a name with a comma", renamed("Amount, EUR"), (TRAIN,),
          ("in.csv", "--role", "Amount, EUR=categorical", "--json"), 0,
          holds=roles(**{"Amount, EUR": "categorical"})),
    Fault(0, "architecture in another case", {}, (TRAIN,), "normal.csv --architecture Memory -q", 2,
          "unknown architecture 'Memory'; did you mean 'memory'? (for tables there are: auto, evidence, "
          "memory, principal, denoising, variational, bottleneck)"),
    Fault(0, "role in another spelling", {}, (TRAIN,), "normal.csv --role temp=numerical", 2,
          "--role temp = 'numerical': not one of numeric, categorical, boolean, datetime, id or ignored; did "
          "you mean 'numeric'?"),
]  # fmt: skip

SETTINGS = [
    Fault(0, f"settings: {title}", {"c.toml": content}, (TRAIN,), "normal.csv --config c.toml", 2,
          f"c.toml: {said}")
    for title, content, said in (
        ("key outside a table", "epochs = 3\n",
         "'epochs' stands outside a table; epochs belongs under [training]"),
        ("mistyped key outside a table", "epoch = 3\n",
         "'epoch' stands outside a table; did you mean 'epochs', which belongs under [training]?"),
        ("key in another table", "[data]\nepochs = 3\n",
         "unknown setting 'data.epochs'; epochs belongs under [training]"),
        ("table in another case", "[Training]\nepochs = 3\n",
         "unknown table [Training]; did you mean 'training'?"),
    )
]  # fmt: skip

OUTPUTS = [
    *(Fault(0, f"model named {name}", {}, (TRAIN,), f"normal.csv -o {name}", 2,
            f"{name}: {suffix} is the suffix of {what}, and this will be a model; name it x.aed")
      for name, suffix, what in (("x.csv", ".csv", "a table"), ("x.json", ".json", "a summary in JSON"),
                                 ("x.pkl", ".pkl", "a model of another program"))),
    Fault(0, "new model named as a table", {}, (CALIBRATE,), "-o x.csv", 2,
          "x.csv: .csv is the suffix of a table, and this will be a model; name it x.aed"),
    Fault(0, "report named as a PDF", {}, (REPORT,), "-o r.pdf", 2,
          "r.pdf: .pdf is the suffix of a PDF document, and this will be a web page; name it r.html (a "
          "browser prints it to PDF)"),
    Fault(0, "report named as Markdown that is to be a page", {}, (REPORT,), "-o r.md --format html", 2,
          "r.md: .md is the suffix of Markdown, and this will be a web page; name it r.html"),
    Fault(0, "rows named as a model", {}, (("sample", "3", "-m", "tiny.aed"),), "-o x.aed", 2,
          "x.aed: .aed is the suffix of a model, and this will be a table; name it x.csv"),
    Fault(0, "summary named as a table", {}, (SCORE,), "normal.csv --summary s.csv", 2,
          "--summary s.csv: .csv is the suffix of a table, and this will be a summary in JSON; "
          "name it s.json"),
    *(Fault(0, f"{command[0]} into a folder yet to come", {}, (command,), "-o new/deep/", 0,
            holds=there(name))
      for command, name in ((("train", "normal.csv", "--epochs", "1"), "model.aed"),
                            (("score", "normal.csv", "-m", "tiny.aed"), "normal.csv"),
                            (("clean", "normal.csv", "-m", "tiny.aed"), "normal.csv"),
                            (CALIBRATE, "tiny.aed"),
                            (REPORT, "report.html"), (("sample", "3", "-m", "tiny.aed"), "sample.csv"))),
    Fault(0, "resuming where nothing was left", {}, (TRAIN,), "normal.csv --resume --json", 0,
          holds=warns("new.aed.checkpoint: there is no such checkpoint to resume from; training starts anew",
                      only=False)),
]  # fmt: skip

FAULTS = [*SHARES, *NUMBERS, *COLUMNS, *SETTINGS, *OUTPUTS]
CASES = [
    pytest.param(fault, command, id=fault.named(command)) for fault in FAULTS for command in fault.commands
]


@pytest.mark.parametrize(("fault", "command"), CASES)
def test_typed(prompt: Prompt, fault: Fault, command: Sequence[str]) -> None:
    test_table.test_fault(prompt, fault, command)
