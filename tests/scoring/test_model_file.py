"""The model file: what is packed comes back, and nothing else is taken for a model."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.tables import tiny_frame

from aedetect._version import __version__
from aedetect.errors import ModelError, OutputError
from aedetect.scoring import model_file as bundle
from aedetect.scoring import model_header
from aedetect.scoring.manifest import Manifest
from aedetect.scoring.model_file import Tensors, pack, read_model_file, unpack, write_model_file
from aedetect.scoring.model_header import FORMAT_VERSION, digest_place


@pytest.fixture(scope="module")
def data(tiny_model: Path) -> bytes:
    return tiny_model.read_bytes()


def repack(data: bytes, change: Callable[[Tensors], object]) -> bytes:
    """The same model with other tensors, its digests sound."""
    manifest, tensors = unpack(data)
    tensors = dict(tensors)
    change(tensors)
    return pack(manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors)


def edited(data: bytes, change: Callable[[dict[str, Any]], object], sound: bool = True) -> bytes:
    """The same tensors under an edited manifest, with a digest that fits if `sound`."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    manifest = json.loads(header["__metadata__"]["manifest"])
    manifest["file_sha256"] = "0" * 64
    change(manifest)
    header["__metadata__"]["manifest"] = json.dumps(manifest, separators=(",", ":"))
    text = json.dumps(header, separators=(",", ":")).encode()
    blank = struct.pack("<Q", len(text)) + text + data[8 + size :]
    if not sound:
        return blank
    place = digest_place(blank)
    return blank[:place] + hashlib.sha256(blank).hexdigest().encode() + blank[place + 64 :]


def refusal(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "bad.aed"
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        read_model_file(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_what_is_packed_comes_back(tiny_model: Path, data: bytes) -> None:
    manifest, tensors, digest = read_model_file(tiny_model)
    assert repack(data, lambda _: None) == data
    assert digest == hashlib.sha256(data).hexdigest()
    assert manifest.format_version == FORMAT_VERSION
    assert set(manifest.tensors) == set(tensors)
    assert all(tensor.flags.c_contiguous for tensor in tensors.values())


def test_any_safetensors_tool_reads_it(tiny_model: Path) -> None:
    from safetensors import safe_open

    with safe_open(tiny_model, framework="np") as file:
        assert set(file.metadata()) == {"manifest"}
        assert np.isfinite(file.get_tensor("calibration.scores")).all()


def test_an_edited_manifest_with_a_fitting_digest_is_read(data: bytes) -> None:
    manifest, _ = unpack(edited(data, lambda m: m["training"].update(inputs=["other.csv"])))
    assert manifest.training.inputs == ("other.csv",)


def test_a_column_that_looks_like_the_digest_fools_nobody(data: bytes) -> None:
    name = '"file_sha256":"' + "0" * 64
    manifest, tensors = unpack(data)
    training = manifest.training.model_copy(update={"inputs": (name, "\\" + name)})
    again, _ = unpack(pack(manifest.model_schema, manifest.features, manifest.config, training, tensors))
    assert again.training.inputs == (name, "\\" + name)


def broken(data: bytes, place: int, mask: int) -> None:
    changed = bytearray(data)
    changed[place] ^= mask
    with pytest.raises(model_header.Damaged):
        unpack(bytes(changed))


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_no_byte_of_the_header_can_flip(data: bytes, step: int) -> None:
    end = 8 + struct.unpack("<Q", data[:8])[0]
    for place in range(0, end, step):
        broken(data, place, 1 << place % 8)


def test_no_byte_of_the_tensors_can_flip(data: bytes) -> None:
    start = 8 + struct.unpack("<Q", data[:8])[0]
    for place in random.Random(0).sample(range(start, len(data)), 300):
        broken(data, place, 1 << place % 8)


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(data: bytes, tmp_path: Path, share: float) -> None:
    message = refusal(data[: int(share * len(data))], tmp_path)
    assert message in (
        "not an aedetect model file (too short)",
        "not an aedetect model file, or cut short",
        "the model file is damaged (its digest does not match); restore it or retrain",
    )


def test_a_file_with_bytes_added_is_refused(data: bytes, tmp_path: Path) -> None:
    assert refusal(data + b"\0", tmp_path) == (
        "the model file is damaged (its digest does not match); restore it or retrain"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an aedetect model file (too short)"),
        (b"temp,load\n1,2\n", "not an aedetect model file, or cut short"),
        (b"\x80\x04\x95" + b"x" * 99, "not an aedetect model file, or cut short"),
        (struct.pack("<Q", 2) + b"{}", "not an aedetect model file, or damaged"),
        (struct.pack("<Q", 2) + b"[]", "not an aedetect model file, or damaged"),
        (struct.pack("<Q", 2) + b"\xff\xff", "not an aedetect model file, or damaged"),
        (struct.pack("<Q", 200_000) + b"[" * 200_000, "not an aedetect model file, or damaged"),
        (struct.pack("<Q", 2**63) + b"{}", "not an aedetect model file, or cut short"),
    ],
)
def test_other_files_are_no_models(tmp_path: Path, content: bytes, message: str) -> None:
    assert refusal(content, tmp_path) == message


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ModelError) as caught:
        read_model_file("/dev/urandom")
    assert str(caught.value) == "/dev/urandom: not an aedetect model file, or cut short"


def test_the_header_is_capped(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_header, "MOST_HEADER_BYTES", 100)
    assert refusal(data, tmp_path) == "not an aedetect model file, or cut short"


def test_a_file_that_could_not_be_read_back_is_not_written(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, tensors = unpack(data)
    parts = (manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors)
    size = struct.unpack("<Q", data[:8])[0]
    path = tmp_path / "model.aed"
    monkeypatch.setattr(bundle, "MOST_HEADER_BYTES", size - 1)
    with pytest.raises(OutputError) as caught:
        write_model_file(path, *parts)
    assert str(caught.value) == (
        f"{path}: what the model file says of its columns takes 0 MB, and 0 MB are read back at most: "
        "leave columns out with --exclude"
    )
    assert not path.exists()
    monkeypatch.setattr(bundle, "MOST_HEADER_BYTES", size)
    write_model_file(path, *parts)
    assert read_model_file(path)[0].tensors == manifest.tensors


@pytest.mark.parametrize(
    ("name", "reason"), [("none.aed", "No such file or directory"), ("", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_model_file(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: cannot read the model file: {reason}"


@pytest.mark.parametrize("sound", [True, False])
def test_a_newer_format_is_refused_whatever_else_it_holds(data: bytes, tmp_path: Path, sound: bool) -> None:
    def renew(manifest: dict[str, Any]) -> None:
        manifest.update(format_version=FORMAT_VERSION + 1, aedetect_version="7.0", novelty=1)

    assert refusal(edited(data, renew, sound), tmp_path) == (
        f"format version {FORMAT_VERSION + 1}, made by aedetect 7.0; this aedetect ({__version__}) reads up "
        f"to version {FORMAT_VERSION}: upgrade aedetect"
    )


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", None, True, [1]])
def test_odd_versions_are_refused(data: bytes, tmp_path: Path, version: object) -> None:
    changed = edited(data, lambda manifest: manifest.update(format_version=version))
    assert refusal(changed, tmp_path) == "not an aedetect model file, or damaged"


def drop(name: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.pop(name)


def put(name: str, change: Callable[[Any], Any]) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({name: change(tensors[name].copy())})


def one_nan(values: Any) -> Any:
    values.flat[0] = np.nan
    return values


UNCALIBRATED = "the model file is damaged (its calibration is not one)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put("calibration.scores", one_nan),
            "the model file is damaged (tensor 'calibration.scores' holds values that are not finite)",
        ),
        (drop("calibration.scores"), UNCALIBRATED),
        (drop("calibration.scale"), UNCALIBRATED),
        (put("calibration.scores", lambda values: values[::-1]), UNCALIBRATED),
        (put("calibration.scores", lambda values: values[:0]), UNCALIBRATED),
        (put("calibration.scores", lambda values: values[None]), UNCALIBRATED),
        (put("calibration.scores", lambda values: values.astype("f4")), UNCALIBRATED),
        (put("calibration.scale", lambda values: -values), UNCALIBRATED),
        (put("calibration.scale", lambda values: values * 0), UNCALIBRATED),
        (put("calibration.scale", lambda values: values.repeat(2)), UNCALIBRATED),
    ],
)
def test_sound_digests_do_not_excuse_bad_contents(
    data: bytes, tmp_path: Path, change: Callable[[Tensors], object], message: str
) -> None:
    assert refusal(repack(data, change), tmp_path) == message


def weight(data: bytes) -> str:
    return next(name for name in unpack(data)[1] if name.startswith("members.0.") and "weight" in name)


def test_a_nan_in_a_weight_is_refused(data: bytes, tmp_path: Path) -> None:
    name = weight(data)
    assert refusal(repack(data, put(name, one_nan)), tmp_path) == (
        f"the model file is damaged (tensor {name!r} holds values that are not finite)"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda name: drop(name),
        lambda name: put(name, lambda values: values[:-1]),
        lambda name: put(name, lambda values: values.T[None]),
        lambda name: lambda tensors: tensors.update({"members.0.other": tensors[name]}),
    ],
)
def test_tensors_that_fit_no_network_are_refused(
    data: bytes, tmp_path: Path, change: Callable[[str], Callable[[Tensors], object]]
) -> None:
    import aedetect

    path = tmp_path / "bad.aed"
    path.write_bytes(repack(data, change(weight(data))))
    with pytest.raises(ModelError, match="bad.aed: the model file is damaged"):
        aedetect.load(path)


def other_dtype(manifest: dict[str, Any]) -> None:
    manifest["tensors"]["calibration.scale"]["dtype"] = "float64"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            other_dtype,
            "the model file is damaged (tensor 'calibration.scale' is not as the manifest says)",
        ),
        (
            lambda manifest: manifest["tensors"].pop("calibration.scale"),
            "the model file is damaged (its tensors are not those of the manifest)",
        ),
        (
            lambda manifest: manifest.update(novelty=1),
            "the model file is damaged (1 validation error for Manifest)",
        ),
    ],
)
def test_a_manifest_at_odds_with_the_tensors_is_refused(
    data: bytes, tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    assert refusal(edited(data, change), tmp_path) == message


def test_writing_to_a_missing_folder_says_so(data: bytes, tmp_path: Path) -> None:
    manifest, tensors = unpack(data)
    path = tmp_path / "missing" / "m.aed"
    with pytest.raises(OutputError) as caught:
        bundle.write_model_file(
            path, manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors
        )
    assert str(caught.value) == f"{path}: cannot be written: its folder does not exist; create it first"


def test_a_written_bundle_is_the_packed_one(data: bytes, tmp_path: Path) -> None:
    manifest, tensors = unpack(data)
    assert isinstance(manifest, Manifest)
    path = tmp_path / "m.aed"
    bundle.write_model_file(
        path, manifest.model_schema, manifest.features, manifest.config, manifest.training, tensors
    )
    assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["m.aed"]


FORMAT_1 = Path(__file__).parents[1] / "scoring" / "stored" / "format1.aed"


def test_a_model_of_format_1_still_scores() -> None:
    from aedetect import load

    detector = load(FORMAT_1)
    scored = detector.score(tiny_frame(20, seed=1))
    assert scored["anomaly_status"].eq("ok").all()
    with pytest.raises(ModelError, match="^the model has no code member.*retrain$"):
        detector.encode(tiny_frame(5))
