"""A noise-conditional convolutional denoiser: what does a step look like, given those around it?"""

from __future__ import annotations

from aedetect.config import ModelConfig
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.kernels import contiguous, namespace, silu
from aedetect.models.evaluation.window_kernels import (
    Convolution,
    as_series,
    as_windows,
    few_at_once,
    windows_of,
)
from aedetect.models.evaluation.window_layout import WindowLayout

SCORING_NOISE = 0.3
# The network sees so many steps to either side: the sum of its dilations.
DILATIONS = (1, 2, 4, 8)
_MOST_WIDTH = 24
_LIMIT = 10.0


class ConvolutionalEvaluation(WindowEvaluation):
    """Reconstructs every step of a noisy window from the steps around it; scored on the clean window.

    Dilated convolutions (van den Oord et al., 2016; as an autoencoder for series, Thill et al.,
    2021) without a bottleneck: noise keeps them from copying (Vincent et al., 2008). Noise levels,
    inputs, outputs and loss are balanced as by Karras et al. (2022).

    Shape: [windows, steps, channels] → errors [windows, steps, channels].
    """

    margin = sum(DILATIONS)

    def __init__(self, layout: WindowLayout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        width = hidden_width(config)
        self.entrance = Convolution(arrays.under("entrance"), layout.channels + 1, width)
        self.layers = [
            Convolution(arrays.under(f"layers.{index}"), width, width, dilation)
            for index, dilation in enumerate(DILATIONS)
        ]
        self.exit = Convolution(arrays.under("exit"), width, layout.channels)
        self.reference = arrays.take("reference")

    def errors(self, batch: Array) -> Array:
        return self.plain_errors(batch) / self.reference

    def reconstruct(self, batch: Array) -> Array:
        return few_at_once(lambda windows: self._denoised(windows, _level(windows)), batch)

    def sliding_scores(self, segment: Array, left: int, right: int) -> Array:
        xp = namespace(segment)
        each = xp.mean(self.errors(xp.expand_dims(segment, axis=0))[0, ...], axis=1)[
            left : segment.shape[0] - right
        ]
        return xp.mean(contiguous(windows_of(each[:, None], self.layout.steps)), axis=1)

    def plain_errors(self, batch: Array) -> Array:
        """Errors [windows, steps, channels], not yet relative to those of a typical window."""
        return few_at_once(lambda windows: self.errors_at(windows, windows, _level(windows)), batch)

    def errors_at(self, batch: Array, noisy: Array, sigma: Array) -> Array:
        """Weighted squared errors of denoising `noisy` to `batch`; all [windows, steps, channels].

        `sigma` [windows, 1, 1] is the noise level of each window.
        """
        xp = namespace(batch)
        denoised = xp.astype(self._denoised(noisy, sigma), batch.dtype)
        return xp.square(denoised - batch) * ((1 + sigma**2) / sigma**2)

    def _denoised(self, batch: Array, sigma: Array) -> Array:
        """Denoised windows [windows, steps, channels]."""
        xp, shrink = namespace(batch), 1 + sigma**2
        clipped = xp.clip(batch, -_LIMIT, _LIMIT)
        level = xp.broadcast_to(xp.log(sigma), (*batch.shape[:2], 1))
        seen = xp.concat([clipped / xp.sqrt(shrink), level], axis=2)
        hidden = self.entrance(as_series(seen))
        for layer in self.layers:
            hidden = hidden + layer(silu(hidden))
        change = as_windows(self.exit(silu(hidden)))
        return clipped / shrink + change * (sigma / xp.sqrt(shrink))


def hidden_width(config: ModelConfig) -> int:
    """Channels between the layers."""
    return min(config.width, _MOST_WIDTH)


def _level(windows: Array) -> Array:
    """The noise level at which windows are scored [windows, 1, 1]."""
    return namespace(windows).zeros_like(windows[:, :1, :1]) + SCORING_NOISE
