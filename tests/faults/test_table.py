"""Every row of the fault table is tried."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faults.kit import OLD, Fault
from faults.table import FAULTS
from support.prompt import Prompt

CASES = [
    pytest.param(fault, command, id=fault.named(command)) for fault in FAULTS for command in fault.commands
]


@pytest.mark.parametrize(("fault", "command"), CASES)
def test_fault(prompt: Prompt, fault: Fault, command: Sequence[str]) -> None:
    for output in ("new.aed", "out.csv"):
        prompt.write(output, OLD)
    fault.prepare(prompt)
    before = prompt.files()
    result = prompt(*command, *fault.typed)
    assert result.exit_code == fault.exit_code, result.output
    if fault.exit_code == 2:
        assert " ".join(result.usage().split()) == fault.said(prompt)
    elif fault.exit_code:
        assert result.stderr == f"error: {fault.said(prompt)}\n"
    if fault.exit_code not in (0, 6):
        assert result.stdout == ""
        assert prompt.files() == before
    if fault.holds:
        fault.holds(prompt, result)


def test_names_tell_the_rows_apart() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
