"""Every row of the table of forms of files is tried."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faults import test_table
from faults.forms import FORMS
from faults.kit import Fault
from support.prompt import Prompt

CASES = [
    pytest.param(fault, command, id=fault.named(command)) for fault in FORMS for command in fault.commands
]


@pytest.mark.parametrize(("fault", "command"), CASES)
def test_form(prompt: Prompt, fault: Fault, command: Sequence[str]) -> None:
    test_table.test_fault(prompt, fault, command)


def test_names_tell_the_rows_apart() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
