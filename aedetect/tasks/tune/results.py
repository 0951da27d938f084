"""What a search came to: as data, in words, and as a file of settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aedetect._version import __version__
from aedetect.config import Config
from aedetect.io.atomic import atomic_output
from aedetect.tasks.tune.gain import BY_CHANCE, Gain, mean, number
from aedetect.tasks.tune.settings_file import settings_text

Status = Literal["judged", "given up", "repeated", "failed"]
Stopped = Literal["max-time"]
RULE = (
    "the tuned settings are those with the highest average precision on one half of each part of the rows; "
    "their gain over the default is measured on the other half, by models trained anew with another seed, "
    f"and counts if noise reaches it at most {BY_CHANCE:.0%} of the time"
)


@dataclass(frozen=True)
class Trial:
    """Settings that were tried. `number` from 1, which is the default.

    `settings`: those that are not the default's, by dotted name. `figures`: the average precision on the
    choosing half of each part that was judged. `status`: 'given up' after some parts, as others did better
    there; 'repeated' where the same settings were tried before; 'failed' with what was wrong in `error`.
    """

    number: int
    settings: Mapping[str, Any]
    figures: Sequence[float]
    status: Status
    seconds: float
    error: str | None = None

    @property
    def value(self) -> float:
        """The mean of its figures."""
        return mean(self.figures)

    @property
    def in_words(self) -> str:
        """'model.width = 64, training.learning_rate = 0.003'."""
        if not self.settings:
            return "the default" if self.number == 1 else "the default again"
        return ", ".join(f"{name} = {shown(value)}" for name, value in self.settings.items())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "number": self.number,
            "settings": dict(self.settings),
            "average_precision": number(self.value),
            "status": self.status,
            "error": self.error,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class TunedOn:
    """What settings were held against.

    `kind`: 'labels' or 'made-up'. `rows`, `anomalies`: those that are judged; `events`: of labelled series,
    how many the anomalies are. `drawn`: how many rows of a larger table take part; None where all do.
    """

    kind: Literal["labels", "made-up"]
    inputs: Sequence[str]
    rows: int
    anomalies: int
    parts: int
    seed: int
    events: int | None = None
    drawn: int | None = None

    @property
    def in_words(self) -> str:
        """'4,000 rows, 120 of them labelled as anomalies, in 5 parts'."""
        if self.kind == "labels":
            events = "" if self.events is None else f" in {self.events:,} events"
            judged = f"{self.rows:,} rows, {self.anomalies:,} of them labelled as anomalies{events}"
        else:
            judged = f"{self.rows:,} rows and anomalies made up of them"
        drawn = f" drawn by chance ({self.drawn:,} rows take part)" if self.drawn is not None else ""
        return f"{judged}{drawn}, in {self.parts} parts"


@dataclass(frozen=True, repr=False)
class Tuning:
    """What a search came to.

    `config`: the settings to train with: the tuned ones if their gain is more than noise explains, else the
    default ones. `searched`: the values tried of each setting, in words. `gain`: None where nothing was
    compared, as no other settings did better on the choosing halves, or no time was left. `stopped`: why
    not all trials that were asked for were made. `warnings`: what was said on the way.
    """

    config: Config
    tuned_on: TunedOn
    trials: Sequence[Trial]
    best: Trial
    gain: Gain | None
    searched: Mapping[str, str]
    seconds: float
    stopped: Stopped | None = None
    warnings: Sequence[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Tuning: {len(self.trials)} trials; {self.verdict}>"

    @property
    def keep_default(self) -> bool:
        """Whether nothing was found that is better than the default settings by more than noise."""
        return self.gain is None or not self.gain.is_real

    @property
    def verdict(self) -> str:
        """One sentence: which settings to use, and why."""
        if self.gain is not None:
            if self.keep_default:
                return (
                    f"keep the default: a gain of {self.gain.in_words} is within noise, which reaches "
                    f"{self.gain.needed:.3f} once in twenty times"
                )
            return (
                f"use the tuned settings: a gain of {self.gain.in_words} is more than noise explains, which "
                f"reaches {self.gain.needed:.3f} once in twenty times"
            )
        if self.best.number == 1:
            if len(self.trials) == 1:
                return "keep the default: there was no time to try other settings"
            return (
                f"keep the default: its average precision of {self.best.value:.3f} is the best of "
                f"{len(self.trials)} trials{self._next}"
            )
        return "keep the default: no time was left to hold the best trial against it"

    @property
    def _next(self) -> str:
        """What did best beside the best; empty where no other trial was judged to the end."""
        others = [trial for trial in self.trials if trial.status == "judged" and trial is not self.best]
        if not others:
            return ""
        second = max(others, key=lambda trial: trial.value)
        return f"; the next has {second.value:.3f} (trial {second.number})"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the body of `tune --json`, but for the file."""
        on = self.tuned_on
        return {
            "judged_by": on.kind,
            "rows": on.rows,
            "rows_drawn": on.drawn,
            "labelled_anomalies": on.anomalies if on.kind == "labels" else None,
            "events": on.events,
            "parts": on.parts,
            "seed": on.seed,
            "searched": dict(self.searched),
            "rule": RULE,
            "keep_default": self.keep_default,
            "verdict": self.verdict,
            "gain": None if self.gain is None else self.gain.as_dict(),
            "best": self.best.as_dict(),
            "settings": {} if self.keep_default else dict(self.best.settings),
            "trials": [trial.as_dict() for trial in self.trials],
            "stopped": self.stopped,
        }

    @property
    def text(self) -> str:
        """The settings as a TOML file for `aedetect train --config`, with how they came to be."""
        which = "the default settings" if self.keep_default else f"the settings of trial {self.best.number}"
        return settings_text(
            self.config,
            [
                f"Found by aedetect tune {__version__}: {which}.",
                *_origin(self.tuned_on, len(self.trials)),
                f"verdict: {self.verdict}",
            ],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file of settings. Raises OutputError where that fails."""
        write_settings(path, self.text)


def unfinished_text(config: Config, best: Trial, trials: int, tuned_on: TunedOn) -> str:
    """The file of a search that was stopped: the best so far, which nothing was held against."""
    return settings_text(
        config,
        [
            f"Found by aedetect tune {__version__}, which was stopped: the settings of trial {best.number}.",
            *_origin(tuned_on, trials),
            "verdict: none; these settings were not held against the default on rows that chose nothing",
        ],
    )


def write_settings(path: str | os.PathLike[str], text: str) -> None:
    """Write a file of settings whole or not at all. Raises OutputError."""
    with atomic_output(path) as stream:
        stream.write(text.encode("utf-8", "replace"))


def _origin(on: TunedOn, trials: int) -> list[str]:
    many = len(on.inputs) > 1
    inputs = f"{on.inputs[0]} and {len(on.inputs) - 1:,} more" if many else on.inputs[0]
    return [
        f"data: {inputs}; {on.in_words}",
        f"search: {trials} trial{'s' * (trials != 1)}, seed {on.seed}",
    ]


def shown(value: Any) -> str:
    """A setting's value for people."""
    return "unset" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
