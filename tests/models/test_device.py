"""Where to compute, and how much at once."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch

from aedetect.errors import UsageError
from aedetect.models import device as devices
from aedetect.models.device import _may_have_gpu, pick_device


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    "driver",
    [
        "dev/nvidiactl",
        "dev/nvidia1",
        "dev/nvidia15",
        "proc/driver/nvidia/version",
        "dev/nvhost-gpu",
        "dev/nvhost-ctrl-gpu",
        "dev/nvmap",
        "dev/kfd",
        "dev/dxg",
    ],
)
@pytest.mark.usefixtures("linux")
def test_drivers_show_themselves(driver: str, tmp_path: Path) -> None:
    assert not _may_have_gpu(tmp_path)
    (tmp_path / driver).parent.mkdir(parents=True)
    (tmp_path / driver).touch()
    assert _may_have_gpu(tmp_path)


@pytest.mark.usefixtures("linux")
def test_what_only_looks_like_a_card_is_none(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for name in ("nvidia-caps", "nvram", "null", "dri"):
        (tmp_path / "dev" / name).touch()
    assert not _may_have_gpu(tmp_path)


@pytest.mark.parametrize(
    ("hidden", "there"),
    [("", False), ("-1", False), (" ", False), ("0", True), ("1,2", True), ("GPU-8", True)],
)
@pytest.mark.usefixtures("linux")
def test_cards_that_are_hidden(
    hidden: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert _may_have_gpu(tmp_path) is there


@pytest.mark.parametrize("system", ["Darwin", "FreeBSD"])
def test_elsewhere_torch_computes_on_the_cpu(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    assert not _may_have_gpu(tmp_path)


@pytest.mark.parametrize(
    ("library", "there"), [("nvcuda.dll", True), ("amdhip64_7.dll", True), ("opengl32.dll", False)]
)
def test_windows(library: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "System32").mkdir()
    (tmp_path / "System32" / library).touch()
    assert _may_have_gpu() is there


class TestPicking:
    @pytest.fixture(autouse=True)
    def card(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "_may_have_gpu", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    @pytest.mark.parametrize(("name", "picked"), [("auto", "cuda"), ("cuda", "cuda"), ("cpu", "cpu")])
    def test_auto_is_the_gpu(self, name: str, picked: str) -> None:
        assert pick_device(name) == picked

    def test_auto_is_the_cpu_where_torch_cannot_use_the_card(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert pick_device("auto") == "cpu"
        with pytest.raises(UsageError, match="--device cuda: there is none on this machine"):
            pick_device("cuda")

    def test_auto_is_no_gpu_without_double_precision(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        monkeypatch.setattr(platform, "system", lambda: "Darwin")
        assert (pick_device("auto"), pick_device("mps")) == ("cpu", "mps")

    def test_torch_is_not_asked_where_there_is_no_driver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "_may_have_gpu", lambda: False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("torch was asked"))
        assert pick_device("auto") == "cpu"
        for name in ("cuda", "mps"):
            with pytest.raises(UsageError, match=f"--device {name}: there is none on this machine"):
                pick_device(name)
