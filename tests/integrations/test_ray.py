"""Scoring inside Ray Data, on a local Ray of two workers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support.engine_rows import (
    by_command_line,
    check_same,
    machine_rows,
    mixed_rows,
    printed_by,
    shuffled,
    snippets,
)
from support.prompt import Prompt

from aedetect.errors import ModelError, UsageError

ray = pytest.importorskip("ray")

from aedetect.integrations.ray import Scorer, SeriesScorer  # noqa: E402

# Ray warns of defaults of its own.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\.")


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    """Ray on this machine."""
    ray.init(
        num_cpus=2, include_dashboard=False, object_store_memory=200 << 20, log_to_driver=False,
        logging_level="ERROR",
    )  # fmt: skip
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def blocks_of(rows: pa.Table, count: int) -> Any:
    """A Ray dataset of so many blocks."""
    size = -(-len(rows) // count)
    return ray.data.from_arrow([rows.slice(start, size) for start in range(0, len(rows), size)])


def gathered(scored: Any) -> pa.Table:
    return pa.concat_tables([part for part in ray.get(scored.to_arrow_refs()) if len(part)])


@pytest.mark.slow
@pytest.mark.parametrize(("blocks", "batch_size"), [(1, None), (5, 333)])
@pytest.mark.usefixtures("local_ray")
def test_rows_are_as_the_command_line_has_them(
    prompt: Prompt, tiny_model: Path, blocks: int, batch_size: int | None
) -> None:
    rows = mixed_rows()
    scored = blocks_of(shuffled(rows), blocks).map_batches(
        Scorer,
        fn_constructor_kwargs={"model": tiny_model.read_bytes(), "settings": {"threshold.alert_rate": 0.05}},
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=ray.data.ActorPoolStrategy(size=min(blocks, 2)),
    )
    check_same(gathered(scored), by_command_line(prompt, rows, tiny_model, "--alert-rate", 0.05))


@pytest.mark.slow
@pytest.mark.usefixtures("local_ray")
def test_series_are_as_the_command_line_has_them(prompt: Prompt, pumps_model: Path) -> None:
    rows = machine_rows()
    groups = blocks_of(shuffled(rows), 5).groupby("machine", num_partitions=2)
    scored = groups.map_groups(
        SeriesScorer,
        fn_constructor_kwargs={"model": str(pumps_model)},
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=1),
    )
    check_same(gathered(scored), by_command_line(prompt, rows, pumps_model))


@pytest.mark.slow
@pytest.mark.usefixtures("local_ray")
def test_what_the_page_shows(page_folder: Path, prompt: Prompt) -> None:
    whole, printed, of_series = snippets("Ray Data")
    rows = machine_rows()
    names: dict[str, Any] = {"pumps": blocks_of(rows, 3)}
    assert printed_by(whole, names) == printed
    printed_by(of_series, names)
    check_same(gathered(names["scored"]), by_command_line(prompt, rows, page_folder / "pumps.aed"))


@pytest.mark.slow
@pytest.mark.usefixtures("local_ray")
def test_what_does_not_fit_is_said_in_the_error_of_ray(tiny_model: Path) -> None:
    lacking = blocks_of(mixed_rows(20).drop("site"), 1).map_batches(
        Scorer,
        fn_constructor_kwargs={"model": tiny_model.read_bytes()},
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=1),
    )
    said = "ModelError: data: column 'site' is missing, which the model was trained on; "
    with pytest.raises(ray.exceptions.RayTaskError, match=re.escape(said)):
        lacking.materialize()


def test_the_wrong_kind_of_model_is_refused(tiny_model: Path, pumps_model: Path) -> None:
    with pytest.raises(UsageError, match=r"use SeriesScorer with Dataset\.groupby\(…\)\.map_groups$"):
        Scorer(pumps_model)
    with pytest.raises(UsageError, match=r"use Scorer with Dataset\.map_batches$"):
        SeriesScorer(tiny_model)


def test_a_worker_refuses_another_model(tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="not the model that was asked for"):
        Scorer(tiny_model, sha256="0" * 64)


def test_a_scorer_takes_tables(tiny_model: Path, pumps_model: Path) -> None:
    assert len(Scorer(tiny_model, keep="none", prefix="x_")(mixed_rows(9)).column_names) == 5
    assert (
        SeriesScorer(pumps_model, keep="none")(machine_rows().slice(0, 90)).column_names[-1]
        == "anomaly_event"
    )
