"""The arrays of a model by their names in the model file, whichever library holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from aedetect.data.arrays import AnyArray

# An array of any library that follows the array API (numpy, torch, ONNX graphs).
Array = Any
# What is computed from a model's layout: numpy arrays, put where the model's own are.
Place = Callable[[AnyArray], Array]


class Arrays:
    """A model's arrays under the names of the part that asks.

    Whoever takes one says what shape it must have; so that a file of other arrays is refused. What follows
    from the layout is no part of a file: it is computed once and remembered.

    >>> arrays = Arrays({"codes.center": np.zeros(3)}).under("codes")
    >>> arrays.take("center", 3).shape
    (3,)
    """

    def __init__(
        self,
        values: Mapping[str, Array],
        place: Place | None = None,
        constants: dict[str, Array] | None = None,
    ):
        self._values = values
        self._place = place
        self._constants = {} if constants is None else constants
        self._prefix = ""
        self._taken: set[str] = set()

    def under(self, name: str) -> Arrays:
        """The arrays of the part called `name`."""
        part = Arrays(self._values, self._place, self._constants)
        part._prefix, part._taken = f"{self._prefix}{name}.", self._taken
        return part

    def take(self, name: str, *shape: int | None) -> Array:
        """The array called `name`; None in `shape` is any size.

        Raises KeyError where there is none and ValueError where it has another shape.
        """
        full = self._prefix + name
        values = self._values[full]
        if not shape and tuple(values.shape) == (1,):
            # Model files hold a single number as one of one.
            values = values[0]
        if len(values.shape) != len(shape) or any(
            wanted is not None and size != wanted for size, wanted in zip(values.shape, shape, strict=True)
        ):
            sizes = ", ".join("any" if size is None else str(size) for size in shape)
            raise ValueError(f"{full} has the shape {tuple(values.shape)}, not ({sizes})")
        self._taken.add(full)
        return values

    def size(self, name: str, dimension: int) -> int:
        """How large the array called `name` is. Raises KeyError; ValueError for no such dimension."""
        shape = self._values[self._prefix + name].shape
        if not -len(shape) <= dimension < len(shape):
            raise ValueError(f"{self._prefix}{name} has the shape {tuple(shape)}")
        return int(shape[dimension])

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._values

    def parts(self, name: str) -> Iterator[Arrays]:
        """The arrays of the parts 0, 1, … of a list called `name`."""
        index = 0
        while any(key.startswith(f"{self._prefix}{name}.{index}.") for key in self._values):
            yield self.under(f"{name}.{index}")
            index += 1

    def constant(self, name: str, compute: Callable[[], AnyArray]) -> Array:
        """What follows from the layout, where the other arrays are; computed when first asked for."""
        full = self._prefix + name
        if full not in self._constants:
            values = compute()
            self._constants[full] = values if self._place is None else self._place(values)
        return self._constants[full]

    def check_all_taken(self) -> None:
        """Raises ValueError where there are arrays that no part has asked for."""
        left = sorted(set(self._values) - self._taken)
        if left:
            raise ValueError(f"no part of the model is called {left[0]}")

    @property
    def values(self) -> Mapping[str, Array]:
        """All arrays of the whole model by their full names."""
        return self._values


def float32(values: AnyArray) -> AnyArray:
    """As the arrays of networks are; the same shape."""
    return np.ascontiguousarray(values, dtype=np.float32)
