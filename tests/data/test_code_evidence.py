from __future__ import annotations

import pytest
from support.profiles import profile, schema_of

from aedetect.errors import DataError

SENSOR = profile([f"{row % 7}.5" for row in range(30)])


def role(cells: list[str], batches: int = 1) -> str:
    found = profile(cells, counting=True, batches=batches)
    return schema_of({"code": found, "sensor": SENSOR}).columns[0].role


CODES = [
    ([*(str(10_000 + 7 * row) for row in range(40)), "12e45", "49018e16"], "id"),
    (["12E45", "49018", "77001", "12345"] * 20, "categorical"),
    (["12e4", "1234", "5678", "9e12"] * 20, "categorical"),
    ([*(str(100_000 + row * 7) for row in range(200)), "90e999"], "id"),
    ([*(str(10_000 + 7 * row) for row in range(90)), "12e45", "1a2b3"], "id"),
    (["A7", "12e45", "33", "44"] * 20, "categorical"),
    (["71", "5e4321", "72"] * 20, "categorical"),
]
NUMBERS = [
    ["1e6", "2e6", "5", "100"],
    ["10e3", "20e3", "500", "12000"],
    ["1e9", "7", "2", "3"],
    ["12e45", "1.5", "7", "2"],
    ["12e45", "-3", "7", "2"],
    ["1e+22", "7", "2", "3"],
    ["12e30", "13e30", "14e30", "15e30"],
    ["inf", "1e6", "5", "9"],
    ["5", "6", "70", "8"],
]


@pytest.mark.parametrize("batches", [1, 4])
@pytest.mark.parametrize(("cells", "expected"), CODES, ids=lambda value: str(value)[-30:])
def test_codes_among_which_some_look_like_numbers(cells: list[str], expected: str, batches: int) -> None:
    assert role(cells, batches) == expected


@pytest.mark.parametrize("cells", NUMBERS, ids=str)
def test_numbers_however_they_are_written(cells: list[str]) -> None:
    assert role(cells * 20) == "numeric"


@pytest.mark.parametrize("other", ["unknown", "1.5x", "1a2b3"])
def test_one_cell_that_is_no_number_among_numbers_is_still_an_error(other: str) -> None:
    cells = [*(str(10_000 + 7 * row) for row in range(90)), *["12e45"] * (other != "1a2b3"), other]
    with pytest.raises(DataError) as caught:
        role(cells)
    assert str(caught.value) == (
        f"f: row {len(cells)}, column 'code': {other!r} is not a number; repair it, "
        f"give --na-values {other!r} if it means 'missing', or --role code=categorical if the column holds "
        "codes"
    )
