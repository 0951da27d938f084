"""The rooms of the house, and which way the doors open."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "aedetect").rglob("*.py"))

# From the top down; a module may import from its own room and from those below, wherever in the file
# the import stands. Rooms on one floor know nothing of one another.
FLOORS = (
    ("__main__",),
    ("cli",),
    ("sklearn", "integrations"),
    ("detector",),
    ("tasks", "training"),
    ("scoring",),
    ("engine", "models"),
    ("data",),
    ("io",),
    ("config",),
    ("errors", "_version"),
)
# What stands against the direction today, with the reason; it may only shrink.
OFFENDERS: dict[str, str] = {}
# What `aedetect --help` and a mistyped path load: none of it may pull in a heavy library.
LIGHT = (
    "__init__", "__main__", "config", "errors", "cli", "engine.callbacks", "engine.ledger", "engine.plan",
    "engine.run", "engine.signals", "engine.summary", "engine.task", "tasks.score_run", "tasks.score_counts",
    "tasks.health_checks", "tasks.rows_run", "engine.output_names", "io.alike", "io.atomic", "io.files",
    "io.locate", "io.lock", "io.output_format", "io.source", "scoring.model_header",
)  # fmt: skip
HEAVY = {"torch", "pandas", "pyarrow", "sklearn"}
# Loaded only once there is something to show.
HEAVY_SHOWN = ("cli.score_view",)


def name_of(path: Path) -> str:
    """The dotted name of a module below the package: 'io.csv', 'detector'."""
    parts = path.relative_to(ROOT / "aedetect").with_suffix("").parts
    return ".".join(part for place, part in enumerate(parts) if part != "__init__" or place == 0)


MODULES = {name_of(path): path for path in FILES}


def room(name: str) -> str:
    return name.partition(".")[0]


def imports(path: Path, everywhere: bool = True) -> Iterator[str]:
    """What a module imports: inside functions and for type checkers too, or only when it is loaded."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if not everywhere and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not everywhere and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        waiting += ast.iter_child_nodes(node)


def inside(path: Path) -> set[str]:
    """The modules of the package that a module imports, by their names below it."""
    found = set()
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "aedetect":
            below = ".".join(parts[1:])
            found.add(below if below in MODULES else ".".join(parts[1:-1]) or "__init__")
    return found


def test_every_module_has_its_floor() -> None:
    known = {name for floor in FLOORS for name in floor} | {"__init__"}
    assert {room(name) for name in MODULES} <= known


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    floors = {each: height for height, floor in enumerate(FLOORS) for each in floor}
    if name == "__init__":
        # The public names are resolved on first use, from wherever they are.
        return
    here = floors[room(name)]
    against = {
        other
        for other in inside(MODULES[name])
        if room(other) != room(name) and other != "__init__" and floors[room(other)] <= here
    }
    assert {other for other in against if f"{name} -> {other}" not in OFFENDERS} == set()


def test_no_modules_import_one_another_in_a_circle() -> None:
    graph = {name: inside(path) - {name} for name, path in MODULES.items() if name != "__init__"}
    # Whoever is left once all that import nothing that is left are taken away stands in a circle, or above.
    left = dict(graph)
    while gone := [name for name, wanted in left.items() if not wanted & left.keys()]:
        for name in gone:
            del left[name]
    # The same from the other end: those that nobody left imports stand above a circle.
    while gone := [name for name in left if not any(name in wanted for wanted in left.values())]:
        for name in gone:
            del left[name]
    assert sorted(left) == []


def test_who_stands_against_the_direction_is_still_there() -> None:
    for pair in OFFENDERS:
        name, _, other = pair.partition(" -> ")
        assert other in inside(MODULES[name]), f"{pair}: mended; take it off the list"


@pytest.mark.parametrize(
    "name",
    [name for name in MODULES if name in LIGHT or (room(name) in LIGHT and name not in HEAVY_SHOWN)],
)
def test_what_help_loads_is_light(name: str) -> None:
    found = {each.split(".")[0] for each in imports(MODULES[name], everywhere=False)}
    assert found & HEAVY == set()


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in ("data", "io")])
def test_reading_knows_no_torch(name: str) -> None:
    assert "torch" not in {each.split(".")[0] for each in imports(MODULES[name])}


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in MODULES
        if name.startswith("models.evaluation.")
        or room(name) in ("scoring", "tasks", "detector", "integrations", "cli", "sklearn")
    ],
)
def test_judging_loads_no_torch(name: str) -> None:
    assert "torch" not in {each.split(".")[0] for each in imports(MODULES[name], everywhere=False)}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("models.evaluation.")])
def test_what_models_compute_does_not_depend_on_how_they_learn(name: str) -> None:
    others = {other for other in inside(MODULES[name]) if room(other) == "models"}
    assert all(other.startswith("models.evaluation") for other in others), others


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) == "engine"])
def test_the_engine_knows_neither_models_nor_scores(name: str) -> None:
    assert {room(other) for other in inside(MODULES[name])} & {"models", "scoring", "tasks"} == set()
    assert "torch" not in {each.split(".")[0] for each in imports(MODULES[name])}


def test_the_root_of_the_package_is_a_short_list() -> None:
    told = {"__init__.py", "__main__.py", "_version.py", "py.typed", "__pycache__"}
    entries = {path.name for path in (ROOT / "aedetect").iterdir()} - told
    assert len(entries) <= 13, sorted(entries)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_code_from_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"\b(?:import|from) (?:pickle|joblib|dill|cloudpickle|shelve|marshal)\b", text)
    found += re.findall(r"torch\.(?:load|save)\b|allow_pickle\s*=\s*True", text)
    names = [node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Name)]  # fmt: skip
    assert found + [name for name in names if name in ("exec", "eval", "compile", "__import__")] == []
