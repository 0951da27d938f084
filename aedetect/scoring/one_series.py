"""One series of a session: as the model is given it, with the scores of its segments.

Series are prepared and scored one after the other, a few ahead: what that takes is never in memory for all
of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import numpy as np

from aedetect.data.arrays import AnyArray, Floats, Integers, Mask, Matrix
from aedetect.data.series.buffer import Rows
from aedetect.data.series.counters import with_growth
from aedetect.data.series.entities import Name
from aedetect.data.series.grid import Grid
from aedetect.data.series.row_store import RowStore
from aedetect.data.series.scaling import standardized_segments, warmup_rows
from aedetect.data.series.segments import Timeline
from aedetect.engine.workers import ordered
from aedetect.scoring.events import Event
from aedetect.scoring.fitted import FittedModel, SeriesParts
from aedetect.scoring.series_alarms import ScaleScores, SegmentScores, long_scores, scale_scores


@dataclass(eq=False)
class OneSeries:
    """The rows of one series.

    `number`: of `Entities`; `places` [rows]: the numbers of the rows among all, ascending. In `rows` and
    `timeline` it is series number 0. `gross` [rows, channels]: which cells are set aside in
    `segment_channels`, the channels [steps, channels] of each segment of the timeline, but not in
    `as_read`, which only segments with such cells have, by their places. `warmup`: steps at the start
    of each segment that are not judged. `segments`: scores of each; `read_scores` [steps]: of those of
    `as_read`. `scale_scores`: what all alert rates have in common of each segment; empty unless asked for.
    """

    number: int
    places: Integers
    rows: Rows
    gross: Mask
    timeline: Timeline
    segment_channels: list[Matrix]
    as_read: dict[int, Matrix]
    warmup: list[int]
    segments: list[SegmentScores] = field(default_factory=list)
    read_scores: dict[int, Floats] = field(default_factory=dict)
    scale_scores: list[ScaleScores] = field(default_factory=list)

    def at(self, fitted: FittedModel) -> OneSeries:
        """The same series at the alert rate of a model; of one whose `scale_scores` were asked for.

        Call it within `models.threads.single_threaded`.
        """
        each = zip(self.scale_scores, self.warmup, strict=True)
        return replace(self, segments=[scores.at(fitted).without_first(steps) for scores, steps in each])

    def among_all(self, event: Event) -> Event:
        """An event of this timeline, its rows and its series by their numbers among all."""
        rows, peak = self.places[event.rows], int(self.places[event.peak])
        return replace(event, series=self.number, rows=rows, peak=peak)

    def by_itself(self, event: Event) -> Event:
        """The same event by the numbers of this series alone."""
        rows, peak = (np.searchsorted(self.places, each) for each in (event.rows, event.peak))
        return replace(event, series=0, rows=rows, peak=int(peak))

    @cached_property
    def parts(self) -> list[slice]:
        """The slots of each segment."""
        return self.timeline.segments

    @property
    def read_channels(self) -> list[Matrix]:
        """The channels [steps, channels] of each segment as they were read, with gross cells."""
        return [self.as_read.get(place, each) for place, each in enumerate(self.segment_channels)]

    @property
    def strange(self) -> Mask:
        """Which rows [rows] have a gross cell."""
        return np.asarray(self.gross.any(axis=1))

    def raw(self) -> Floats:
        """Unscaled scores [rows] of long windows, gross cells set aside; NaN where there is none."""
        scores = end_to_end([segment.raw for segment in self.segments])
        return np.asarray(self.timeline.of_rows(scores, np.nan))

    def raw_as_read(self) -> Floats:
        """The same with gross cells as they were read, of the segments that have any."""
        raw = np.full(len(self.timeline.seconds), np.nan)
        for place, scores in self.read_scores.items():
            raw[self.parts[place]] = scores
        return np.asarray(self.timeline.of_rows(raw, np.nan))


def grid_of(series: SeriesParts, store: RowStore) -> Grid:
    """The slots of the rows; models of old formats do not know where in a step rows are."""
    grid = series.state.grid
    if grid.phase is not None:
        return grid
    times = [np.sort(rows.seconds[~np.isnan(rows.seconds)]) for _, _, rows in store.by_series()]
    return replace(grid, phase=grid.slots(np.concatenate([np.empty(0), *times]))[1])


def prepared(
    fitted: FittedModel, series: SeriesParts, names: Sequence[Name], store: RowStore, grid: Grid
) -> Iterator[OneSeries]:
    """The series of a store by their numbers, each when it is asked for; `names`: by number."""
    beginning = series.state.beginning
    scaling = (series.scales, beginning, series.state.apart)
    for number, places, numbered in store.by_series():
        name = [names[number]]
        read = replace(numbered, series=np.zeros_like(numbered.series))
        timeline = Timeline.of(read.seconds, read.series, grid)
        rows = with_growth(read, fitted.encoder, series.state.step)
        sound, gross = series.set_aside(rows, name)
        segment_channels = standardized_segments(sound, timeline, name, *scaling)
        warmup = warmup_rows(timeline, name, series.scales, series.unjudged, beginning)
        as_read: dict[int, Matrix] = {}
        if gross.any():
            slots = timeline.marked(np.asarray(gross.any(axis=1)))
            both = zip(timeline.segments, standardized_segments(rows, timeline, name, *scaling), strict=True)
            as_read = {place: each for place, (part, each) in enumerate(both) if slots[part].any()}
        yield OneSeries(number, places, rows, gross, timeline, segment_channels, as_read, warmup)


def scored(
    fitted: FittedModel, each: Iterable[OneSeries], window: int, workers: int, keep: bool = False
) -> Iterator[OneSeries]:
    """The series with the scores of their segments, in order; so many threads work on segments.

    `keep`: whether `scale_scores` are asked for. Call it within `models.threads.single_threaded`.
    """

    def work(unit: tuple[OneSeries, int]) -> tuple[OneSeries, _Scored | None]:
        one, place = unit
        if place == len(one.segment_channels):
            return one, None
        part, channels = one.parts[place], one.segment_channels[place]
        scores = scale_scores(fitted, channels, one.timeline.seconds[part], window)
        as_read = one.as_read.get(place)
        read_scores = None if as_read is None else long_scores(fitted, as_read, window)[0]
        settled = scores.at(fitted).without_first(one.warmup[place])
        return one, _Scored(settled, read_scores, scores if keep else None)

    # One more than there are segments, as a series without a readable time has none.
    units = ((one, place) for one in each for place in range(len(one.segment_channels) + 1))
    with closing(ordered(work, units, workers)) as results:  # type: ignore[type-var]
        for one, parts in groupby(results, key=itemgetter(0)):
            for place, (_, scores) in enumerate(parts):
                if scores is None:
                    continue
                one.segments.append(scores.settled)
                if scores.of_read is not None:
                    one.read_scores[place] = scores.of_read
                if scores.at_any_rate is not None:
                    one.scale_scores.append(scores.at_any_rate)
            yield one


def channels_of_rows(timeline: Timeline, segments: Sequence[Matrix], rows: Integers) -> Matrix:
    """The channels [rows, channels] of rows of a timeline, from those of its `segments`; NaN outside them."""
    width = segments[0].shape[1] if segments else 0
    channels = np.full((len(timeline.seconds), width), np.nan, dtype=np.float32)
    for part, segment in zip(timeline.segments, segments, strict=True):
        channels[part] = segment
    slots = timeline.slot_of[rows]
    return np.asarray(np.where((slots >= 0)[:, None], channels[slots], np.float32(np.nan)))


@dataclass(frozen=True)
class _Scored:
    """The scores of one segment: at the model's rate, of cells as read, and before a rate was asked."""

    settled: SegmentScores
    of_read: Floats | None
    at_any_rate: ScaleScores | None


def end_to_end(parts: Sequence[AnyArray]) -> AnyArray:
    """The values of the slots of all segments, one after the other."""
    return np.concatenate(parts) if parts else np.empty(0)
