"""A masked autoencoder beside neighbours, local density and isolation: evidence of unlike kinds, added up."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import CrossFitted, HeldOut
from aedetect.models.combine import TailSurprise
from aedetect.models.discriminator import Discriminator
from aedetect.models.evidence import Evidence, as_shares
from aedetect.models.isolation import Isolation
from aedetect.models.known_anomalies import Judged, KnownAnomalies
from aedetect.models.made_up import MadeUpRows
from aedetect.models.neighbours import SAME, NearestRow, SubspaceNeighbours
from aedetect.models.tabular.masked import MaskedAutoencoder
from aedetect.models.views import RankView, StandardView

_RANKS, _STANDARD = "ranks", "standard"
# The parts without a network: a name, which stands in model files, and the view that each sees.
_PARTS = {
    "subspaces": _RANKS,
    "isolation": _RANKS,
    "nearest": _STANDARD,
    "subspaces_standard": _STANDARD,
    "nearest_ranks": _RANKS,
}
# The one that says which learned row a row equals.
_FIRST = "nearest"
# Where fewer rows than these equal another, a row that equals a learned one is that one, come again: as it
# cannot vouch for itself, it does not count.
_RARE = 0.01
# Of these, so many scores from the first on count themselves; the discriminator weighs all.
_COUNTED = 4
# How much each surprise counts: the network's, those of these scores, the discriminator's. No weights that
# were learned across tables, or from a table's made-up rows, did better than all alike.
_WEIGHTS = (1.0,) * (_COUNTED + 2)
# Among all scores, that of the distance to the nearest normal row by rank.
_NEAREST = 5
# Normal points in the memories of halves of the columns; those that only the discriminator hears are fewer.
_RANK_POINTS, _STANDARD_POINTS = 2048, 1024
# Rows that do not calibrate, looked at as if they had not been learned, for the discriminator to learn from.
_LOOKED_AT, _MADE_UP, _LEAST_MADE_UP = 2048, 512, 64
# The networks are so much narrower than the setting says: more units bring nothing here.
_NARROWER = 2
# Calibration scores are this much higher than they are: a new row that equals one of them, and whose shares
# are rounded another way, is no stranger than it.
_ROUNDING = 1 + 2e-6


class EvidenceAutoencoder(CrossFitted):
    """Anomalous is a row that several unlike parts, taken together, are surprised by.

    The parts: a masked autoencoder on the rank view of a row; the nearest normal rows in random halves of
    the columns; the nearest one in all columns, by itself and relative to how close rows lie around it; and
    isolation by nearest neighbours. A discriminator weighs all but the first, as they tell normal rows from
    made-up ones. Each is read as a tail probability among held-out rows; a row's score is the sum of the
    surprises, and is attributed to its features as the parts attribute it.

    Shape: [rows, features] → errors [rows, features].
    """

    # On ranks, a small network is soon done.
    step_range: ClassVar[tuple[int, int]] = (600, 800)

    repeats: Tensor
    unheard_of: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        # These names stand in model files.
        self.ranks = RankView(layout)
        self.standard = StandardView(layout)
        owners = self.ranks.owners
        self.network = MaskedAutoencoder(owners, max(config.width // _NARROWER, 1), max(config.depth - 1, 1))
        self.parts = nn.ModuleDict(
            {
                "subspaces": SubspaceNeighbours(owners, _RANK_POINTS),
                "isolation": Isolation(len(owners)),
                "nearest": NearestRow(len(owners)),
                "subspaces_standard": SubspaceNeighbours(owners, _STANDARD_POINTS),
                "nearest_ranks": NearestRow(len(owners)),
            }
        )
        self.discriminator = Discriminator(sum(part.scores for _, part in self._evidence()))
        self.surprise = TailSurprise(_COUNTED + 2)
        # The share of the rows that equal another one.
        self.register_buffer("repeats", torch.ones(()))
        self.known = KnownAnomalies(len(owners), _COUNTED + 2)
        # What a missing number says where none was missing in training: minus the logarithm of its chance.
        rates, never = torch.from_numpy(layout.missing_rates).float(), torch.from_numpy(~layout.gaps)
        self.register_buffer("unheard_of", -rates.log() * never, persistent=False)

    @property
    def fitted(self) -> bool:
        """Whether the parts beside the network have learned."""
        return len(self.parts["subspaces"].memory) > 1  # type: ignore[arg-type]

    @property
    def judge(self) -> Discriminator:
        return self.discriminator

    def prepare(self, learned: Tensor, networks: int) -> None:
        self.ranks.fit(learned)
        self.network.resize(networks)
        self.network.to(learned.device)

    def errors_as_unlearned(self, batch: Tensor) -> Tensor:
        return self._errors(batch, self._points(batch), apart=True)

    def errors(self, batch: Tensor) -> Tensor:
        rows, learners = batch.split_with_sizes(
            [self.layout.width, batch.shape[1] - self.layout.width], dim=1
        )
        points = self._points(rows)
        if self.training:
            if not learners.shape[1]:
                learners = rows.new_ones(len(rows), self.network.networks)
            return self._by_feature(self.network.objective(points[_RANKS], learners))
        if not self.fitted:
            # The parts are fitted after the network: until then, it alone says what fits.
            return self._by_feature(self.network.errors(points[_RANKS]).mean(dim=0))
        return self._errors(rows, points, apart=bool(self.repeats < _RARE))

    def _errors(self, rows: Tensor, points: dict[str, Tensor], apart: bool) -> Tensor:
        """Errors [rows, features]; with `apart`, a learned row that equals one of them does not count."""
        network, network_shares = self.network.evidence(points[_RANKS])
        judged = self._judgements(points, apart)
        log_scores = torch.cat([scores for scores, _ in judged], dim=1)
        surprises = self._surprises(network, log_scores, self.discriminator.evidence(log_scores))
        weighted = surprises[0][:, None] * network_shares
        for surprise, (_, shares) in zip(self._of_parts(surprises), judged, strict=False):
            if shares is not None:
                weighted += surprise[:, None] * shares
        scores = surprises.sum(dim=0) + self.known(points[_RANKS], log_scores[:, _NEAREST], surprises.T)
        errors = self._by_feature(as_shares(weighted)) * scores[:, None]
        errors[:, : self.layout.numeric] += self.unheard_of * rows[:, : self.layout.numeric].isnan()
        # The mean over the features is what a row scores.
        return errors * self.layout.width  # type: ignore[no-any-return]

    def reconstruct(self, batch: Tensor) -> Tensor:
        return self.ranks.inverse(self.network.reconstruct(self.ranks(batch)))

    def fit_parts(self, rows: Tensor, folds: Tensor, outlier_candidates: Tensor) -> HeldOut:
        others = (folds < 0).nonzero()[:_LOOKED_AT, 0]
        places = torch.cat([(folds >= 0).nonzero()[:, 0], others])
        points, looked_at = self._points(rows), self._points(rows[places])
        looked_at[_RANKS] = self.ranks.held_out(rows[places])
        # Rows that may be anomalies cannot vouch for others of their kind.
        trusted = (~outlier_candidates).nonzero()[:, 0]
        order = torch.full((len(rows),), -1, device=rows.device)
        order[trusted] = torch.arange(len(trusted), device=rows.device)
        by_network = self.network.held_out(looked_at[_RANKS], folds[places].clamp_min(0))
        by_part = [
            part.fit(points[_PARTS[name]][trusted], looked_at[_PARTS[name]], order[places])
            for name, part in self._evidence()
        ]
        log_scores = torch.cat([by_network[:, None], *by_part], dim=1)
        first = by_part[list(self.parts).index(_FIRST)]
        self.repeats.copy_((first[:, 0] <= first[:, 0].new_tensor(SAME)).float().mean())
        return HeldOut(log_scores, folds[places], looked_at[_RANKS])

    def judge_rows(self, rows: Tensor, held_out: HeldOut) -> Tensor:
        count = min(_MADE_UP, max(len(rows), _LEAST_MADE_UP))
        made_up, sources = MadeUpRows(rows, self.layout).draw(count)
        # What a row was made of is near it, as no normal row is: it does not count.
        strange = self._log_scores(self._points(made_up), sources)
        networks = self.network.networks
        normal, folds = held_out.log_scores[:, 1:], held_out.folds
        # Each of several networks learns from the rows of other folds, one from those that do not calibrate.
        learners = (folds[:, None] != torch.arange(networks, device=folds.device)).to(normal)
        self.discriminator.prepare(normal, networks)
        shares = len(strange) / learners.sum(dim=0).clamp_min(1)
        batch = torch.cat(
            [
                torch.cat([normal, torch.zeros_like(normal[:, :1]), learners * shares], dim=1),
                torch.cat(
                    [strange, torch.ones_like(strange[:, :1]), strange.new_ones(len(strange), networks)],
                    dim=1,
                ),
            ]
        )
        return batch[torch.randperm(len(batch)).to(batch.device)]

    def fit_scores(self, held_out: HeldOut, anomalies: Tensor) -> Tensor:
        log_scores, folds = held_out.log_scores, held_out.folds
        calibrating = folds >= 0
        judged = self.discriminator.held_out(log_scores[:, 1:], folds.clamp_min(0))
        counted = torch.cat([log_scores[:, : 1 + _COUNTED].T, judged[None]])
        self.surprise.fit(counted[:, calibrating])
        surprises = self._weighed(counted)
        scores = surprises[:, calibrating].sum(dim=0)
        if len(anomalies):
            normal = Judged(held_out.points, log_scores[:, 1 + _NEAREST], surprises.T)
            scores = scores + self.known.fit(self._judged(anomalies), normal, folds)
        return scores * _ROUNDING

    def _judged(self, rows: Tensor) -> Judged:
        """Rows as all parts but the last see them."""
        points = self._points(rows)
        network, _ = self.network.evidence(points[_RANKS])
        log_scores = self._log_scores(points)
        surprises = self._surprises(network, log_scores, self.discriminator.evidence(log_scores))
        return Judged(points[_RANKS], log_scores[:, _NEAREST], surprises.T)

    def _judgements(self, points: dict[str, Tensor], apart: bool) -> list[tuple[Tensor, Tensor | None]]:
        """What the parts without a network say: scores [rows, scores of the part], shares [rows, width]."""
        if not apart:
            return [part(points[_PARTS[name]]) for name, part in self._evidence()]
        first = self.parts[_FIRST]
        assert isinstance(first, NearestRow)
        scores, shares, itself = first.judged_apart(points[_PARTS[_FIRST]])
        return [
            (scores, shares) if name == _FIRST else part(points[_PARTS[name]], itself)
            for name, part in self._evidence()
        ]

    def _log_scores(self, points: dict[str, Tensor], itself: Tensor | None = None) -> Tensor:
        """What the parts without a network say [rows, scores]; `itself` as in `Evidence.forward`."""
        return torch.cat([part(points[_PARTS[name]], itself)[0] for name, part in self._evidence()], dim=1)

    def _evidence(self) -> list[tuple[str, Evidence]]:
        return list(self.parts.items())  # type: ignore[arg-type]

    def _points(self, rows: Tensor) -> dict[str, Tensor]:
        return {_RANKS: self.ranks(rows), _STANDARD: self.standard(rows)}

    def _surprises(self, network: Tensor, log_scores: Tensor, judged: Tensor) -> Tensor:
        """Surprises [counted, rows] of the network's log scores [rows], those of parts, and the judge's."""
        counted = [network[None], log_scores[:, :_COUNTED].T, judged[None]]
        return self._weighed(torch.cat(counted))

    def _weighed(self, counted: Tensor) -> Tensor:
        """Surprises, as they count, of the log scores that do; both [counted, rows]."""
        return self.surprise(counted) * counted.new_tensor(_WEIGHTS)[:, None]  # type: ignore[no-any-return]

    def _of_parts(self, surprises: Tensor) -> list[Tensor]:
        """The surprise [rows] of each part whose scores count, its scores summed."""
        sums, first = [], 1
        for _, part in self._evidence():
            sums.append(surprises[first : min(first + part.scores, 1 + _COUNTED)].sum(dim=0))
            first += part.scores
            if first > _COUNTED:
                break
        return sums

    def _by_feature(self, values: Tensor) -> Tensor:
        """Sums [rows, features] of what the values [rows, width] of each feature have."""
        return values.new_zeros(len(values), self.layout.width).index_add_(1, self.ranks.owners, values)
