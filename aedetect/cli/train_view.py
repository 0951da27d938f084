"""What a person sees after `aedetect train`: the training curve, and rows that may not belong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aedetect.cli.output import Output
from aedetect.cli.text import plain

if TYPE_CHECKING:
    from aedetect.io.files import FileInput
    from aedetect.scoring.fitted import FittedModel


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
    learned = [source for source in sources if source.name in fitted.training.inputs]
    candidates = outlier_candidates(fitted, learned)
    if candidates is None or not candidates.count:
        return
    out.say()
    one = candidates.count == 1
    out.say(
        f"{candidates.count:,} training row{'' if one else 's'} look{'s' if one else ''} anomalous "
        f"{'itself' if one else 'themselves'}{':' if one else ', the strangest first:'}"
    )
    for row in candidates.shown:
        more = f" and {row.duplicates - 1:,} just like it" if row.duplicates > 1 else ""
        where = f"{plain(row.source)}: " if len(sources) > 1 else ""
        out.say(f"  {where}{row.place}{more}: {plain(row.sentence)}")
    out.say("If they are, leave them out or label them (--label), or train with --contamination auto.")
