"""Every row of the table of dates and times is tried."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faults import test_table
from faults.kit import Fault
from faults.times import TIMES
from support.prompt import Prompt

CASES = [
    pytest.param(fault, command, id=fault.named(command)) for fault in TIMES for command in fault.commands
]


@pytest.mark.parametrize(("fault", "command"), CASES)
def test_times(prompt: Prompt, fault: Fault, command: Sequence[str]) -> None:
    test_table.test_fault(prompt, fault, command)
