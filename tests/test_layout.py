"""Where a module's tests are: beside one another, by its name."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "aedetect"

# Tests that are of no one module, and why; by file, or by folder.
OF_NO_MODULE = {
    "faults": "what is survived, whichever module sees to it",
    "benchmarks": "what benchmarks measure with",
    "everyday": "alarms on series as they occur every day, and what they are measured by",
    "golden": "what every command gave before",
    "docs": "the documentation",
    "newcomer": "every command as a newcomer tries it",
    "cuda": "what a GPU computes, whichever module has it do so",
    "cli/test_score_notify.py": "`score --notify`, from flagged rows to a server that takes messages",
    "cli/test_shared_options.py": "options that every command has",
    "cli/test_score_series.py": "every command on time series",
    "cli/test_series_adoptions.py": "every command on series whose level shifts for good",
    "cli/test_series_as_they_are.py": "every command on series with gross cells, counters and other units",
    "cli/test_series_calendar.py": "rhythms longer than a window",
    "cli/test_grouped_rows.py": "every command on rows that belong to groups",
    "cli/test_train_times.py": "every command on time columns as people write them",
    "cli/test_score_health.py": "`score --expect` and `--silence`",
    "cli/test_score_series_daily.py": "`score` on series that come in dumps",
    "cli/test_loading.py": "what commands load, and what takes too long for them",
    "cli/test_long_tables.py": "every command on tables of one reading a row",
    "cli/test_stores.py": "every command on object stores",
    "cli/test_muting.py": "calendars and rules with every command that has them",
    "cli/test_score_unattended.py": "`score` as cron runs it",
    "data/test_same_rows.py": "the same rows in every format",
    "data/series/test_series_encoding.py": "encoder and channels together",
    "engine/test_ray_client.py": "a cluster reached through the client of Ray",
    "engine/test_ray_losses.py": "commands on a Ray that loses workers and machines",
    "engine/test_ray_runs.py": "every command on a real Ray",
    "io/test_format_contract.py": "what every format must do",
    "models/test_doctests.py": "examples of shapes",
    "models/test_tensor_names.py": "names in model files, of every network",
    "models/test_model_contract.py": "what every network of rows must do",
    "models/windows/test_window_contract.py": "what every network of windows must do",
    "scoring/test_series_grid.py": "series with rows absent, repeated or late, from training to verdicts",
    "scoring/test_series_spilled.py": "series whose rows go to temporary files, from reading to verdicts",
    "tasks/drift/test_false_drift.py": "how often drift is said where there is none",
    "tasks/report/test_browser.py": "the page as a browser shows it",
    "tasks/report/test_series_browser.py": "the page of series as a browser shows it",
    "tasks/explain/test_truth.py": "every sentence against the data, whichever module words it",
    "tasks/test_spread_series_on_ray.py": "the same on a real Ray, whose workers are killed",
    "tasks/test_rows_tasks.py": "what the tasks that give rows back have in common",
    "training/test_on_ray.py": "training on a Ray cluster, whichever module passes over the rows",
    "training/test_warnings.py": "what training warns of, whichever step finds it",
    "training/test_stage_progress.py": "how far training says that it is, whichever stage does",
    "test_architecture.py": "how the modules hang together",
    "test_configs.py": "the configuration files that are shipped",
    "test_demo.py": "the demo",
    "test_detector_face.py": "what Python callers see, whichever module sees to it",
    "test_floors.py": "the oldest packages that are allowed",
    "test_layout.py": "this",
    "test_lint_rules.py": "the rules of the linter",
    "test_month.py": "a month of nightly runs",
    "test_recipes.py": "the recipes of the documentation",
}
FILES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))


def is_of_no_module(path: Path) -> bool:
    return any(str(part) in OF_NO_MODULE for part in (path, *path.parents))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_test_is_found_from_its_module(path: Path) -> None:
    module = PACKAGE / path.parent / path.name.removeprefix("test_")
    if is_of_no_module(path):
        assert not module.exists(), f"{path} is of {module.name}: take it off the list of those of no module"
    else:
        assert module.exists() or module.with_suffix("").is_dir(), (
            f"tests/{path} is of no module: name it after the one it tests, or say why it is of none"
        )


@pytest.mark.parametrize("packed", [gzip.compress(b"rows", mtime=second) for second in (1, 2)])
def test_the_name_of_a_case_does_not_tell_when_its_bytes_were_packed(
    packed: bytes, request: pytest.FixtureRequest
) -> None:
    assert request.node.callspec.id in ("24 bytes0", "24 bytes1")
    assert gzip.decompress(packed) == b"rows"
