"""A linear autoencoder of windows with a memory bank of normal ones."""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.kernels import (
    all_of,
    any_of,
    matmul,
    namespace,
    rows_at_once,
    side_by_side,
)
from aedetect.models.evaluation.memory_bank import MemoryBank
from aedetect.models.evaluation.missing import held, held_windows
from aedetect.models.evaluation.window_kernels import many_at_once, projected, windows_of
from aedetect.models.evaluation.window_layout import WindowLayout

CODE_WIDTH = 16
# Added to each part's ratio to a typical window's: below it, closer is not more normal.
_FLOOR = 0.03
_ROUNDS = 10
_LEAST = 1e-12


class PatchEvaluation(WindowEvaluation):
    """Reconstructs a window from the normal ones it resembles.

    A window is cut to its principal components (the best linear code; Baldi & Hornik, 1989), the
    code is reconstructed from a memory bank of normal windows' codes (Gong et al., 2019), and that is
    turned back into a window. So the error has two parts: what is off the components, and how far what
    lies along them is from all that is stored. The first is small in normal windows and would drown in
    the second: a window's score is their geometric mean, each relative to a typical validation window.

    Cells that are missing do not count: the code is that of the least squared error over those known,
    moved towards the stored windows that these fit; both parts are scaled up to a whole window.

    Of several channels, one that drifts would go on to where no stored window is, and drown the
    others: each is weighted by the share of its variance that lies within windows.

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    takes_missing = True
    rounds_alike = True

    def __init__(self, layout: WindowLayout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        width = min(CODE_WIDTH, layout.width)
        self.memory = MemoryBank(arrays.under("memory"), width)
        self.basis = arrays.take("basis", layout.width, width)
        self.center = arrays.take("center", layout.width)
        self.weights = arrays.take("weights", layout.channels)
        self.typical = arrays.take("typical", 2)

    def errors(self, batch: Array) -> Array:
        xp = namespace(batch)
        return xp.reshape(
            side_by_side(self._errors, *self._flat(batch), size=rows_at_once(batch)), batch.shape
        )

    def reconstruct(self, batch: Array) -> Array:
        xp = namespace(batch)
        rebuilt = xp.reshape(
            side_by_side(self._rebuilt, *self._flat(batch), size=rows_at_once(batch)), batch.shape
        )
        return rebuilt / self.weights

    def sliding_scores(self, segment: Array, left: int, right: int) -> Array:
        weighted = segment[left : segment.shape[0] - right, :] * self.weights
        missing = namespace(segment).isnan(weighted)
        if any_of(missing) is False:
            return self._score(self.parts(windows_of(weighted, self.layout.steps)))
        steps = self.layout.steps
        windows, known = held_windows(weighted, steps), windows_of(~missing, steps)
        return self._score(side_by_side(self._parts_of_known, windows, known, size=many_at_once(windows)))

    def codes(self, windows: Array) -> Array:
        """Codes [windows, codes] of whole weighted `windows` [windows, width]."""
        return projected(windows, self.center, self.basis)[0]

    def parts(self, windows: Array, counted: Array | None = None) -> Array:
        """Squared distances [windows, 2] of whole weighted `windows` [windows, width] to what is normal.

        The first to the memory, along the components, the second off these: only those cells count there
        that are 1 in `counted` [windows, width].
        """
        xp = namespace(windows)
        codes, off = projected(windows, self.center, self.basis, counted)
        return xp.stack([xp.sum(self.memory(codes), axis=1), off], axis=1)

    def _flat(self, batch: Array) -> tuple[Array, Array]:
        """Weighted windows [windows, width], what is missing held, and which cells are known."""
        xp, flat = namespace(batch), (batch.shape[0], self.layout.width)
        weighted = batch * self.weights
        return xp.reshape(held(weighted), flat), xp.reshape(~xp.isnan(weighted), flat)

    def _errors(self, windows: Array, known: Array) -> Array:
        """Errors [windows, width] of a few weighted `windows`, of which `known` cells are; all that shape."""
        xp = namespace(windows)
        counted = xp.astype(known, windows.dtype)
        apart = self._completed(windows, known) - self.center
        codes = matmul(apart, self.basis)
        along = matmul(codes, self.basis.T)
        off = xp.square(apart - along) * counted
        far = xp.square(along - matmul(self.memory.retrieve(codes), self.basis.T)) * counted
        parts = xp.stack([xp.sum(far, axis=1), xp.sum(off, axis=1)], axis=1)
        shares = far / xp.clip(parts[:, :1], _LEAST, None) + off / xp.clip(parts[:, 1:], _LEAST, None)
        shares = shares / xp.clip(xp.sum(shares, axis=1, keepdims=True), _LEAST, None)
        scores = self._score(parts * self._whole(counted)[:, None])
        return shares * scores[:, None] * float(self.layout.width)

    def _rebuilt(self, windows: Array, known: Array) -> Array:
        """What a few weighted `windows`, of which `known` cells are, come back as; all [windows, width]."""
        codes = matmul(self._completed(windows, known) - self.center, self.basis)
        return self.center + matmul(self.memory.retrieve(codes), self.basis.T)

    def _completed(self, windows: Array, known: Array) -> Array:
        """A few weighted `windows`, cells that are not `known` as in normal ones; all [windows, width].

        Cells are rebuilt and put back in turn, which comes to the masked least squares of the code
        (expectation maximisation; Dempster, Laird & Rubin, 1977), then once from the memory.
        """
        if all_of(known):
            return windows
        xp = namespace(windows)
        counted, apart = xp.astype(known, windows.dtype), windows - self.center
        missing = 1 - counted
        codes, of_known = matmul(apart, self.basis), matmul(apart * counted, self.basis)
        for _ in range(_ROUNDS):
            codes = of_known + matmul(matmul(codes, self.basis.T) * missing, self.basis)
        # A state that switches is known by its edges, and where one is missing the code lies between two
        # stored ones: of all that fits what is known, what is stored is meant.
        codes = self.memory.retrieve(codes)
        return xp.where(known, windows, self.center + matmul(codes, self.basis.T))

    def _parts_of_known(self, windows: Array, known: Array) -> Array:
        """`parts` of a few windows by their `known` cells [windows, width], scaled up to whole windows."""
        counted = namespace(windows).astype(known, windows.dtype)
        parts = self.parts(self._completed(windows, known), counted)
        return parts * self._whole(counted)[:, None]

    def _whole(self, counted: Array) -> Array:
        """What sums over known cells, 1 in `counted` [windows, width], are multiplied with [windows]."""
        xp = namespace(counted)
        return float(self.layout.width) / xp.clip(xp.sum(counted, axis=1), 1.0, None)

    def _score(self, parts: Array) -> Array:
        """Scores [windows] from the two parts [windows, 2]."""
        xp = namespace(parts)
        # Half: the parts are squared distances, a score reads better as a distance.
        return xp.exp(0.5 * xp.mean(xp.log(parts / self.typical + _FLOOR), axis=1))
