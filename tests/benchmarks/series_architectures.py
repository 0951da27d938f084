"""Trained networks on the series of the benchmark: do they earn their keep, alone or as members?

    python tests/benchmarks/series_architectures.py --data FOLDER [--every 3] [--max-time 20s]
        [--architectures NAME...]

Data, protocol and figures are those of series.py. Three networks that are no part of the product are put
into its registry and fitted through the one training loop: 'recurrent', a GRU that reads a noisy window
into one state and another that writes it out again (after Malhotra et al., 2016); 'transformer', which
rebuilds hidden patches of a window from those that are not (after Nie et al., 2023); and 'masked', which
does that by dilated convolutions, with patches hidden in each channel by itself. 'constant' is no network:
it says one level a channel, and shows what is won by having learned more. Beside them run the
architectures of the product, 'patches' (the default) and 'convolutional', which takes noise away. One thread.

Then each network is a member beside 'patches': the mean of the logarithms of both scores, each divided by
its median over the training rows first. What that adds to the VUS-PR of 'patches' alone is said with its
standard error over series, over two halves of each track drawn with seed 0. A member earns its keep where
it adds more than its standard error on both.
"""

from __future__ import annotations

import argparse
import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from alarm_measures import halves
from common import machine
from series_data import TIME, Array, Series, labelled, read_series
from series_runs import as_least
from torch import Tensor, nn
from torch.nn import functional
from vus import vus_pr

from aedetect import Detector
from aedetect.config import ModelConfig
from aedetect.models.base import WindowAutoencoder
from aedetect.models.evaluation.base import WindowEvaluation
from aedetect.models.evaluation.window_layout import WindowLayout
from aedetect.models.registry import SERIES_ARCHITECTURES

ALONE = "patches"
TRIED = (ALONE, "constant", "convolutional", "masked", "recurrent", "transformer")
_STATE, _NOISE = 32, 0.3
_PATCH, _WIDTH, _HEADS, _LAYERS, _HIDDEN_SHARE = 8, 48, 4, 2, 0.4
_FILTERS, _DILATIONS = 24, (1, 2, 4, 8)
# A window is judged at every so manyth step, and stands for those up to the next one.
_STRIDE = 4
# The least score, as a share of the typical one: a member that finds a row perfect has no veto.
_LEAST = 1e-3


class _Relative(WindowAutoencoder):
    """Squared errors, relative to a typical held-out window."""

    reference: Tensor
    margin = 0

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        self.register_buffer("reference", torch.ones(()))

    @abstractmethod
    def rebuilt(self, seen: Tensor) -> Tensor:
        """Windows as the network writes them out again; both [windows, steps, channels]."""

    def objective(self, batch: Tensor) -> Tensor:
        seen = batch.clamp(-10, 10)
        return (self.rebuilt(seen + _NOISE * torch.randn_like(seen)) - batch).square()

    def errors(self, batch: Tensor) -> Tensor:
        return self.objective(batch) if self.training else self.judged(batch)

    def judged(self, batch: Tensor) -> Tensor:
        """What scoring combines [windows, steps, channels]."""
        return (self.rebuilt(batch.clamp(-10, 10)) - batch).square() / self.reference

    def evaluation(self) -> _Judge:
        return _Judge(self)

    def settled(self) -> _Judge:
        return _Judge(self)

    def sliding(self, segment: Tensor, left: int, right: int) -> Tensor:
        """See `WindowEvaluation.sliding_scores`."""
        windows = segment[left : len(segment) - right].unfold(0, self.layout.steps, 1).transpose(1, 2)
        each = self.judged(windows[::_STRIDE]).mean(dim=(1, 2))
        return each.repeat_interleave(_STRIDE)[: len(windows)]

    def fit_score_normalisation(
        self, validation: Tensor, learned: Tensor, outlier_candidates: Tensor
    ) -> None:
        each = (self.rebuilt(validation.clamp(-10, 10)) - validation).square().mean(dim=(1, 2))
        self.reference = (each.median() + 0.01 * each.mean()).clamp_min(1e-6)


class _Judge(WindowEvaluation):
    """A network as scoring asks for it: numpy in, numpy out, through torch. It is in no model file."""

    def __init__(self, network: _Relative):
        self.layout, self.margin = network.layout, network.margin
        self._network = deepcopy(network).eval()

    def errors(self, batch: Array) -> Array:
        return self._in_torch(self._network.judged, batch)

    def reconstruct(self, batch: Array) -> Array:
        return self._in_torch(lambda windows: self._network.rebuilt(windows.clamp(-10, 10)), batch)

    def sliding_scores(self, segment: Array, left: int, right: int) -> Array:
        return self._in_torch(lambda steps: self._network.sliding(steps, left, right), segment)

    def _in_torch(self, work: Callable[[Tensor], Tensor], values: Array) -> Array:
        with torch.no_grad():
            return work(torch.from_numpy(np.ascontiguousarray(values))).numpy()


class ConstantLevel(_Relative):
    """Each channel as one level: what is left to squared distances alone."""

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        self.level = nn.Parameter(torch.zeros(layout.channels))

    def rebuilt(self, seen: Tensor) -> Tensor:
        return self.level.expand_as(seen)


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


class MaskedConvolutional(_Relative):
    """Patches of each channel rebuilt by convolutions from the steps around them and the other channels."""

    margin = sum(_DILATIONS)

    def __init__(self, layout: WindowLayout, config: ModelConfig):
        super().__init__(layout, config)
        # Each channel is joined by another that says where it is hidden.
        self.entrance = nn.Conv1d(2 * layout.channels, _FILTERS, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(_FILTERS, _FILTERS, 3, padding=dilation, dilation=dilation) for dilation in _DILATIONS
        )
        self.exit = nn.Conv1d(_FILTERS, layout.channels, 1)

    def rebuilt(self, seen: Tensor) -> Tensor:
        windows, steps, channels = seen.shape
        patches = -(-steps // _PATCH)
        if self.training:
            drawn = torch.rand(windows, patches, channels) < _HIDDEN_SHARE
            return self._rebuilt(seen, drawn.repeat_interleave(_PATCH, dim=1)[:, :steps])
        odd = (torch.arange(patches)[:, None] + torch.arange(channels)) % 2 == 1
        odd = odd.repeat_interleave(_PATCH, dim=0)[:steps].expand(windows, -1, -1)
        # Each patch as it is rebuilt where it was hidden.
        return torch.where(odd, self._rebuilt(seen, odd), self._rebuilt(seen, ~odd))

    def _rebuilt(self, seen: Tensor, hidden: Tensor) -> Tensor:
        visible = torch.cat([seen.masked_fill(hidden, 0.0), hidden.float()], dim=2)
        flow = self.entrance(visible.transpose(1, 2))
        for layer in self.layers:
            flow = flow + layer(functional.silu(flow))
        return self.exit(functional.silu(flow)).transpose(1, 2)  # type: ignore[no-any-return]

    def sliding(self, segment: Tensor, left: int, right: int) -> Tensor:
        each = self.judged(segment[None])[0].mean(dim=1)[left : len(segment) - right]
        return each.unfold(0, self.layout.steps, 1).mean(dim=1)


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


def scored(series: Series, architecture: str, max_time: str) -> tuple[Array, float, float]:
    """The scores [rows] of a model of the training part, and the seconds to fit it and to score."""
    clock = time.perf_counter()
    detector = Detector(
        {
            "series.time": TIME, "training.device": "cpu", "model.architecture": architecture,
            "training.max_time": max_time,
        }
    )  # fmt: skip
    detector.fit(series.frame[series.train])
    fit = time.perf_counter() - clock
    scores = detector.score(series.frame)["anomaly_score"].to_numpy(dtype=float)
    return scores, fit, time.perf_counter() - clock - fit


def relative(scores: Array, train: Array) -> Array:
    """Logarithms [rows] of scores relative to the median over the rows of the training part."""
    typical = max(float(np.nanmedian(scores[train])), 1e-12)
    return np.asarray(np.log(np.maximum(scores / typical, _LEAST)))


def of_file(series: Series, architectures: list[str], max_time: str) -> Iterator[dict[str, object]]:
    """The record of each architecture on one series, and of each network beside 'patches'."""
    logs = {}
    for architecture in architectures:
        scores, fit, judged = scored(series, architecture, max_time)
        logs[architecture] = relative(scores, series.train)
        figure = vus_pr(as_least(scores), series.labels, series.window)
        yield {"architecture": architecture, "VUS-PR": figure, "fit s": fit, "score s": judged}
    for architecture in architectures:
        if architecture != ALONE:
            both = as_least((logs[ALONE] + logs[architecture]) / 2)
            figure = vus_pr(both, series.labels, series.window)
            yield {"architecture": f"{ALONE} + {architecture}", "VUS-PR": figure}


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Of each half, of a track and of both: the mean of 'patches' alone, and what the others add to it."""
    wide = table.pivot(index=["track", "file"], columns="architecture", values="VUS-PR")
    wide = wide[list(dict.fromkeys(table["architecture"]))]
    tracks = list(dict.fromkeys(table["track"]))
    cut = {track: halves(list(wide.loc[track].index)) for track in tracks}
    columns = {}
    for chosen in (*([track] for track in tracks), tracks):
        for half, title in enumerate(("choosing", "confirming")):
            rows = wide.loc[[(track, name) for track in chosen for name in cut[track][half]]]
            added = rows.sub(rows[ALONE], axis=0)
            column = added.mean().map("{:+.3f}".format) + added.sem().map(" ± {:.3f}".format)
            column[ALONE] = f"{rows[ALONE].mean():.3f}, {len(rows)} series"
            columns[f"{' and '.join(chosen)} {title}"] = column
    return pd.DataFrame(columns).T


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--every", type=int, default=3, help="every Nth series of each track")
    parser.add_argument("--max-time", default="20s", help="training time of one model")
    parser.add_argument("--architectures", nargs="+", choices=TRIED, default=TRIED, metavar="NAME")
    options = parser.parse_args()
    torch.set_num_threads(1)
    here = Path(__file__).stem
    SERIES_ARCHITECTURES["constant"] = f"{here}:ConstantLevel"
    SERIES_ARCHITECTURES["masked"] = f"{here}:MaskedConvolutional"
    SERIES_ARCHITECTURES["recurrent"] = f"{here}:RecurrentAutoencoder"
    SERIES_ARCHITECTURES["transformer"] = f"{here}:TransformerAutoencoder"
    print(machine("scikit-learn").replace("\n", ", "))
    architectures = list(dict.fromkeys([ALONE, *options.architectures]))
    records = []
    for track, name, window in labelled(options.data, ["U", "M"], options.every):
        series = read_series(options.data, track, name, window)
        for record in of_file(series, architectures, options.max_time):
            records.append({"track": track, "file": name, **record})
            line = f"{track} {name[:40]:<42}{record['architecture']:<25}{record['VUS-PR']:6.3f}"
            print(f"{line}{record['fit s']:8.1f} s" if "fit s" in record else line, flush=True)
    table = pd.DataFrame(records)
    means = table.groupby(["track", "architecture"], sort=False).agg(
        {"VUS-PR": ["size", "mean"], "fit s": "median", "score s": "median"}
    )
    print(means.round(3).to_string())
    print(gains(table).to_string())


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
