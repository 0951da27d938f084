"""Every setting once; defaults < TOML < environment < overrides; what is unknown is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aedetect.config import Config, parse_duration, setting_names
from aedetect.errors import UsageError


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Config.build(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("layers", "expected"), [((), None), ((0,), 1), ((0, 1), 2), ((0, 2), 3), ((1, 2), 3), ((0, 1, 2), 3)]
)
def test_later_layers_win(tmp_path: Path, layers: tuple[int, ...], expected: int | None) -> None:
    config = Config.build(
        toml(tmp_path, "[training]\nepochs = 1") if 0 in layers else None,
        {"AEDETECT_TRAINING_EPOCHS": "2"} if 1 in layers else {},
        {"training.epochs": 3} if 2 in layers else {},
    )
    assert config.training.epochs == expected


def test_layers_mix_within_a_table(tmp_path: Path) -> None:
    path = toml(tmp_path, "[training]\nepochs = 1\nseed = 5")
    found = Config.build(path, {"AEDETECT_TRAINING_EPOCHS": "2"}, {"training.batch_size": 9}).training
    assert (found.seed, found.epochs, found.batch_size) == (5, 2, 9)


def test_an_override_of_none_is_not_given() -> None:
    assert Config.build(None, {"AEDETECT_TRAINING_SEED": "4"}, {"training.seed": None}).training.seed == 4


@pytest.mark.parametrize("name", setting_names())
def test_every_setting_can_be_set_from_the_environment(name: str) -> None:
    section, _, key = name.partition(".")
    default = getattr(getattr(Config(), section), key)
    text = {
        "data.roles": "a=numeric",
        "data.delimiter": ";",
        "data.format": "csv",
        "data.header": "true",
        "data.thousands": "none",
    }.get(name)
    if text is None:
        text = ",".join(default) if isinstance(default, list) else str(default if default is not None else 5)
    Config.build(environment={"AEDETECT_" + name.replace(".", "_").upper(): text or "x"})


def test_lists_and_roles_from_the_environment() -> None:
    data = Config.build(
        environment={"AEDETECT_DATA_ID": "a, b,", "AEDETECT_DATA_ROLES": "zip=categorical,n=numeric"}
    ).data
    assert data.id == ["a", "b"]
    assert data.roles == {"zip": "categorical", "n": "numeric"}


def test_roles_from_toml(tmp_path: Path) -> None:
    path = toml(tmp_path, '[data.roles]\n"my.zip" = "categorical"')
    assert Config.build(path).data.roles == {"my.zip": "categorical"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[training]\nepoch = 3",
            "{path}: unknown setting 'training.epoch'; did you mean 'training.epochs'?",
        ),
        ("[trainning]\nepochs = 3", "{path}: unknown table [trainning]; did you mean 'training'?"),
        ("[trainning]", "{path}: unknown table [trainning]; did you mean 'training'?"),
        (
            "[x]",
            "{path}: unknown table [x]; known are: data, series, model, training, threshold, scoring, drift",
        ),
        (
            "epochs = 3",
            "{path}: 'epochs' stands outside a table; settings belong under one of "
            "[data], [series], [model], [training], [threshold], [scoring], [drift]",
        ),
        (
            "[training]\nepochs = 0",
            "{path}: training.epochs = 0: input should be greater than or equal to 1",
        ),
        (
            '[training]\nmax_time = "soon"',
            "{path}: training.max_time = 'soon': not a duration; write it like 90s, 10m or 2h",
        ),
        (
            "[threshold]\nvalue = nan",
            "{path}: threshold.value = nan: input should be a finite number",
        ),
        ("[training\n", "{path}: not a TOML file: Expected ']' at the end of a table declaration "
                        "(at line 1, column 10)"),
        (
            '[data.roles]\nzip = "category"',
            "{path}: data.roles.zip = 'category': input should be 'numeric', 'categorical', 'boolean', "
            "'datetime', 'id' or 'ignored'",
        ),
    ],
)  # fmt: skip
def test_mistakes_in_a_file_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = toml(tmp_path, text)
    assert refusal(path) == message.format(path=path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "{path}: cannot read the configuration file: No such file or directory"),
        (
            b"\xff",
            "{path}: not a TOML file: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    assert refusal(path) == message.format(path=path)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "AEDETECT_TRAINING_EPOCH",
            "3",
            "unknown environment variable AEDETECT_TRAINING_EPOCH; did you mean 'AEDETECT_TRAINING_EPOCHS'?",
        ),
        (
            "AEDETECT_TRAINING_EPOCHS",
            "many",
            "AEDETECT_TRAINING_EPOCHS = 'many': input should be a valid integer, "
            "unable to parse string as an integer",
        ),
        (
            "AEDETECT_THRESHOLD_ALERT_RATE",
            "1",
            "AEDETECT_THRESHOLD_ALERT_RATE = '1': input should be less than 1",
        ),
    ],
)
def test_mistakes_in_the_environment_are_named(variable: str, value: str, message: str) -> None:
    assert refusal(environment={variable: value}) == message


def test_other_environment_variables_are_left_alone() -> None:
    assert Config.build(environment={"HOME": "/", "aedetect_x": "1"}) == Config()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"training.epoch": 1}, "unknown setting 'training.epoch'; did you mean 'training.epochs'?"),
        (
            {"training.device": "gpu"},
            "training.device = 'gpu': input should be 'auto', 'cpu', 'cuda' or 'mps'",
        ),
        *(
            (
                {"data.delimiter": mark},
                f"data.delimiter = {mark!r}: not a delimiter; give one ASCII character, "
                "no quote or line end, e.g. ';' or tab",
            )
            for mark in ("", ";;", '"', "\n", "→")
        ),
    ],
)  # fmt: skip
def test_mistakes_in_overrides_are_named(override: dict[str, Any], message: str) -> None:
    assert refusal(overrides=override) == message


def test_overrides_are_called_what_the_user_typed() -> None:
    message = refusal(overrides={"training.epochs": 0}, shown_as=lambda name: "--" + name.split(".")[1])
    assert message == "--epochs = 0: input should be greater than or equal to 1"


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "gradient_clip", "max_time"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_may_be_infinite_or_none(name: str, value: float) -> None:
    message = refusal(overrides={f"training.{name}": value})
    assert message == f"training.{name} = {value}: input should be a finite number"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), (" 1d ", 86400), ("2 h", 7200)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().training.epochs = 3


def test_every_setting_says_what_it_means() -> None:
    sections = [info.annotation for info in Config.model_fields.values()]
    fields = [field for section in sections for field in section.model_fields.values()]  # type: ignore[union-attr]
    assert all(field.description for field in fields)
    assert len(fields) == len(setting_names())
