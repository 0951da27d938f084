"""Recurrent and transformer autoencoders on the series of the benchmark: do they earn their keep?

    python tests/benchmarks/series_architectures.py --data FOLDER [--every 3] [--max-time 20s]

Data, protocol and figures are those of series.py. Two networks that are no part of the product are put
into its registry and fitted through the one training loop: 'recurrent', a GRU that reads a noisy window
into one state and another that writes it out again (after Malhotra et al., 2016), and 'transformer', which
rebuilds hidden patches of a window from those that are not (after Nie et al., 2023). Beside them run the
architectures of the product, 'patches' (the default) and 'convolutional'. One thread.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import pandas as pd
import torch
from common import machine
from series_data import TIME, labelled, read_series
from series_runs import as_least
from torch import Tensor, nn
from vus import vus_pr

from aedetect import Detector
from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder, WindowLayout
from aedetect.models.registry import SERIES_ARCHITECTURES

TRIED = ("patches", "convolutional", "recurrent", "transformer")
_STATE, _NOISE = 32, 0.3
_PATCH, _WIDTH, _HEADS, _LAYERS, _HIDDEN_SHARE = 8, 48, 4, 2, 0.4


class _Relative(WindowAutoencoder):
    """Squared errors, relative to a typical held-out window."""

    reference: Tensor

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        self.register_buffer("reference", torch.ones(()))

    def errors(self, batch: Tensor) -> Tensor:
        seen = batch.clamp(-10, 10)
        noisy = seen + _NOISE * torch.randn_like(seen) if self.training else seen
        found = (self.rebuilt(noisy) - batch).square()
        return found if self.training else found / self.reference

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.rebuilt(batch.clamp(-10, 10))

    def rebuilt(self, seen: Tensor) -> Tensor:
        raise NotImplementedError

    def fit_score_normalisation(self, held_out: Tensor, learned: Tensor, suspect: Tensor) -> None:
        each = (self.reconstruct(held_out) - held_out).square().mean(dim=(1, 2))
        self.reference = (each.median() + 0.01 * each.mean()).clamp_min(1e-6)


class RecurrentAutoencoder(_Relative):
    """A window read into one state of a GRU, and written out of it by another."""

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        self.reader = nn.GRU(layout.channels, _STATE, batch_first=True)
        self.writer = nn.GRU(_STATE, _STATE, batch_first=True)
        self.exit = nn.Linear(_STATE, layout.channels)

    def rebuilt(self, seen: Tensor) -> Tensor:
        _, state = self.reader(seen)
        written, _ = self.writer(state[0][:, None].expand(-1, seen.shape[1], -1), state)
        # The reader ends at the window's end, where writing begins: it is written backwards.
        return self.exit(written).flip(1)  # type: ignore[no-any-return]


class TransformerAutoencoder(_Relative):
    """Patches of a window rebuilt from the others, by attention."""

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        self.patches = -(-layout.steps // _PATCH)
        size = _PATCH * layout.channels
        self.entrance = nn.Linear(size, _WIDTH)
        self.places = nn.Parameter(0.02 * torch.randn(self.patches, _WIDTH))
        self.hidden = nn.Parameter(torch.zeros(_WIDTH))
        layer = nn.TransformerEncoderLayer(
            _WIDTH, _HEADS, 2 * _WIDTH, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)
        self.exit = nn.Linear(_WIDTH, size)

    def rebuilt(self, seen: Tensor) -> Tensor:
        if self.training:
            return self._rebuilt(seen, torch.rand(len(seen), self.patches) < _HIDDEN_SHARE)
        odd = torch.arange(self.patches)[None].expand(len(seen), -1) % 2 == 1
        each = odd.repeat_interleave(_PATCH, dim=1)[:, : seen.shape[1], None]
        # Each patch as it is rebuilt where it was hidden.
        return torch.where(each, self._rebuilt(seen, odd), self._rebuilt(seen, ~odd))

    def _rebuilt(self, seen: Tensor, hidden: Tensor) -> Tensor:
        windows, steps, channels = seen.shape
        lacking = self.patches * _PATCH - steps
        full = torch.cat([seen, seen[:, -1:].expand(-1, lacking, -1)], dim=1)
        words = self.entrance(full.reshape(windows, self.patches, -1))
        words = torch.where(hidden[:, :, None], self.hidden, words) + self.places
        return self.exit(self.layers(words)).reshape(windows, -1, channels)[:, :steps]  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--every", type=int, default=3, help="every Nth series of each track")
    parser.add_argument("--max-time", default="20s", help="training time of one model")
    options = parser.parse_args()
    torch.set_num_threads(1)
    here = Path(__file__).stem
    SERIES_ARCHITECTURES["recurrent"] = f"{here}:RecurrentAutoencoder"
    SERIES_ARCHITECTURES["transformer"] = f"{here}:TransformerAutoencoder"
    print(machine("scikit-learn").replace("\n", ", "))
    found = []
    for track, name, window in labelled(options.data, ["U", "M"], options.every):
        series = read_series(options.data, track, name, window)
        for architecture in TRIED:
            clock = time.perf_counter()
            detector = Detector(
                {
                    "series.time": TIME, "training.device": "cpu", "model.architecture": architecture,
                    "training.max_time": options.max_time,
                }
            )  # fmt: skip
            detector.fit(series.frame[series.train])
            fit = time.perf_counter() - clock
            scores = detector.score(series.frame)["anomaly_score"].to_numpy(dtype=float)
            figure = vus_pr(as_least(scores), series.labels, window)
            found.append((track, architecture, figure, fit, time.perf_counter() - clock - fit))
            print(f"{track} {name[:40]:<42}{architecture:<15}{figure:6.3f}{fit:8.1f} s", flush=True)
    table = pd.DataFrame(found, columns=["track", "architecture", "VUS-PR", "fit s", "score s"])
    means = table.groupby(["track", "architecture"], sort=False).agg(
        {"VUS-PR": ["size", "mean"], "fit s": "median", "score s": "median"}
    )
    print(means.round(3).to_string())


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
