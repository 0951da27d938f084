from __future__ import annotations

import pyarrow as pa
import pytest

from aedetect.io.completed import CompletedInput
from aedetect.io.files import FileInput
from aedetect.io.locate import Location
from aedetect.io.source import Input, TableInput
from aedetect.training.partitions import moving_partitions


def inputs(name: str, *values: str | None) -> list[Input]:
    return [
        FileInput(Location(f"f{place}", f"f{place}", ((name, value),))) for place, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("month", ("10", "9"), "its folders name times (9 to 10)"),
        ("month", ("2026-01",), "its folders name times (2026-01)"),
        ("loadDate", ("x", "y", "y"), "its folders name times (x to y)"),
        (
            "part",
            ("2026-01-05T10:00", "2026-01-06"),
            "its folders name times (2026-01-05T10:00 to 2026-01-06)",
        ),
        ("part", ("2026W05", "2026W06"), "its folders name times (2026W05 to 2026W06)"),
        ("part", ("2026", "2025"), None),
        ("part", ("1", "2", "3"), "each file has a folder of its own (1 to 3)"),
        ("part", ("1", "2", "2"), None),
        ("part", ("a", "b", None), None),
        ("part", tuple("abcdefghijklm"), "each file has a folder of its own (a to m)"),
        ("day", ("Monday", "Tuesday"), None),
        ("site", ("north", "south"), None),
        ("site", (None,), None),
    ],
)
def test_which_are_left_out(name: str, values: tuple[str | None, ...], reason: str | None) -> None:
    if values == ("2026", "2025"):
        # Years by the look of them, though the name does not say so: numbers of their own at any rate.
        reason = "each file has a folder of its own (2025 to 2026)"
    found = moving_partitions(inputs(name, *values))
    told = f"{reason}; the next is always new (--role {name}=categorical learns it)"
    assert found == ({} if reason is None else {name: told})


def test_other_inputs_have_none() -> None:
    completed = CompletedInput(inputs("month", "01")[0], [pa.field("a", pa.null())])
    assert list(moving_partitions([completed, TableInput(pa.table({"month": [1]}))])) == ["month"]
