"""`aedetect inspect`: what is in a model file."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aedetect.cli import completion, options
from aedetect.cli.command import running, short_envelope
from aedetect.cli.next_steps import next_steps, scoring_of_new_rows
from aedetect.cli.options import OUTPUT, argument, option
from aedetect.cli.output import printing
from aedetect.cli.tables import schema_table, simple_table
from aedetect.cli.text import computed_on, plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.cli.output import Output
    from aedetect.config import Config
    from aedetect.scoring.group_thresholds import GroupThresholds
    from aedetect.scoring.manifest import Manifest
    from aedetect.scoring.model_file import Tensors
    from aedetect.scoring.threshold import ThresholdPolicy

_MOST_GROUPS = 20


def inspect(
    model: Annotated[str, argument("MODEL.aed", "The model file.", completion.model_files, default=...)],
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
        from aedetect.scoring.model_header import check_head

        check_head(model)
        from aedetect.scoring.model_file import read_model_file

        manifest, tensors, digest = read_model_file(model)
        out.result(_as_dict(manifest, tensors, digest, model))
        if format == "md" and not (out.json or out.quiet):
            _print_card(_as_named_today(manifest), tensors, digest, model)
            return
        out.table(_facts(manifest, tensors, digest, model))
        out.say()
        out.table(schema_table(manifest.model_schema))
        thresholds = _group_thresholds(manifest, tensors)
        if thresholds is not None:
            out.say()
            _show_groups(out, thresholds)
        if out.verbose:
            out.say()
            out.table(_settings(manifest))
            out.say()
            out.table(_tensor_table(manifest))
        next_steps(out, scoring_of_new_rows(model, *manifest.training.inputs[:1]))


def _as_dict(manifest: Manifest, tensors: Tensors, digest: str, path: str) -> dict[str, Any]:
    described = manifest.model_dump(mode="json")
    described["columns"] = described.pop("model_schema")["columns"]
    policy = _policy(manifest, tensors)
    thresholds = _group_thresholds(manifest, tensors)
    groups = {"groups": [one.as_dict() for one in thresholds.listed()]} if thresholds is not None else {}
    body = {
        "path": path,
        "sha256": digest,
        "threshold": policy.value,
        **policy.rates(),
        **groups,
        **described,
    }
    return short_envelope("inspect", body)


def _print_card(manifest: Manifest, tensors: Tensors, digest: str, path: str) -> None:
    from aedetect.io.stores import name_of
    from aedetect.tasks.report.card import card_markdown, model_card

    policy = _policy(manifest, tensors)
    groups = _group_thresholds(manifest, tensors)
    card = model_card(manifest.model_schema, manifest.config, manifest.training, policy, digest, groups)
    with printing():
        sys.stdout.write(card_markdown(card, name_of(path)))


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


def _group_thresholds(manifest: Manifest, tensors: Tensors) -> GroupThresholds | None:
    """The thresholds of groups, told without the networks; None for a model without groups."""
    from aedetect.scoring.group_thresholds import GroupCalibration, GroupThresholds

    groups = GroupCalibration.of_tensors(manifest.features.groups, tensors)
    if groups is None:
        return None
    policy = _policy(manifest, tensors)
    return GroupThresholds(policy.settings, policy.calibration, groups, policy.value)


def _show_groups(out: Output, thresholds: GroupThresholds) -> None:
    """The groups, the largest of them unless all are asked for, and where their thresholds are from."""
    numbers = ("rows", "calibration rows", "threshold")
    by = ", ".join(thresholds.groups.names.columns)
    table = simple_table(plain(by, 24), *numbers, "calibration", right=numbers)
    listed = thresholds.listed()
    shown = listed if out.verbose else listed[:_MOST_GROUPS]
    for one in shown:
        table.add_row(
            plain(one.group, 24),
            f"{one.rows:,}",
            f"{one.calibration_rows:,}",
            f"{one.threshold:.4g}",
            one.kind,
        )
    table.add_row(
        "all others",
        f"{thresholds.groups.names.other_rows:,}",
        "",
        f"{thresholds.pooled:.4g}",
        thresholds.kind(0),
    )
    out.table(table)
    if len(shown) < len(listed):
        out.say(f"and {len(listed) - len(shown):,} smaller groups; --verbose shows all")


def _facts(manifest: Manifest, tensors: Tensors, digest: str, path: str) -> Table:
    training, config, policy = manifest.training, manifest.config, _policy(manifest, tensors)
    weights = sum(t.size for name, t in tensors.items() if name.startswith("members."))
    best = [record.best_step for record in training.members]
    left_out = (
        ", ".join(f"{count:,} {why}" for why, count in training.rows_left_out.items() if count) or "none"
    )
    table = simple_table("", "")
    table.show_header = False
    groups = _group_thresholds(manifest, tensors)
    for name, value in (
        ("file", str(path)),
        ("sha256", digest),
        ("made by", f"aedetect {manifest.aedetect_version}, format version {manifest.format_version}"),
        ("trained", f"{training.started} in {training.seconds:.1f} s {computed_on(training.device)}"),
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
            f"{_architecture(manifest, manifest.format_version)}{_side_by_side(len(training.members))}, "
            f"{weights:,} weights in all",
        ),
        ("best steps", ", ".join(str(step) for step in best)),
        policy.fact,
        *([] if groups is None else [groups.fact]),
        ("calibration", f"{training.calibration}, {len(tensors['calibration.scores']):,} rows"),
    ):
        table.add_row(name, plain(value))
    return table


def _side_by_side(networks: int) -> str:
    return f", {networks} networks side by side" if networks > 1 else ""


def _architecture(manifest: Manifest, format_version: int | None = None) -> str:
    """The architecture, 'auto' resolved as that format did; None is today's."""
    from aedetect.models.registry import architecture_of

    columns = manifest.model_schema.columns
    numeric = any(column.is_learned and column.role != "categorical" for column in columns)
    name = manifest.config.model.architecture
    return architecture_of(name, numeric, format_version, manifest.series is not None)


def _as_named_today(manifest: Manifest) -> Manifest:
    """The manifest with the architecture named, where 'auto' stands for another one today."""
    name = _architecture(manifest, manifest.format_version)
    if name == _architecture(manifest):
        return manifest
    model = manifest.config.model.model_copy(update={"architecture": name})
    return manifest.model_copy(update={"config": manifest.config.model_copy(update={"model": model})})


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
