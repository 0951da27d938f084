"""A masked autoencoder beside neighbours, local density and isolation: evidence of unlike kinds, added up."""

from __future__ import annotations

import numpy as np

from aedetect.config import ModelConfig
from aedetect.data.features.layout import Layout
from aedetect.models.evaluation.arrays import Array, Arrays
from aedetect.models.evaluation.base import RowEvaluation
from aedetect.models.evaluation.closer_look import looked_closer, share_between, where_counted
from aedetect.models.evaluation.discriminator import Discriminator
from aedetect.models.evaluation.evidence_part import EvidencePart, as_shares
from aedetect.models.evaluation.isolation import Isolation
from aedetect.models.evaluation.kernels import namespace, sums_of
from aedetect.models.evaluation.known_anomalies import KnownAnomalies
from aedetect.models.evaluation.masked import MaskedAutoencoder
from aedetect.models.evaluation.neighbours import NearestRow, SubspaceNeighbours
from aedetect.models.evaluation.surprise import TailSurprise
from aedetect.models.evaluation.views import RankView, StandardView, view_owners

RANKS, STANDARD = "ranks", "standard"
# The parts without a network: a name, which stands in model files, the view that each sees, and how many
# scores it gives a row.
PARTS = {
    "subspaces": (RANKS, 1),
    "isolation": (RANKS, 1),
    "nearest": (STANDARD, 2),
    "subspaces_standard": (STANDARD, 1),
    "nearest_ranks": (RANKS, 2),
}
# Those whose scores count themselves: the first. The discriminator weighs all.
HEARD = ("subspaces", "isolation", "nearest")
# The one that says which learned row a row equals.
FIRST = "nearest"
# Where fewer rows than these equal another, a row that equals a learned one is that one, come again: as it
# cannot vouch for itself, it does not count.
_RARE = 0.01
# So many scores count themselves. How much each surprise counts, the network's, those of these scores, the
# discriminator's: no weights that were learned across tables, or from a table's made-up rows, did better than
# all alike.
COUNTED = 4
# Among all scores, that of the distance to the nearest normal row by rank.
NEAREST = 5
# The networks are so much narrower than the setting says: more units bring nothing here.
_NARROWER = 2
_MOST_CODES = 32

Points = dict[str, Array]


class EvidenceEvaluation(RowEvaluation):
    """Anomalous is a row that several unlike parts, taken together, are surprised by.

    The parts: a masked autoencoder on the rank view of a row; the nearest normal rows in random halves of
    the columns; the nearest one in all columns, by itself and relative to how close rows lie around it; and
    isolation by nearest neighbours. A discriminator weighs all but the first, as they tell normal rows from
    made-up ones. Each is read as a tail probability among held-out rows; a row's score is the sum of the
    surprises, and is attributed to its features as the parts attribute it.

    Shape: [rows, features] → errors [rows, features].
    """

    def __init__(self, layout: Layout, config: ModelConfig, arrays: Arrays):
        super().__init__(layout, config, arrays)
        self.ranks = RankView(layout, arrays.under("ranks"))
        self.standard = StandardView(layout, arrays.under("standard"))
        owners = view_owners(layout)
        sizes, hidden = network_sizes(layout, config)
        self.network = MaskedAutoencoder(sizes, hidden, arrays.under("network"))
        parts, width = arrays.under("parts"), len(owners)
        self.parts: dict[str, EvidencePart] = {
            "subspaces": SubspaceNeighbours(owners, parts.under("subspaces")),
            "isolation": Isolation(width, parts.under("isolation")),
            "nearest": NearestRow(width, parts.under("nearest")),
            "subspaces_standard": SubspaceNeighbours(owners, parts.under("subspaces_standard")),
            "nearest_ranks": NearestRow(width, parts.under("nearest_ranks")),
        }
        scores = sum(count for _, count in PARTS.values())
        self.discriminator = Discriminator(scores, arrays.under("discriminator"))
        self.surprise = TailSurprise(COUNTED + 2, arrays.under("surprise"))
        self._first_surprise = self.surprise.of(0, COUNTED + 1)
        self._last_surprise = self.surprise.of(COUNTED + 1, COUNTED + 2)
        self.known = KnownAnomalies(width, COUNTED + 2, arrays.under("known"))
        # Older models have no gate. What is like known anomalies is told from all that is said of a row.
        gate = arrays.take("gate", 2) if "gate" in arrays else None
        self.gate = None if self.known.points.shape[0] else gate
        # Whether a learned row that equals a row counts.
        self._apart = bool(arrays.take("repeats") < _RARE)
        # What a missing number says where none was missing in training: minus the logarithm of its chance.
        self.unheard_of = arrays.constant("unheard_of", lambda: _unheard_of(layout))

    def errors(self, batch: Array) -> Array:
        return self._errors(batch, self._apart)

    def errors_as_unlearned(self, batch: Array) -> Array:
        return self._errors(batch, apart=True)

    def reconstruct(self, batch: Array) -> Array:
        return self.ranks.inverse(self.network.reconstruct(self.ranks(batch)))

    def points(self, rows: Array) -> Points:
        """Rows [rows, features] in both views [rows, width]."""
        return {RANKS: self.ranks(rows), STANDARD: self.standard(rows)}

    def log_scores(self, points: Points, itself: Array | None = None) -> Array:
        """What the parts without a network say [rows, scores]; `itself` as in `EvidencePart`."""
        scores = [part(points[PARTS[name][0]], itself)[0] for name, part in self.parts.items()]
        return namespace(scores[0]).concat(scores, axis=1)

    def surprises(self, points: Points, log_scores: Array) -> Array:
        """Surprises [counted, rows] of points, by the network, the parts and the discriminator."""
        network, _ = self.network.evidence(points[RANKS])
        return self._surprises(network, log_scores)

    def by_feature(self, values: Array) -> Array:
        """Sums [rows, features] of what the values [rows, width] of each feature have."""
        return sums_of(values, self.ranks.owners, self.layout.width)

    def _errors(self, rows: Array, apart: bool) -> Array:
        """Errors [rows, features]; with `apart`, a learned row that equals one of them does not count."""
        xp, points = namespace(rows), self.points(rows)
        network, network_shares = self.network.evidence(points[RANKS])
        judged, itself = self._at_first_sight(points, apart)
        log_scores = xp.concat([scores for scores, _ in judged], axis=1)
        surprises = self._first_surprise(xp.concat([network[None, :], log_scores.T], axis=0))
        weighted = surprises[0, :, None] * network_shares
        for surprise, (_, shares) in zip(self._of_parts(surprises), judged, strict=True):
            if shares is not None:
                weighted = weighted + surprise[:, None] * shares
        scores = self._looked_closer(points, log_scores, surprises, itself)
        errors = self.by_feature(as_shares(weighted)) * scores[:, None]
        numeric = self.layout.numeric
        missing = xp.where(xp.isnan(rows[:, :numeric]), self.unheard_of, 0.0)
        errors = xp.concat([errors[:, :numeric] + missing, errors[:, numeric:]], axis=1)
        # The mean over the features is what a row scores.
        return errors * float(self.layout.width)

    def _at_first_sight(
        self, points: Points, apart: bool
    ) -> tuple[list[tuple[Array, Array | None]], Array | None]:
        """What the parts whose scores count say: scores [rows, scores of the part], shares [rows, width].

        With `apart`, comes second which learned row equals a row [rows], or -1; None where none does.
        """
        first, itself = self.parts[FIRST], None
        assert isinstance(first, NearestRow)
        if apart:
            *nearest, itself = first.judged_apart(points[STANDARD])
        else:
            nearest = [*first(points[STANDARD])]
        return [
            (nearest[0], nearest[1]) if name == FIRST else self.parts[name](points[PARTS[name][0]], itself)
            for name in HEARD
        ], itself

    def _looked_closer(
        self, points: Points, log_scores: Array, surprises: Array, itself: Array | None
    ) -> Array:
        """Scores [rows] of surprises [parts, rows] at first sight, the discriminator and known anomalies.

        What the discriminator alone hears is left out for rows that are quite normal at first sight.
        """
        xp, before = namespace(log_scores), namespace(log_scores).sum(surprises, axis=0)
        values = [points[RANKS], points[STANDARD], log_scores]
        values += [] if itself is None else [itself]
        if self.gate is None:
            closer = self._closer(*values)
            all_surprises = xp.concat([surprises, closer[:, 0][None, :]], axis=0)
            return before + closer[:, 0] + self.known(points[RANKS], closer[:, 1], all_surprises.T)
        share = share_between(before, self.gate)
        closer = where_counted(self._closer, share, *values)
        return looked_closer(before, closer[:, 0], share, surprises.shape[0])

    def _closer(self, ranks: Array, standard: Array, heard: Array, itself: Array | None = None) -> Array:
        """The surprise of the discriminator, and the log distance to the nearest row by rank; [rows, 2].

        `heard` [rows, scores]: log scores of the parts that count themselves.
        """
        xp, views = namespace(ranks), {RANKS: ranks, STANDARD: standard}
        others = [
            self.parts[name](views[view], itself)[0] for name, (view, _) in PARTS.items() if name not in HEARD
        ]
        log_scores = xp.concat([heard, *others], axis=1)
        judged = self._last_surprise(self.discriminator.evidence(log_scores)[None, :])
        return xp.stack([judged[0, :], log_scores[:, NEAREST]], axis=1)

    def _surprises(self, network: Array, log_scores: Array) -> Array:
        """Surprises [counted, rows] of the network's log scores [rows] and those of parts [rows, scores]."""
        judged = self.discriminator.evidence(log_scores)
        counted = [network[None, :], log_scores[:, :COUNTED].T, judged[None, :]]
        return self.surprise(namespace(log_scores).concat(counted, axis=0))

    def _of_parts(self, surprises: Array) -> list[Array]:
        """The surprise [rows] of each part whose scores count, its scores summed."""
        xp, sums, first = namespace(surprises), [], 1
        for name in HEARD:
            count = PARTS[name][1]
            sums.append(xp.sum(surprises[first : first + count, :], axis=0))
            first += count
        return sums


def network_sizes(layout: Layout, config: ModelConfig) -> tuple[list[int], int]:
    """How many values go into a network, are in each of its layers and come out; and how many layers of
    those are before its codes."""
    owners = view_owners(layout)
    features = int(owners.max()) + 1
    width, hidden = max(config.width // _NARROWER, 1), max(config.depth - 1, 1)
    codes, inner = min(_MOST_CODES, max(2, 2 * features)), [width] * hidden
    return [2 * len(owners), *inner, codes, *inner, len(owners)], hidden


def _unheard_of(layout: Layout) -> Array:
    rates = layout.missing_rates.astype("float32")
    return (-np.log(rates) * ~layout.gaps).astype("float32")
