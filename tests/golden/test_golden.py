"""What every command does today, with models of release 0.1.0: frozen, so that no change goes unseen.

Where a change is meant, `python tests/golden/make.py --write` writes the expected results anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from golden import expected
from golden.cases import CASES, Case
from golden.comparing import Tolerance, differences
from golden.machine import machine
from golden.running import run, typed
from golden.surface import api, flags, frames, scores

SAME_MACHINE = machine() == expected.read("machine")
# Elsewhere single precision rounds otherwise, and a p-value moves by the rank of a few calibration rows.
EXACT, ELSEWHERE = Tolerance(1e-6, 1e-9), Tolerance(1e-2, 5e-3)
OF_STORED = EXACT if SAME_MACHINE else ELSEWHERE
OF_FRESH = Tolerance(5e-2, 1e-9)
MOST_SHOWN = 40


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AEDETECT_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_commands_do_as_before(case: Case, tmp_path: Path) -> None:
    if case.ranked and not SAME_MACHINE:
        pytest.skip("columns that share the blame equally may come in another order on this machine")
    tolerance = OF_FRESH if case.fresh else OF_STORED
    found = differences(expected.read(case.name), run(case, tmp_path), tolerance)
    assert not found, "\n".join(found[:MOST_SHOWN])


@pytest.mark.parametrize("kind", expected.KINDS)
def test_scores_are_the_same_bit_for_bit(kind: str) -> None:
    before, now = expected.read_scores(kind), scores(kind)
    if SAME_MACHINE:
        np.testing.assert_array_equal(now, before, strict=True)
    else:
        np.testing.assert_allclose(now[:, 0], before[:, 0], rtol=1e-3)
        np.testing.assert_allclose(now[:, 1], before[:, 1], rtol=ELSEWHERE.relative, atol=ELSEWHERE.absolute)


def test_state_alone_names_its_commands() -> None:
    exit_code, stdout, stderr = typed(["state"])
    assert exit_code == 2
    assert {"show", "forget"} <= {*stdout.split(), *stderr.split()}


def test_no_flag_is_lost() -> None:
    now = flags()
    lost = {name: set(words) - set(now.get(name, ())) for name, words in expected.read("flags").items()}
    assert {name: words for name, words in lost.items() if words} == {}


def test_no_public_name_or_parameter_is_lost() -> None:
    now = api()
    lost = {name: set(words) - set(now.get(name, ())) for name, words in expected.read("api").items()}
    assert {name: words for name, words in lost.items() if words} == {}


def test_frames_have_the_same_columns_and_types() -> None:
    assert frames() == expected.read("frames")


def test_every_case_has_its_results_and_no_result_is_left_over() -> None:
    names = {case.name for case in CASES} | expected.SURFACE.keys() | {"machine"}
    assert {path.stem for path in expected.FOLDER.glob("*.json")} == names
    assert len(names) == len(CASES) + len(expected.SURFACE) + 1


def test_a_difference_is_seen() -> None:
    """The comparison itself, on what must pass and what must not."""
    before = {"score": 1.25, "text": "load is 98.20 in row 4", "rows": [1, 2]}
    assert (
        differences(before, {"score": 1.2500001, "text": "load is 98.21 in row 4", "rows": [1, 2]}, EXACT)
        == []
    )
    changed = {"score": 1.26, "text": "load is 98.20 in row 5", "rows": [1], "more": None}
    assert differences(before, changed, EXACT) == [
        ".more: new",
        ".score: 1.26, not 1.25",
        ".text: 'load is 98.20 in row 5', not 'load is 98.20 in row 4'",
        ".rows: 1 entries, not 2",
    ]
    assert differences({"x": 1}, {"x": 1.0}, EXACT) == [".x: 1.0, not 1"]
