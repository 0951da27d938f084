"""From two sketches to a verdict in plain words.

A column has drifted if a difference is both beyond chance and too large to matter little. Beyond
chance: `drift.significance` is shared by all tests of the run (Bonferroni), whose laws (`chance`) count
the rows of both samples. Large: a population stability index of 0.25 (`drift.psi`; the limit for a
'major shift' in credit scoring, Siddiqi, 2006, Credit Risk Scorecards), or five points more of missing,
rare, or out-of-range values than are to be expected (`drift.share`).
"""

from __future__ import annotations

from aedetect.config import DriftConfig
from aedetect.data.arrays import Integers
from aedetect.data.chance import Sampled
from aedetect.data.features import FeatureEncoder
from aedetect.data.features.categorical import OTHER, Vocabulary
from aedetect.data.likeness import KnownNames, NameCounts
from aedetect.tasks.drift.counted import Counted, TrainingCounts
from aedetect.tasks.drift.judge import Judge, Scale
from aedetect.tasks.drift.results import ColumnDrift, Drift


def compare(encoder: FeatureEncoder, training: TrainingCounts, now: Counted, settings: DriftConfig) -> Drift:
    """Whether the rows counted in `now` are spread like those of training."""
    enough = now.rows >= settings.least_rows
    emptied = [column.name for column in encoder.schema.columns if column.was_empty]
    before, after = training.sketch.counts, now.now.counts
    tests = (
        3 * len(before) + len(encoder.state.constant) + len(emptied) + len(("scores", "empty", "infinite"))
    )
    judge = Judge(settings, settings.significance / tests, enough)
    columns: list[ColumnDrift] = []
    place = 0
    for column in encoder.state.numeric:
        unit = (encoder.center[place : place + 1], encoder.spread[place : place + 1])
        edges = training.sketch.edges[place]
        relative = column.column in encoder.relative_columns
        what = "relative to their groups, its values are" if relative else "its values are"
        columns.append(judge.numbers(column.column, edges, before[place], after[place], Scale(*unit, what)))
        place += column.width
    for index, vocabulary in enumerate(encoder.state.categorical, start=place):
        expected = _expected_rare(vocabulary, before[index], training.most_categories)
        names = now.unseen.get(vocabulary.column, NameCounts()).ranked(KnownNames(vocabulary.values))
        columns.append(judge.categories(vocabulary.column, before[index], after[index], expected, names))
    for name, moved in zip(encoder.state.constant, now.now.changed_constants, strict=True):
        columns.append(judge.constant(name, training.sketch.rows, int(moved), now.now.rows))
    for name in emptied:
        filled = now.newly_filled.get(name, NameCounts())
        columns.append(judge.emptied(name, training.rows, filled, now.rows))
    score, rows = judge.scores(now.scores), judge.whole_rows(training, now)
    moved_columns = [column.name for column in columns if column.drifted]
    verdict = "drifted" if moved_columns or score.drifted or rows.drifted else "steady"
    if not enough:
        verdict = "too few rows"
    text = _verdict_text(verdict, moved_columns, len(columns), (score, rows), now, settings)
    return Drift(verdict, text, now.rows, tuple(columns), score, rows, settings)


def _expected_rare(vocabulary: Vocabulary, training: Integers, most: int) -> Sampled:
    """The share of rare and unseen categories among new rows like those of training."""
    counted = Sampled(int(training[OTHER]), int(training.sum()))
    # Where an older model's categories go on, the rows of training are new to them.
    return max(vocabulary.expected_rare(most), counted, key=lambda sampled: sampled.share)


def _verdict_text(
    verdict: str,
    moved: list[str],
    columns: int,
    others: tuple[ColumnDrift, ColumnDrift],
    now: Counted,
    settings: DriftConfig,
) -> str:
    if verdict == "too few rows":
        return f"too few rows to tell: {now.rows:,}, where it takes {settings.least_rows:,}"
    score, whole = others
    if verdict == "steady":
        judged = " that are not labelled as anomalies" if now.labelled else ""
        return f"the {now.rows:,} rows{judged} are spread as in training"
    parts = []
    if moved:
        more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
        named = ", ".join(repr(name) for name in moved[:3])
        parts.append(f"{len(moved)} of {columns} columns ({named}{more})")
    if score.drifted:
        parts.append("the scores")
    if not parts:
        return whole.text
    alone = "" if moved else ", though no column by itself"
    verb = "has" if len(moved) == 1 and not score.drifted else "have"
    text = f"{' and '.join(parts)} {verb} drifted since training{alone}"
    return f"{text}; {whole.text}" if whole.drifted else text
