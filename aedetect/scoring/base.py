"""The contract of scoring: tables and series behind one face; callers never ask which it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aedetect.data.arrays import Floats, Integers, Mask, Matrix
from aedetect.data.features import Encoded
from aedetect.data.series.context import SeriesContext
from aedetect.data.series.entities import Name
from aedetect.io.source import Input
from aedetect.scoring.suppression import Reason, Suppression

if TYPE_CHECKING:
    import pyarrow as pa

    from aedetect.scoring.fitted import FittedModel
    from aedetect.scoring.silences import SilenceFinder


@dataclass(frozen=True)
class Scores:
    """What is said of the rows of one batch. Shapes: [rows], and attribution [rows, columns].

    `scores` and `p_values` are NaN where `unscorable`. `attribution`: of each learned or watched column
    (in the order of `FittedModel.columns`), its share of the row's error; of series it is known of
    flagged rows alone and 0 elsewhere. `encoded`: the rows as the model was given them. `warmup`: the
    unscorable rows that come too early in their series. `events`: numbers of events, 0 outside them; None
    for models that know no events. `reasons`: why rows are muted, by their place in the batch (from 0); they
    would be flagged otherwise.
    """

    scores: Floats
    p_values: Floats
    flagged: Mask
    unscorable: Mask
    attribution: Matrix
    encoded: Encoded
    warmup: Mask
    events: Integers | None = None
    reasons: Mapping[int, Reason] = field(default_factory=dict)

    @cached_property
    def muted(self) -> Mask:
        """Which rows [rows] are above the threshold and muted."""
        muted = np.zeros(len(self.scores), dtype=np.bool_)
        muted[list(self.reasons)] = True
        return muted


@dataclass(frozen=True)
class AdoptedState:
    """An event that lasted, until it counted as normal.

    `entity`: the values that name its series, by column. `began`, `since`: when it did, and from which row on
    it is normal, as the data have times. `seconds`: between these.
    """

    entity: Mapping[str, str]
    event: int
    began: str
    since: str
    seconds: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "entity": dict(self.entity),
            "anomaly_event": self.event,
            "began": self.began,
            "adopted_since": self.since,
            "adopted_after_seconds": self.seconds,
        }


@dataclass(frozen=True)
class PriorRows:
    """Rows that went before those to be scored, known to a series but not scored again.

    `history`: inputs that were named. `tails`: the ends of series that earlier runs kept; None where no
    run keeps any. `earlier`: inputs of earlier runs, read again where the tails will not do. `precede`:
    whether the tails come before all rows; None for whoever reads the rows to see.
    """

    history: Sequence[Input] = ()
    tails: Mapping[Name, SeriesContext] | None = None
    earlier: Sequence[Input] = ()
    precede: bool | None = None


@dataclass(frozen=True)
class NumberedBatch:
    """Rows of an input, of which the first is number `first`, from 0."""

    first: int
    rows: pa.RecordBatch


class ScoringSession(Protocol):
    """Gives the scores of the inputs that it was opened for, each batch once."""

    @property
    def independent(self) -> bool:
        """Whether its like in any process can give an input's scores without those of others."""
        ...

    def score(self, source: Input, batch: NumberedBatch) -> Scores:
        """Scores of a batch of `source`. Raises DataError or ModelError where it cannot be used."""
        ...

    def warnings(self, source: Input) -> list[str]:
        """What is to be said of an input once it was read."""
        ...

    def events(self) -> pa.Table | None:
        """The table of events among all inputs, and of silences; None for models that know no events."""
        ...

    def silences(self) -> SilenceFinder | None:
        """What was seen of series without rows; None for models that know no series."""
        ...

    @property
    def muted_event_count(self) -> int:
        """How many events are muted as a whole, which `events` does not have."""
        ...

    def adopted_states(self) -> Sequence[AdoptedState]:
        """What was odd, lasted, and counts as normal since some row of the inputs; none for tables."""
        ...

    def tails(self, source: Input) -> Mapping[Name, SeriesContext]:
        """What a later run is to know of the series in `source`; empty for tables."""
        ...


class Scorer(Protocol):
    """Opens sessions under one fitted model; nothing in it changes."""

    @property
    def fitted(self) -> FittedModel: ...

    @property
    def independent(self) -> bool:
        """Whether an input's scores do not depend on the others, so that inputs may go to any process."""
        ...

    @property
    def has_events(self) -> bool:
        """Whether flagged rows are grouped to events, which a column numbers."""
        ...

    def open(
        self,
        inputs: Sequence[Input],
        prior: PriorRows | None = None,
        suppression: Suppression | None = None,
    ) -> ScoringSession:
        """A session over `inputs`, in which `suppression` mutes rows.

        Raises DataError or ModelError where prior rows cannot be used.
        """
        ...
