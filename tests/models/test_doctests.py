"""The examples in the models' docstrings."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest
import torch

from aedetect import models

MODULES = [module.name for module in pkgutil.walk_packages(models.__path__, "aedetect.models.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    torch.manual_seed(0)
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    count = sum(len(test.examples) for name in MODULES for test in finder.find(import_module(name)))
    assert count >= 10
