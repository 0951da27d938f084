"""The heads from the arrays of a model file, in numpy and in torch."""

from __future__ import annotations

import numpy as np
import pytest
from support.heads import LAYOUT, SETTINGS, arrays_of, heads

from aedetect.models.evaluation.arrays import Arrays
from aedetect.models.evaluation.heads import AuxiliaryHeads


def test_arrays_are_written_as_they_were_read() -> None:
    values = arrays_of(heads())
    again = AuxiliaryHeads(LAYOUT, SETTINGS, Arrays(values)).arrays.values
    assert list(again) == list(values)
    assert all(np.array_equal(again[name], array) for name, array in values.items())


@pytest.mark.parametrize("name", ["codes.bend.bias", "repair.noise", "sampler.repeating"])
def test_an_array_that_is_missing_is_named(name: str) -> None:
    values = arrays_of(heads())
    del values[name]
    with pytest.raises(KeyError, match=name):
        AuxiliaryHeads(LAYOUT, SETTINGS, Arrays(values))


def test_an_array_of_another_shape_is_named() -> None:
    values = arrays_of(heads())
    values["repair.center"] = np.zeros(3, np.float32)
    with pytest.raises(ValueError) as caught:
        AuxiliaryHeads(LAYOUT, SETTINGS, Arrays(values))
    assert str(caught.value) == "repair.center has the shape (3,), not (6)"


def test_an_array_of_no_head_is_named() -> None:
    values = arrays_of(heads()) | {"repair.blender": np.zeros(3, np.float32)}
    with pytest.raises(ValueError) as caught:
        AuxiliaryHeads(LAYOUT, SETTINGS, Arrays(values))
    assert str(caught.value) == "no part of the model is called repair.blender"
