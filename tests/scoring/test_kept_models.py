"""Models that were replaced, beside the one in use."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from aedetect.errors import ModelError, OutputError, UsageError
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.kept_models import digest_of_file, kept_models, kept_path, replace_model, roll_back


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    path = tmp_path / "m.aed"
    path.write_bytes(tiny_model.read_bytes())
    return path


def other(model: Path, seconds: float) -> FittedModel:
    """The model with another date of training, and so another digest."""
    fitted = FittedModel.load(model, device="cpu")
    return replace(fitted, training=fitted.training.model_copy(update={"seconds": seconds}))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_last_ones_are_kept(model: Path) -> None:
    digests = [digest_of_file(model)]
    for seconds in (1.0, 2.0, 3.0):
        replace_model(model, other(model, seconds), keep=2)
        digests.append(digest_of_file(model))
    assert names(model.parent) == ["m.aed", "m.kept-2.aed", "m.kept-3.aed"]
    assert [(one.number, one.sha256) for one in kept_models(model)] == [(3, digests[2]), (2, digests[1])]
    assert FittedModel.load(model, device="cpu").training.seconds == 3.0
    assert kept_path(model, digests[1]) == model.with_name("m.kept-2.aed")
    assert kept_path(model, digests[0]) is None


def test_none_need_be_kept(model: Path) -> None:
    replace_model(model, other(model, 1.0), keep=0)
    assert names(model.parent) == ["m.aed"]


def test_rolling_back_is_undone_by_the_same(model: Path) -> None:
    first = digest_of_file(model)
    replace_model(model, other(model, 1.0), keep=3)
    second = digest_of_file(model)
    assert roll_back(model).sha256 == first == digest_of_file(model)
    assert [one.sha256 for one in kept_models(model)] == [second]
    assert roll_back(model).sha256 == second == digest_of_file(model)
    assert [one.sha256 for one in kept_models(model)] == [first]


def test_any_kept_model_may_be_put_back(model: Path) -> None:
    first = digest_of_file(model)
    for seconds in (1.0, 2.0):
        replace_model(model, other(model, seconds), keep=3)
    roll_back(model, first[:10].upper())
    assert digest_of_file(model) == first
    with pytest.raises(UsageError, match="is the model with the digest"):
        roll_back(model, first[:10])
    with pytest.raises(UsageError, match="no kept model has a digest that begins with 'xyz'; kept are"):
        roll_back(model, "xyz")
    with pytest.raises(UsageError, match="more than one kept model"):
        roll_back(model, "")


def test_there_must_be_another_one(model: Path) -> None:
    with pytest.raises(ModelError, match="no other model is kept beside it"):
        roll_back(model)
    os.link(model, model.with_name("m.kept-1.aed"))
    with pytest.raises(ModelError, match="no other model is kept beside it"):
        roll_back(model)


def test_a_damaged_one_is_not_put_back(model: Path) -> None:
    replace_model(model, other(model, 1.0), keep=3)
    before = digest_of_file(model)
    model.with_name("m.kept-1.aed").write_bytes(b"broken")
    with pytest.raises(ModelError, match="the kept model is damaged"):
        roll_back(model)
    assert digest_of_file(model) == before
    assert kept_models(model)[0].trained is None


def test_what_a_stopped_run_kept_is_not_kept_twice(model: Path) -> None:
    os.link(model, model.with_name("m.kept-1.aed"))
    replace_model(model, other(model, 1.0), keep=3)
    assert names(model.parent) == ["m.aed", "m.kept-1.aed"]


def test_file_systems_without_hard_links(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "not permitted")

    first = digest_of_file(model)
    monkeypatch.setattr(os, "link", refused)
    replace_model(model, other(model, 1.0), keep=3)
    assert kept_models(model)[0].sha256 == first


def test_a_link_is_followed(model: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "now.aed"
    link.symlink_to(model)
    replace_model(link, other(model, 1.0), keep=3)
    assert link.is_symlink()
    assert names(tmp_path) == ["links", "m.aed", "m.kept-1.aed"]
    assert [one.path for one in kept_models(link)] == [model.with_name("m.kept-1.aed")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_leaves_all_as_it_is(model: Path) -> None:
    newer = other(model, 1.0)
    model.parent.chmod(0o555)
    try:
        with pytest.raises(OutputError):
            replace_model(model, newer, keep=3)
    finally:
        model.parent.chmod(0o755)
    assert names(model.parent) == ["m.aed"]
