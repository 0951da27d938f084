"""A masked autoencoder beside neighbours, local density and isolation: how they learn."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.base import CrossFitted, HeldOut
from aedetect.models.combine import TailSurprise
from aedetect.models.discriminator import Discriminator
from aedetect.models.evaluation.arrays import Array
from aedetect.models.evaluation.closer_look import looked_closer, share_between
from aedetect.models.evaluation.evidence import (
    COUNTED,
    FIRST,
    NEAREST,
    PARTS,
    RANKS,
    STANDARD,
    EvidenceEvaluation,
    network_sizes,
)
from aedetect.models.evaluation.kernels import namespace, sums_of
from aedetect.models.evaluation.neighbours import SAME
from aedetect.models.evaluation.views import StandardView, view_owners
from aedetect.models.evidence import Evidence
from aedetect.models.isolation import Isolation
from aedetect.models.known_anomalies import Judged, KnownAnomalies
from aedetect.models.live import as_tensor, settled, settled_by_blocks, settled_constants
from aedetect.models.made_up import MadeUpRows
from aedetect.models.neighbours import NearestRow, SubspaceNeighbours
from aedetect.models.tabular.masked import MaskedAutoencoder
from aedetect.models.views import RankView

# Normal points in the memories of halves of the columns; those that only the discriminator hears are fewer.
_RANK_POINTS, _STANDARD_POINTS = 2048, 1024
# Of normal rows, this share is not looked at more closely, and from that on all count in full as they are.
_LOOKED_CLOSER = (0.7, 0.8)
# Rows that do not calibrate, looked at as if they had not been learned, for the discriminator to learn from.
_LOOKED_AT, _MADE_UP, _LEAST_MADE_UP = 2048, 512, 64
# Calibration scores are this much higher than they are: a new row that equals one of them, and whose shares
# are rounded another way, is no stranger than it.
_ROUNDING = 1 + 2e-6


class EvidenceAutoencoder(CrossFitted):
    """Learns each of the unlike kinds of evidence; see `evaluation.evidence`.

    The masked autoencoder is trained step by step, and after the parts that need no steps so is a
    discriminator, which weighs what they say.
    """

    # On ranks, a small network is soon done.
    step_range: ClassVar[tuple[int, int]] = (600, 800)

    evaluation_class = EvidenceEvaluation

    gate: Tensor
    repeats: Tensor

    def __init__(self, layout: Layout, config: ModelConfig):
        super().__init__(layout, config)
        owners = view_owners(layout)
        # These names stand in model files.
        self.ranks = RankView(layout)
        self.network = MaskedAutoencoder(owners, *network_sizes(layout, config))
        self.parts = nn.ModuleDict(
            {
                "subspaces": SubspaceNeighbours(owners, _RANK_POINTS),
                "isolation": Isolation(len(owners)),
                "nearest": NearestRow(len(owners)),
                "subspaces_standard": SubspaceNeighbours(owners, _STANDARD_POINTS),
                "nearest_ranks": NearestRow(len(owners)),
            }
        )
        self.discriminator = Discriminator(sum(count for _, count in PARTS.values()))
        self.surprise = TailSurprise(COUNTED + 2)
        # Surprises at first sight, from which on rows are looked at more closely, and from which on in full.
        self.register_buffer("gate", torch.zeros(2))
        # The share of the rows that equal another one.
        self.register_buffer("repeats", torch.ones(()))
        self.known = KnownAnomalies(len(owners), COUNTED + 2)

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

    def errors(self, batch: Tensor) -> Tensor:
        if self.training or not self.fitted:
            # The parts are fitted after the network: until then, it alone says what fits.
            return self.objective(batch)
        return super().errors(batch)

    def objective(self, batch: Tensor) -> Tensor:
        rows, learners = batch.split_with_sizes(
            [self.layout.width, batch.shape[1] - self.layout.width], dim=1
        )
        view = self.ranks.evaluation()
        points = view(rows)
        if not self.training:
            each = self.network.evaluation().errors(points).mean(dim=0)
        else:
            if not learners.shape[1]:
                learners = rows.new_ones(len(rows), self.network.networks)
            each = self.network.objective(points, learners)
        by_feature: Tensor = sums_of(each, view.owners, self.layout.width)
        return by_feature

    def fit_parts(self, rows: Tensor, folds: Tensor, outlier_candidates: Tensor) -> HeldOut:
        others = (folds < 0).nonzero()[:_LOOKED_AT, 0]
        places = torch.cat([(folds >= 0).nonzero()[:, 0], others])
        points, looked_at = self._points(rows), self._points(rows[places])
        looked_at[RANKS] = self.ranks.held_out(rows[places])
        # Rows that may be anomalies cannot vouch for others of their kind.
        trusted = (~outlier_candidates).nonzero()[:, 0]
        order = torch.full((len(rows),), -1, device=rows.device)
        order[trusted] = torch.arange(len(trusted), device=rows.device)
        by_network = self.network.held_out(looked_at[RANKS], folds[places].clamp_min(0))
        by_part = [
            part.fit(points[PARTS[name][0]][trusted], looked_at[PARTS[name][0]], order[places])
            for name, part in self._evidence()
        ]
        log_scores = torch.cat([by_network[:, None], *by_part], dim=1)
        first = by_part[list(self.parts).index(FIRST)]
        self.repeats.copy_((first[:, 0] <= first[:, 0].new_tensor(SAME)).float().mean())
        return HeldOut(log_scores, folds[places], looked_at[RANKS])

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
        counted = torch.cat([log_scores[:, : 1 + COUNTED].T, judged[None]])
        self.surprise.fit(counted[:, calibrating])
        surprises = self.surprise(counted)
        # Summed up as scoring does: a row at the gate is on the same side of it.
        judges = settled(surprises[:, calibrating])
        before = namespace(judges).sum(judges[:-1], axis=0)
        self.gate.copy_(as_tensor(before).double().quantile(self.gate.new_tensor(_LOOKED_CLOSER).double()))
        if len(anomalies):
            normal = Judged(held_out.points, log_scores[:, 1 + NEAREST], surprises.T)
            known = self.known.fit(self._judged(anomalies), normal, folds)
            return (as_tensor(before + judges[-1]) + known) * _ROUNDING
        share = share_between(before, settled(self.gate))
        return as_tensor(looked_closer(before, judges[-1], share, len(judges) - 1)) * _ROUNDING

    def _judged(self, rows: Tensor) -> Judged:
        """Rows as all parts but the last see them."""
        judge = self.settled()
        assert isinstance(judge, EvidenceEvaluation)

        def seen(block: Array) -> Array:
            points = judge.points(block)
            log_scores = judge.log_scores(points)
            surprises = judge.surprises(points, log_scores)
            parts = [points[RANKS], log_scores[:, NEAREST, None], surprises.T]
            return namespace(block).concat(parts, axis=1)

        both = settled_by_blocks(seen, rows)
        width = len(view_owners(self.layout))
        return Judged(both[:, :width], both[:, width], both[:, width + 1 :])

    def _evidence(self) -> list[tuple[str, Evidence]]:
        return list(self.parts.items())  # type: ignore[arg-type]

    def _log_scores(self, points: dict[str, Tensor], itself: Tensor) -> Tensor:
        """What the parts without a network say [rows, scores]; `itself` as in `EvidencePart`."""
        return torch.cat([part(points[PARTS[name][0]], itself)[0] for name, part in self._evidence()], dim=1)

    def _points(self, rows: Tensor) -> dict[str, Tensor]:
        """Rows as points in both views, as scoring has them."""
        standard = StandardView(self.layout, settled_constants(rows))
        views = {RANKS: self.ranks.settled(), STANDARD: standard}
        return {name: as_tensor(view(settled(rows))) for name, view in views.items()}
