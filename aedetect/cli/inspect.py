"""`aedetect inspect`: what is in a model file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aedetect.cli import completion, options
from aedetect.cli.command import running, short_envelope
from aedetect.cli.options import OUTPUT, argument, option
from aedetect.cli.output import printing
from aedetect.cli.tables import schema_table, simple_table
from aedetect.cli.text import plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.config import Config
    from aedetect.scoring.manifest import Manifest
    from aedetect.scoring.model_file import Tensors
    from aedetect.scoring.threshold import ThresholdPolicy


def inspect(
    model: Annotated[Path, argument("MODEL.aed", "The model file.", completion.model_files, default=...)],
    messages: options.MessageOptions,
    format: Literal["table", "md", "json"] = option(
        "--format table|md|json",
        "A table, a model card in Markdown, or one JSON object (as --json); default: table.",
        panel=OUTPUT,
        default="table",
    ),
) -> None:
    """Show what is in a model file: data, columns, settings, training, threshold.

    Checks the whole file; runs nothing from it. With --verbose, all settings and tensors as well.
    With --format md, a model card to keep beside the model.

    Example: aedetect inspect model.aed
    """
    with running("inspect", replace(messages, json=messages.json or format == "json")) as out:
        from aedetect.scoring.model_file import read_model_file

        manifest, tensors, digest = read_model_file(model)
        out.result(_as_dict(manifest, tensors, digest, model))
        if format == "md" and not (out.json or out.quiet):
            _print_card(manifest, tensors, digest, model)
            return
        out.table(_facts(manifest, tensors, digest, model))
        out.say()
        out.table(schema_table(manifest.model_schema, most=10_000))
        if out.verbose:
            out.say()
            out.table(_settings(manifest))
            out.say()
            out.table(_tensor_table(manifest))


def _as_dict(manifest: Manifest, tensors: Tensors, digest: str, path: Path) -> dict[str, Any]:
    described = manifest.model_dump(mode="json")
    described["columns"] = described.pop("model_schema")["columns"]
    policy = _policy(manifest, tensors)
    body = {"path": str(path), "sha256": digest, "threshold": policy.value, **policy.rates(), **described}
    return short_envelope("inspect", body)


def _print_card(manifest: Manifest, tensors: Tensors, digest: str, path: Path) -> None:
    from aedetect.tasks.report.card import card_markdown, model_card

    policy = _policy(manifest, tensors)
    card = model_card(manifest.model_schema, manifest.config, manifest.training, policy, digest)
    with printing():
        sys.stdout.write(card_markdown(card, path.name))


def _policy(manifest: Manifest, tensors: Tensors) -> ThresholdPolicy:
    """Where the threshold lies, told without the networks."""
    from aedetect.scoring.calibration import Calibration
    from aedetect.scoring.scale_shares import scales_stored, single_share
    from aedetect.scoring.threshold import policy_of

    return policy_of(
        manifest.config.threshold,
        Calibration(tensors["calibration.scores"]),
        manifest.series,
        tensors.get("series.peaks", tensors["calibration.scores"][:0]),
        float(tensors["calibration.scale"][0]),
        single_share(scales_stored(tensors)),
    )


def _facts(manifest: Manifest, tensors: Tensors, digest: str, path: Path) -> Table:
    training, config, policy = manifest.training, manifest.config, _policy(manifest, tensors)
    weights = sum(t.size for name, t in tensors.items() if name.startswith("members."))
    best = [record.best_step for record in training.members]
    left_out = (
        ", ".join(f"{count:,} {why}" for why, count in training.rows_left_out.items() if count) or "none"
    )
    table = simple_table("", "")
    table.show_header = False
    for name, value in (
        ("file", str(path)),
        ("sha256", digest),
        ("made by", f"aedetect {manifest.aedetect_version}, format version {manifest.format_version}"),
        ("trained", f"{training.started} in {training.seconds:.1f} s on {training.device}"),
        ("on", ", ".join(training.inputs)),
        *(
            (f"{older.then}", f"{older.sha256[:12]} of {older.trained}, {older.rows:,} rows")
            for older in training.lineage
        ),
        ("rows learned", f"{training.rows:,}"),
        ("rows left out", left_out),
        *_long_table(config),
        (
            "network",
            f"{config.model.architecture}, {len(training.members)} of them, {weights:,} weights in all",
        ),
        ("best steps", ", ".join(str(step) for step in best)),
        policy.fact,
        ("calibration", f"{training.calibration}, {len(tensors['calibration.scores']):,} rows"),
    ):
        table.add_row(name, plain(value))
    return table


def _long_table(config: Config) -> list[tuple[str, str]]:
    """How a long table is read, of a model that knows one."""
    series = config.series
    if series.series_name is None:
        return []
    return [("one reading a row", f"{series.value!r}, of the channel that {series.series_name!r} names")]


def _settings(manifest: Manifest) -> Table:
    table = simple_table("setting", "value")
    for section, values in manifest.config.model_dump().items():
        for key, value in values.items():
            table.add_row(f"{section}.{key}", plain(str(value)))
    return table


def _tensor_table(manifest: Manifest) -> Table:
    table = simple_table("tensor", "type", "shape")
    for name, info in manifest.tensors.items():
        table.add_row(plain(name), info.dtype, " × ".join(map(str, info.shape)))
    return table
