"""What `train` and `score` end with for people: what to look at next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from aedetect.cli.console import Output, plain, simple_table

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.explain import Explanation
    from aedetect.tasks.report.bins import ScoreHistogram

SHOWN_ROWS = 5
_BARS, _BAR_WIDTH = 14, 40
_LONGEST = 200


def after_training(out: Output, fitted: FittedModel, sources: Sequence[FileInput]) -> None:
    """The training curve, and training rows that look anomalous themselves."""
    from aedetect.tasks.report.card import spark
    from aedetect.tasks.training_outliers import outlier_candidates

    curve = fitted.training.members[0].history
    if curve:
        several = f" (the first of {len(fitted.training.members)} networks)" * (
            len(fitted.training.members) > 1
        )
        out.say(f"held-out loss {curve[0][2]:.3f} {spark(curve)} {curve[-1][2]:.3f}{several}")
    found = outlier_candidates(fitted, sources)
    if found is None or not found.count:
        return
    out.say()
    one = found.count == 1
    out.say(
        f"{found.count:,} training row{'' if one else 's'} look{'s' if one else ''} anomalous "
        f"{'itself' if one else 'themselves'}{':' if one else ', the strangest first:'}"
    )
    for row in found.shown:
        more = f" and {row.duplicates - 1:,} just like it" if row.duplicates > 1 else ""
        where = f"{plain(row.source)}: " if len(sources) > 1 else ""
        out.say(f"  {where}{row.place}{more}: {plain(row.sentence)}")
    out.say("If they are, leave them out or label them (--label), or train with --contamination auto.")


def strangest_rows(explained: Sequence[Explanation]) -> Table:
    """Rows and reasons, a line or two each."""
    table = simple_table("row", "score", "why", right=("row", "score"))
    for one in explained:
        more = f" and {one.duplicates - 1:,} alike" if one.duplicates > 1 else ""
        why = plain(one.sentence)
        why = why if len(why) <= _LONGEST else why[: _LONGEST - 1] + "…"
        table.add_row(f"{one.row:,}{more}", f"{one.score:,.3g}", why)
    return table


def histogram(found: ScoreHistogram, threshold: float) -> Table:
    """Rows by score; bars grow with the logarithm of the count, so that a few rows show too."""
    import math

    edges, counts = found.filled()
    below = int((edges[:-1] < threshold * (1 - 1e-9)).sum())
    step = -(-len(counts) // _BARS)
    # Bins are joined from the threshold outwards: none holds flagged and other rows.
    cuts = sorted({0, len(counts), *range(below, 0, -step), *range(below, len(counts), step)})
    highest = math.log1p(int(counts.max()) * step)
    table = simple_table("score", "rows", "on a logarithmic scale", right=("score", "rows"))
    for first, last in pairwise(cuts):
        count = int(counts[first:last].sum())
        bar = "█" * round(_BAR_WIDTH * math.log1p(count) / highest) if count else ""
        mark = " flagged" if first >= below and count else ""
        table.add_row(f"{edges[first]:,.3g} to {edges[last]:,.3g}", f"{count:,}", bar + mark)
    return table
