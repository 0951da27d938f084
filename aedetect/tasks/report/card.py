"""The model card: what a model is, what it learned from, how, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aedetect.config import Config, setting_names
from aedetect.models.registry import architecture_of
from aedetect.scoring.threshold import ThresholdPolicy

if TYPE_CHECKING:
    from aedetect.data.schema import Column, Schema
    from aedetect.scoring.group_thresholds import GroupThresholds
from aedetect.scoring.manifest import TrainingSummary

Curve = tuple[tuple[int, float, float], ...]
_MOST_COLUMNS = 200
_ENDS = {
    "planned": "as planned",
    "early": "early, as held-out rows gained no more",
    "out of time": "when its time was up",
}
_FENCE = str.maketrans({"|": "\\|", "`": "\\`", "*": "\\*", "_": "\\_", "<": "&lt;", "[": "\\[", "\n": " "})


@dataclass(frozen=True)
class Card:
    """Facts as (name, value), columns, settings that are not the defaults, and training curves.

    `curves`: for each network (step, training loss, held-out loss).
    """

    facts: list[tuple[str, str]]
    columns: list[Column]
    settings: list[tuple[str, str]]
    curves: list[Curve]


def model_card(
    schema: Schema,
    config: Config,
    training: TrainingSummary,
    policy: ThresholdPolicy,
    sha256: str | None,
    groups: GroupThresholds | None = None,
) -> Card:
    """The card of a model, from what its file holds; `groups`: their thresholds, where it knows some."""
    left_out = ", ".join(f"{count:,} {why}" for why, count in training.rows_left_out.items() if count)
    calibration = policy.calibration
    facts = [
        ("trained", f"{training.started}, in {training.seconds:.1f} s on {training.device}"),
        ("on", ", ".join(training.inputs)),
        ("rows learned", f"{training.rows:,}"),
        ("rows left out", left_out or "none"),
        ("network", _network(schema, config, training)),
        ("training ended", ", ".join(sorted({_ENDS[record.stopped] for record in training.members}))),
        ("calibration", f"{training.calibration}, {len(calibration.scores):,} rows the network never saw"),
        policy.fact,
        *([] if groups is None else [groups.fact]),
        ("smallest alert rate", f"{calibration.smallest_rate:.2g}; below it, a fitted tail decides"),
        ("versions", ", ".join(f"{name} {number}" for name, number in training.versions.items())),
    ]
    if sha256:
        facts.append(("sha256", sha256))
    return Card(
        facts, list(schema.columns), _changed(config), [record.history for record in training.members]
    )


def card_markdown(card: Card, title: str) -> str:
    """The card as Markdown; text from data cannot become markup."""
    lines = [f"# Model card: {escaped(title)}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {escaped(value)} |" for name, value in card.facts]
    lines += ["", "## Columns", "", "| column | taken as | because |", "|---|---|---|"]
    lines += [
        f"| {escaped(column.name)} | {column.role} | {escaped(column.reason)} |"
        for column in card.columns[:_MOST_COLUMNS]
    ]
    if len(card.columns) > _MOST_COLUMNS:
        lines.append(f"| … and {len(card.columns) - _MOST_COLUMNS:,} more | | |")
    lines += ["", "## Settings other than the defaults", ""]
    lines += [f"- `{name}` = {escaped(value)}" for name, value in card.settings] or ["none"]
    lines += [
        "",
        "## Training",
        "",
        "| network | steps | held-out loss, first to last | |",
        "|---|---|---|---|",
    ]
    for number, curve in enumerate(card.curves, 1):
        if curve:
            first, last = curve[0][2], curve[-1][2]
            lines.append(f"| {number} | {curve[-1][0]:,} | {first:.4f} to {last:.4f} | {spark(curve)} |")
    return "\n".join(lines) + "\n"


def spark(curve: Curve, width: int = 24) -> str:
    """The held-out loss as a line of blocks, low to high."""
    values = [held_out for _, _, held_out in curve]
    if len(values) > width:
        values = [values[index * (len(values) - 1) // (width - 1)] for index in range(width)]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * (value - low) / spread))] for value in values)


def escaped(text: str) -> str:
    """Text from data as Markdown that shows it."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return safe.replace("\\", "\\\\").translate(_FENCE)


def _network(schema: Schema, config: Config, training: TrainingSummary) -> str:
    count = len(training.members)
    copies = f", {count} networks on {count} folds" if count > 1 else ""
    numeric = any(column.is_learned and column.role != "categorical" for column in schema.columns)
    name = architecture_of(config.model.architecture, numeric, series=config.series.time is not None)
    return f"{name}, width {config.model.width}, depth {config.model.depth}{copies}"


def _changed(config: Config) -> list[tuple[str, str]]:
    usual = Config()
    changed = []
    for name in setting_names():
        section, _, key = name.partition(".")
        value = getattr(getattr(config, section), key)
        if value != getattr(getattr(usual, section), key):
            changed.append((name, str(value)))
    return changed
