"""What is above, in and below the header, as it is noticed; how it is then read: test_csv."""

from __future__ import annotations

from typing import Any

import pytest

from aedetect.errors import DataError
from aedetect.io.csv_form import CsvForm
from aedetect.io.header import find_form
from aedetect.io.source import ReadOptions

ROWS = "site,load,temp\nnorth,1,2.5\nsouth,2,3.5\nnorth,3,4.5\n"
NUMBERS = "1,2,3\n4,5,6\n"
TITLE = "Sales report 2026\n\n"
UNITS = ROWS.replace("temp\n", "temp\n,kW,°C\n")
DECIDE = (
    "looks like data, not like a header; give --no-header to read it so, or --header if these are the names "
    "of the columns"
)
ABOVE = "give --skip-rows {} to skip what is above"


def form(text: str, **options: Any) -> CsvForm:
    return find_form("f.csv", text, True, False, ReadOptions(**options))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sep=;\na;b\n1;2\n", CsvForm(";", skip=1)),
        ('\ufeff"sep=|"\r\na|b\r\n1|2\r\n', CsvForm("|", skip=1)),
        ("SEP=,,,\na,b\n1,2\n", CsvForm(",", skip=1)),
        ("sep=\t\na\tb\n1\t2\n", CsvForm("\t", skip=1)),
        ("sep=x,b\n1,2\n", CsvForm()),
        (ROWS, CsvForm()),
        ("#chrom,start\nc1,3\nc2,5\n", CsvForm()),
        ("a,b\n1,2,3\n4,5,6\n", CsvForm()),
        ("temp\n20,5\n21,3\n22,5\n", CsvForm()),
        ("a,b\n1;2\n3;4\n", CsvForm()),
        (",0,1,2\n0,3,4,5\n1,2,3,4\n", CsvForm()),
        ("sample,400.5,401.5\ns1,3,4\ns2,4,5\n", CsvForm()),
        ("id,2019,2020\n7,3,4\n", CsvForm()),
        ("a,b\n--,x\n1,x\n2,y\n3,y\n", CsvForm()),
        ("v\nn/a\n1\n2\n3\n", CsvForm()),
        ("a,b\n" + "12.5 kWh,$3\n7 kWh,$4.50\n" * 3, CsvForm()),
    ],
)
def test_nothing_to_ask(text: str, expected: CsvForm) -> None:
    assert form(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TITLE + ROWS,
         f"line 1 ('Sales report 2026') is no header: the columns begin in line 3; {ABOVE.format(2)}"),
        ("\nReport, made Monday\nfor all\n" + ROWS.replace(",", ";"),
         f"line 2 ('Report, made Monday') is no header: the columns begin in line 4; {ABOVE.format(3)}"),
        ("Sales,,\n,,\n" + ROWS,
         f"line 1 ('Sales,,') is no header: the columns begin in line 3; {ABOVE.format(2)}"),
        ("sep=;\n" + TITLE + ROWS.replace(",", ";"),
         f"line 2 ('Sales report 2026') is no header: the columns begin in line 4; {ABOVE.format(3)}"),
        ("Numbers\n" + NUMBERS,
         f"line 1 ('Numbers') is no header: the rows begin in line 2; {ABOVE.format('1 --no-header')}"),
        ("# exported by X\n" + ROWS,
         "line 1 ('# exported by X') is a comment, not the header; give --comment '#' to leave it out"),
        ("# a\n#\n" + ROWS,
         "line 1 ('# a') is a comment, not the header; give --comment '#' to leave it out"),
        ("# a\n#site,load,temp\n" + ROWS.partition("\n")[2],
         "line 1 ('# a') is a comment, not the header; give --skip-rows 1 to leave it out"),
        (NUMBERS, f"line 1 ('1,2,3') {DECIDE}"),
        ("1,1\n4,5\n", f"line 1 ('1,1') {DECIDE}"),
        ("5\n6\n", f"line 1 ('5') {DECIDE}"),
        ("2024-01-01 10:00,$3.50,\n2024-01-02 10:00,4,\n", f"line 1 ('2024-01-01 10:00,$3.50,') {DECIDE}"),
        ("01.02.2024;1.234,5;12%\n", f"line 1 ('01.02.2024,1.234,5,12%') {DECIDE}"),
        ("west,16\neast,3\nwest,1\n", f"line 1 ('west,16') {DECIDE}"),
        (UNITS,
         "line 2 (',kW,°C') holds units, not data; give --units-row to skip it, "
         "or --header if it is a row as others are"),
        (f"{'x' * 200}\n{ROWS}",
         f"line 1 ('{'x' * 40}…{'x' * 15}') is no header: the columns begin in line 2; "
         + ABOVE.format(1)),
    ],
)  # fmt: skip
def test_what_is_asked(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        form(text)
    assert str(caught.value) == f"f.csv: {message}"


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (TITLE + ROWS, {"skip_rows": 2}, CsvForm(skip=2)),
        ("sep=;\n" + TITLE + ROWS.replace(",", ";"), {"skip_rows": 3}, CsvForm(";", skip=3)),
        ("# x\n" + ROWS, {"comment": "#"}, CsvForm(comment="#")),
        ("Numbers\n" + NUMBERS, {"skip_rows": 1, "header": False}, CsvForm(skip=1, header=False)),
        (NUMBERS, {"header": False}, CsvForm(header=False)),
        (NUMBERS, {"header": True}, CsvForm()),
        (UNITS, {"units_row": True}, CsvForm(units=True)),
        (ROWS, {"units_row": True}, CsvForm()),
        (UNITS, {"header": True}, CsvForm()),
        ("a^b\n1^2\n", {"usual_delimiter": "^"}, CsvForm("^")),
        ("a,b\n1,2\n", {"usual_delimiter": "^"}, CsvForm(",")),
        ("a;b\n1;2\n", {"delimiter": ","}, CsvForm(",")),
    ],
)
def test_what_is_settled(text: str, options: dict[str, Any], expected: CsvForm) -> None:
    assert form(text, **options) == expected


def test_more_is_skipped_than_is_above() -> None:
    with pytest.raises(DataError, match="give a smaller --skip-rows than 1, or --no-header to read it so"):
        form("a,b\n1,2\n3,4\n", skip_rows=1)
