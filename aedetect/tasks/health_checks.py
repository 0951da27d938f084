"""What `aedetect score` is asked of the health of dumps, and how it goes into the summary."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aedetect.engine.run import Records
from aedetect.engine.summary import RunSummary
from aedetect.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from aedetect.config import Config
    from aedetect.engine.ledger import Ledger
    from aedetect.io.files import FileInput
    from aedetect.scoring.base import ScoringSession
    from aedetect.scoring.fitted import FittedModel


@dataclass(frozen=True)
class HealthSources:
    """All inputs of a run, how they were named, and the ledger that knows those before; None without one."""

    ledger: Ledger | None
    inputs: Sequence[FileInput]
    words: Sequence[str]


@dataclass(frozen=True)
class HealthChecks:
    """What is asked of the health of dumps.

    `expect`: whether files are held against those that the ledger knows; `entity`: a column of tables that
    names what rows are of; `fail`: whether what is found changes the exit code; `now`: seconds since 1970, at
    which files are late, the present where None.
    """

    expect: bool = False
    entity: str | None = None
    fail: bool = False
    now: float | None = None

    def __post_init__(self) -> None:
        if self.entity is not None and not self.expect:
            raise UsageError("--expect-entity COLUMN goes with --expect auto")

    def check_records(self, records: Records) -> None:
        """Raises UsageError where no ledger knows what came before."""
        if self.expect and not records.new_only:
            raise UsageError("--expect auto needs --new-only --state FILE, which knows what came before")

    def check_entity(self, fitted: FittedModel, inputs: Sequence[FileInput]) -> None:
        """Raises UsageError where the column `entity` is not for the model, or the first input lacks it."""
        if self.entity is not None:
            from aedetect.tasks.health.facts import check_entity

            check_entity(fitted, self.entity, inputs)

    def check(self, fitted: FittedModel, path: str | os.PathLike[str], settings: Config) -> None:
        """Raises UsageError where --silence is not for the model, or --fail-on-health lacks something."""
        from aedetect.data.series.timestamps import span

        silence = fitted.config.series.silence
        if fitted.series is None and "silence" in settings.series.model_fields_set:
            raise UsageError(f"{path}: no model of time series, which --silence is for")
        if self.fail and silence is None and not self.expect:
            raise UsageError("--fail-on-health goes with --expect auto or --silence TIME")
        if fitted.series is None or silence is None:
            return
        state = fitted.series.state
        if state.clock.kind == "count":
            raise UsageError(f"--silence: column {state.clock.column!r} counts steps and knows no time")
        if silence <= state.step:
            raise UsageError(
                f"--silence {span(silence)}: rows come every {span(state.step)} anyway; name a longer time"
            )

    def note(
        self, summary: RunSummary, fitted: FittedModel, session: ScoringSession, sources: HealthSources
    ) -> None:
        """Enter what is found, where it was asked for."""
        silence = fitted.config.series.silence
        if not self.expect and silence is None:
            return
        from aedetect.tasks.health import Circumstances, of_deliveries, of_session

        health = of_session(session, fitted)
        if silence is not None:
            summary.extra["silences"] = len(health.findings)
        if self.expect and sources.ledger is not None:
            now = time.time() if self.now is None else self.now
            around = Circumstances(str(fitted.sha256), max(fitted.window, 1), now)
            health.add(of_deliveries(sources.ledger, sources.inputs, sources.words, summary, around))
        summary.findings["health"] = [finding.as_dict() for finding in health.findings]
        summary.findings["health_unjudged"] = health.unjudged

    def settle(self, summary: RunSummary) -> None:
        """Settle the exit code of a run that has no other by now."""
        if summary.exit_code == ExitCode.OK and self.fail and summary.findings["health"]:
            summary.exit_code = int(ExitCode.HEALTH)
