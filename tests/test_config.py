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


def test_names_with_commas_stand_in_quotes_in_a_list() -> None:
    data = Config.build(
        environment={
            "AEDETECT_DATA_EXCLUDE": '"Amount, EUR", b',
            "AEDETECT_DATA_ROLES": '"Amount, EUR"=numeric,b=id',
        }
    ).data
    assert data.exclude == ["Amount, EUR", "b"]
    assert data.roles == {"Amount, EUR": "numeric", "b": "id"}


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
            "{path}: 'epochs' stands outside a table; epochs belongs under [training]",
        ),
        (
            "Alert-Rate = 0.1",
            "{path}: 'Alert-Rate' stands outside a table; did you mean 'alert_rate', which belongs under "
            "[threshold]?",
        ),
        ("value = 3", "{path}: 'value' stands outside a table; value belongs under [series] or [threshold]"),
        (
            "xyz = 3",
            "{path}: 'xyz' stands outside a table; settings belong under one of "
            "[data], [series], [model], [training], [threshold], [scoring], [drift]",
        ),
        (
            "training = 3",
            "{path}: 'training' is a table of settings; write [training], and its settings in the lines "
            "below",
        ),
        ("[Training]\nepochs = 3", "{path}: unknown table [Training]; did you mean 'training'?"),
        ("[roles]\na = 'id'", "{path}: unknown table [roles]; roles belongs under [data]"),
        ("[data]\nepochs = 3", "{path}: unknown setting 'data.epochs'; epochs belongs under [training]"),
        (
            "[data]\nepoch = 3",
            "{path}: unknown setting 'data.epoch'; did you mean 'epochs', which belongs under [training]?",
        ),
        ("[data]\nLabel = 'x'", "{path}: unknown setting 'data.Label'; did you mean 'data.label'?"),
        (
            "[drift]\nxyz = 3",
            "{path}: unknown setting 'drift.xyz'; [drift] has: psi, share, significance, least_rows",
        ),
        (
            "[training]\nepochs = 0",
            "{path}: training.epochs = 0: must be at least 1",
        ),
        (
            '[training]\nmax_time = "soon"',
            "{path}: training.max_time = 'soon': not a duration; write it like 90s, 10m or 2h",
        ),
        (
            "[threshold]\nvalue = nan",
            "{path}: threshold.value = nan: must be a finite number",
        ),
        (
            '[threshold]\nalert_rate = "0,003"',
            "{path}: threshold.alert_rate = '0,003': has a decimal comma; write 0.003 or 0.3%",
        ),
        (
            '[threshold]\nalert_rate = "5"',
            "{path}: threshold.alert_rate = '5': must be above 0 and below 1, such as 0.01 or 1%",
        ),
        (
            "[threshold]\nalert_rate = true",
            "{path}: threshold.alert_rate = True: not a share; write it like 0.01 or 1%",
        ),
        ("[model]\ndepth = 17", "{path}: model.depth = 17: must be at least 1 and at most 16"),
        ("[training]\nepochs = 2.5", "{path}: training.epochs = 2.5: not a whole number; write it like 20"),
        (
            '[training]\ndevice = "gpu"',
            "{path}: training.device = 'gpu': not one of auto, cpu, cuda or mps",
        ),
        ("[data]\nlabel = 3", "{path}: data.label = 3: not a text; write it in quotes"),
        ("[data]\nid = 3", "{path}: data.id = 3: not a list; write it like [\"a\", \"b\"]"),
        ("[data]\nroles = 3", '{path}: data.roles = 3: not a table; write it like {{zip = "categorical"}}'),
        ("[data]\ndecimal = ';'", "{path}: data.decimal = ';': not one of '.' or ','"),
        (
            "[series]\ntime = 3",
            "{path}: series.time = 3: not the name of a column; write it in quotes, or a list of two such "
            "names",
        ),
        (
            "[series]\nwindow = 1.5",
            "{path}: series.window = 1.5: neither a number of steps nor a duration; write it like 96 or 6h",
        ),
        (
            '[series]\ncausal = "maybe"',
            "{path}: series.causal = 'maybe': not a boolean; write true or false",
        ),
        ("[training\n", "{path}: not a TOML file: Expected ']' at the end of a table declaration "
                        "(at line 1, column 10)"),
        (
            '[data.roles]\nzip = "category"',
            "{path}: data.roles.zip = 'category': not one of numeric, categorical, boolean, datetime, id or "
            "ignored; did you mean 'categorical'?",
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
            "AEDETECT_TRAINING_EPOCHS = 'many': not a whole number; write it like 20 or 2,000",
        ),
        (
            "AEDETECT_THRESHOLD_ALERT_RATE",
            "1",
            "AEDETECT_THRESHOLD_ALERT_RATE = '1': must be above 0 and below 1, such as 0.01 or 1%",
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
            "training.device = 'gpu': not one of auto, cpu, cuda or mps",
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
    assert message == "--epochs = 0: must be at least 1"


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "gradient_clip", "max_time"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_may_be_infinite_or_none(name: str, value: float) -> None:
    message = refusal(overrides={f"training.{name}": value})
    assert message == f"training.{name} = {value}: must be a finite number"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), (" 1d ", 86400), ("2 h", 7200)),
        *(("10 minutes", 600), ("1h30m", 5400), ("1 Hour 30 min", 5400), ("250ms", 0.25), ("1w", 604800)),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *(("threshold.alert_rate", text, 0.01) for text in ("1%", " 1 % ", "0.01", "1e-2", "10‰", ".01")),
        ("threshold.alert_rate", "0.7%", 0.007),
        ("drift.share", "5 %", 0.05),
        ("drift.significance", "0.1%", 0.001),
        ("training.contamination", "5%", 0.05),
        ("training.contamination", "auto", "auto"),
        *(("training.epochs", text, 1000) for text in ("1000", "1_000", "1,000", "1 000", "1'000", "#1,000")),
        ("training.learning_rate", "1_0e-4", 0.001),
        ("series.window", "1,024", 1024),
        ("series.window", "1h30m", "1h30m"),
    ],
)
def test_numbers_are_read_as_people_write_them(name: str, text: str, value: object) -> None:
    section, _, key = name.partition(".")
    assert getattr(getattr(Config.build(overrides={name: text}), section), key) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("threshold.alert_rate", "0,003", "has a decimal comma; write 0.003 or 0.3%"),
        ("threshold.alert_rate", ",5%", "has a decimal comma; write 0.5%"),
        ("threshold.alert_rate", "some", "not a share; write it like 0.01 or 1%"),
        ("threshold.alert_rate", "nan", "must be a finite number"),
        ("threshold.value", "5%", "not a number; write it like 3 or 0.5"),
        ("threshold.value", "2,5", "has a decimal comma; write 2.5"),
        ("training.contamination", "0,05", "has a decimal comma; write 0.05 or 5%"),
        ("training.epochs", "2,69", "not a whole number; write it like 20 or 2,000"),
        ("training.epochs", "2.0", "not a whole number; write it like 20 or 2,000"),
        (
            "training.max_time",
            "1,5h",
            "has a decimal comma; write it like 90s, 10m or 2h, with a decimal point: 1.5h",
        ),
        ("training.max_time", "1h30", "not a duration; write it like 90s, 10m or 2h"),
        ("training.max_time", "", "not a duration; write it like 90s, 10m or 2h"),
        ("training.max_time", "0s", "must be above 0"),
        ("series.window", "wide", "neither a number of steps nor a duration; write it like 96 or 6h"),
    ],
)
def test_numbers_that_are_none_are_refused_with_what_to_write(name: str, text: str, message: str) -> None:
    assert refusal(overrides={name: text}) == f"{name} = {text!r}: {message}"


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().training.epochs = 3


def test_every_setting_says_what_it_means() -> None:
    sections = [info.annotation for info in Config.model_fields.values()]
    fields = [field for section in sections for field in section.model_fields.values()]  # type: ignore[union-attr]
    assert all(field.description for field in fields)
    assert len(fields) == len(setting_names())
