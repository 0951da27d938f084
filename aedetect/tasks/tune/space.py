"""Which settings are searched, and among which values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aedetect.config import Config
from aedetect.models.registry import AUTO, architecture_of
from aedetect.scoring.fitted import FittedModel

if TYPE_CHECKING:
    import optuna

Settings = Mapping[str, Any]

ARCHITECTURE = "model.architecture"
_OF_TABLES = (AUTO, "memory", "principal", "denoising")
_OF_SERIES = (AUTO, "convolutional")
# Windows of series are tried at so many times the default's length.
_WINDOWS, _LEAST_WINDOW = (0.5, 2.0), 8
_DIGITS = 2


@dataclass(frozen=True)
class Choice:
    """A setting with one of a few values, the default's first; `of`: only with these architectures."""

    name: str
    values: Sequence[Any]
    of: Sequence[str] | None = None

    def suggest(self, trial: optuna.Trial) -> Any:
        return trial.suggest_categorical(self.name, list(self.values))

    def distribution(self) -> Any:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(list(self.values))

    @property
    def in_words(self) -> str:
        """The values, as a page or a summary lists them."""
        return ", ".join("unset" if value is None else str(value) for value in self.values)


@dataclass(frozen=True)
class Range:
    """A positive number on a logarithmic scale; `of`: only with these architectures."""

    name: str
    low: float
    high: float
    of: Sequence[str] | None = None

    def suggest(self, trial: optuna.Trial) -> Any:
        # As people write it: the file is to be read.
        return float(f"{trial.suggest_float(self.name, self.low, self.high, log=True):.{_DIGITS}g}")

    def distribution(self) -> Any:
        from optuna.distributions import FloatDistribution

        return FloatDistribution(self.low, self.high, log=True)

    @property
    def in_words(self) -> str:
        """The range, as a page or a summary gives it."""
        return f"{self.low:g} to {self.high:g}, logarithmic"


@dataclass(frozen=True)
class Space:
    """What is searched around the settings `config`; what these set themselves is not."""

    config: Config
    dimensions: Sequence[Choice | Range]

    @classmethod
    def around(cls, config: Config, fitted: FittedModel) -> Space:
        """The space of a kind of data; `fitted`: what the default settings made of them."""
        every = _series(fitted) if fitted.series is not None else _tables(fitted)
        given = value_of(config, ARCHITECTURE) if is_set(config, ARCHITECTURE) else None
        return cls(
            config,
            [
                one
                for one in every
                if not is_set(config, one.name) and (one.of is None or given is None or given in one.of)
            ],
        )

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """The settings of a trial that are not the default's."""
        settings: dict[str, Any] = {}
        for dimension in self.dimensions:
            architecture = settings.get(ARCHITECTURE, value_of(self.config, ARCHITECTURE))
            if dimension.of is None or architecture in dimension.of:
                settings[dimension.name] = dimension.suggest(trial)
        return {name: value for name, value in settings.items() if value != value_of(self.config, name)}

    def default_parameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The default as a trial: its values and the distributions that they are of, by setting."""
        architecture = value_of(self.config, ARCHITECTURE)
        active = [one for one in self.dimensions if one.of is None or architecture in one.of]
        values = {one.name: value_of(self.config, one.name) for one in active}
        return values, {one.name: one.distribution() for one in active}


def _tables(fitted: FittedModel) -> list[Choice | Range]:
    usual = architecture_of(AUTO, bool(fitted.encoder.layout.numeric))
    return [
        Choice(ARCHITECTURE, [name for name in _OF_TABLES if name != usual]),
        Choice("model.width", [128, 64, 256]),
        Choice("model.depth", [3, 2, 4]),
        Range("training.learning_rate", 5e-4, 1e-2),
    ]


def _series(fitted: FittedModel) -> list[Choice | Range]:
    lengths = [max(round(times * fitted.window), _LEAST_WINDOW) for times in _WINDOWS]
    return [
        Choice(ARCHITECTURE, _OF_SERIES),
        Choice("series.window", [None, *lengths]),
        Choice("series.smoothing", [0, 4, 16]),
        # Patches are learned in one pass, without a rate.
        Range("training.learning_rate", 5e-4, 1e-2, of=("convolutional",)),
    ]


def value_of(config: Config, name: str) -> Any:
    """A setting by its dotted name."""
    section, _, key = name.partition(".")
    return getattr(getattr(config, section), key)


def is_set(config: Config, name: str) -> bool:
    """Whether a file, the environment or a flag sets it."""
    section, _, key = name.partition(".")
    return key in getattr(config, section).model_fields_set


def with_settings(config: Config, settings: Settings) -> Config:
    """The settings with some others, by dotted name."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = value
    return config.model_copy(
        update={
            section: getattr(config, section).model_copy(update=values)
            for section, values in sections.items()
        }
    )
