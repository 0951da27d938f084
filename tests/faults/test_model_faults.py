"""Model files that cannot be used, as a user meets them (fault 30)."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - a pickle is what must not be run
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from aedetect._version import __version__
from aedetect.cli.main import app
from aedetect.scoring.model_file import pack, unpack

NOT_ONE = "not an aedetect model file, or cut short"
DAMAGED = "the model file is damaged (its digest does not match); restore it or retrain"


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> object:
        return (open, (str(self.path), "w"))


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def with_nan(data: bytes) -> bytes:
    manifest, tensors = unpack(data)
    name = sorted(name for name in tensors if name.startswith("members."))[0]
    tensors[name] = np.full_like(tensors[name], np.nan)
    return pack(manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors)


BAD: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "not an aedetect model file (too short)"),
    "cut in the header": (lambda data: data[:500], NOT_ONE),
    "cut at the end": (lambda data: data[:-1], DAMAGED),
    "one byte of the weights flipped": (lambda data: flip(data, -5), DAMAGED),
    "a CSV": (lambda _: b"temp,load\n1,2\n", NOT_ONE),
    "a newer format": (
        lambda data: data.replace(rb"\"format_version\":3", rb"\"format_version\":9", 1),
        f"format version 9, made by aedetect {__version__}; this aedetect ({__version__}) reads up to "
        "version 2: upgrade aedetect",
    ),
}  # fmt: skip


def score(model: Path, data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["score", str(data), "-m", str(model), *words])


@pytest.mark.parametrize("command", ["score", "inspect"])
@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD)
def test_a_bad_model_is_4(
    tmp_path: Path,
    tiny_csv: Path,
    tiny_model: Path,
    command: str,
    spoil: Callable[[bytes], bytes],
    message: str,
) -> None:
    bad, out = tmp_path / "bad.aed", tmp_path / "out.csv"
    bad.write_bytes(spoil(tiny_model.read_bytes()))
    out.write_text("old")
    result = (
        score(bad, tiny_csv, "-o", str(out))
        if command == "score"
        else CliRunner().invoke(app, ["inspect", str(bad)])
    )
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == f"error: {bad}: {message}\n"
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.aed", "out.csv"]


def test_a_nan_in_a_weight_is_4(tmp_path: Path, tiny_csv: Path, tiny_model: Path) -> None:
    bad = tmp_path / "bad.aed"
    bad.write_bytes(with_nan(tiny_model.read_bytes()))
    result = score(bad, tiny_csv)
    assert result.exit_code == 4
    assert result.stderr.endswith("holds values that are not finite)\n")


def test_a_pickle_is_not_run(tmp_path: Path, tiny_csv: Path) -> None:
    bad, mark = tmp_path / "bad.aed", tmp_path / "executed"
    bad.write_bytes(pickle.dumps(Bomb(mark)) + b" " * 100)
    result = score(bad, tiny_csv)
    assert (result.exit_code, result.stderr) == (4, f"error: {bad}: {NOT_ONE}\n")
    assert not mark.exists()


def test_the_error_is_one_json_object_if_asked_for(tmp_path: Path, tiny_csv: Path) -> None:
    result = score(tmp_path / "none.aed", tiny_csv, "--json")
    assert (result.exit_code, result.stdout) == (4, "")
    assert json.loads(result.stderr) == {
        "command": "score",
        "error": f"{tmp_path / 'none.aed'}: cannot read the model file: No such file or directory",
        "exit_code": 4,
    }


def test_a_model_made_for_other_columns_is_4(tmp_path: Path, tiny_model: Path) -> None:
    data = tmp_path / "other.csv"
    data.write_text("temp,site,open\n1,north,true\n")
    result = score(tiny_model, data)
    assert (result.exit_code, len(result.stderr.splitlines())) == (4, 1)
    assert "'load'" in result.stderr
