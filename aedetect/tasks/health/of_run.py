"""The health of what a run scored, and of what it should have been given."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from collections.abc import Sequence

from aedetect.engine.deliveries import stream_of
from aedetect.engine.ledger import Ledger, look, place_of
from aedetect.engine.summary import RunSummary
from aedetect.errors import DataError
from aedetect.io.files import FileInput
from aedetect.scoring.base import ScoringSession
from aedetect.scoring.fitted import FittedModel
from aedetect.tasks.health.finding import Health
from aedetect.tasks.health.judge import Circumstances, Judged, judge
from aedetect.tasks.health.silence import of_silences


def of_deliveries(
    ledger: Ledger,
    sources: Sequence[FileInput],
    words: Sequence[str],
    summary: RunSummary,
    around: Circumstances,
) -> Health:
    """What is found of deliveries. `sources`: all inputs of the run; `words`: how they were named.

    Streams without an input in this run are judged where those that they had would be named by the words.
    """
    scored = {entry.path for entry in summary.files if entry.status == summary.names.done}
    inputs = []
    for source in sources:
        # One that is gone has failed, and was named.
        with contextlib.suppress(DataError):
            mark = look(source)
            inputs.append(Judged(place_of(source), mark.modified, source.name, source.name in scored))
    streams = {stream_of(one.path, one.modified)[0] for one in inputs}
    streams |= {stream for stream, path in ledger.newest_paths().items() if _is_named(path, words)}
    return judge(ledger.deliveries(sorted(streams)), inputs, around)


def of_session(session: ScoringSession, fitted: FittedModel) -> Health:
    """What is found of series without rows; nothing where the model knows no series."""
    finder = session.silences()
    if finder is None or fitted.series is None:
        return Health()
    return of_silences(finder, fitted.series.state.entity, fitted.series.state.clock)


def _is_named(path: str, words: Sequence[str]) -> bool:
    """Whether a path, as the ledger has it, lies in one of the folders, or fits one of the patterns."""
    for word in words:
        place = os.path.realpath(word)
        if path.startswith(place.rstrip(os.sep) + os.sep) or fnmatch.fnmatchcase(path, place):
            return True
    return False
