"""Every row of the table of everyday situations is tried."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from faults import test_table
from faults.everyday import EVERYDAY
from faults.kit import Fault
from support.prompt import Prompt

CASES = [
    pytest.param(fault, command, id=fault.named(command)) for fault in EVERYDAY for command in fault.commands
]


@pytest.mark.parametrize(("fault", "command"), CASES)
def test_fault(prompt: Prompt, fault: Fault, command: Sequence[str]) -> None:
    test_table.test_fault(prompt, fault, command)
