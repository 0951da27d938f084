"""The rooms of the house, and which way the doors open."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "aedetect").rglob("*.py"))

# From the top down; a module may import, when it is loaded, from its own floor and those below.
FLOORS = (
    ("__main__",),
    ("cli",),
    ("report", "suspects"),
    ("runs",),
    ("parallel",),
    (
        *("jobs", "sklearn", "record", "driftwatch"),
        *("recoding", "repairing", "drawing", "evaluation", "explain"),
    ),
    ("conversion", "event_table", "looking", "rebuilding", "summary"),
    ("scoring",),
    ("judging",),
    ("results", "changes", "plane", "repairer", "remembered"),
    ("detector",),
    ("parts", "otherjobs"),
    ("fitting",),
    ("bundle", "inference"),
    ("drift",),
    ("training",),
    ("models",),
    ("series",),
    ("features",),
    ("thresholds", "inputs", "metrics", "ledger"),
    ("schema",),
    ("cells", "io"),
    ("config", "monitor", "interrupts"),
    ("errors", "_version"),
)
LIGHT = ("cli", "__init__", "__main__", "config", "errors", "interrupts", "monitor", "jobs", "runs", "ledger")
HEAVY = {"torch", "pandas", "pyarrow", "sklearn"}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "aedetect").with_suffix("").parts[0]


def module_imports(path: Path) -> Iterator[str]:
    """What a module imports when it is loaded: neither inside functions nor for type checkers."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        waiting += ast.iter_child_nodes(node)


def test_every_module_has_its_floor() -> None:
    known = {name for floor in FLOORS for name in floor} | {"__init__"}
    assert {room(path) for path in FILES} <= known


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    floors = {name: height for height, floor in enumerate(FLOORS) for name in floor}
    here = floors.get(room(path), 0)
    above = {
        name
        for name in module_imports(path)
        if name.startswith("aedetect.") and floors.get(name.split(".")[1], here) < here
    }
    assert above == set()


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if room(path) in LIGHT],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_help_loads_is_light(path: Path) -> None:
    assert {name.split(".")[0] for name in module_imports(path)} & HEAVY == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_code_from_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\b(?:import|from) (?:pickle|joblib|dill|cloudpickle|shelve|marshal)\b", text)
    found += re.findall(r"torch\.(?:load|save)\b|allow_pickle\s*=\s*True", text)
    names = [node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Name)]  # fmt: skip
    assert found + [name for name in names if name in ("exec", "eval", "compile", "__import__")] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
