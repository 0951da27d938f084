"""All that was found, as a page, a message or pictures: what `aedetect report` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aedetect.engine.callbacks import Callback
from aedetect.io.source import Input
from aedetect.tasks.report.card import Card, model_card
from aedetect.tasks.report.collect import Findings, ReportRequest, gather, verdict
from aedetect.tasks.report.markdown import as_markdown
from aedetect.tasks.report.page import as_html
from aedetect.tasks.report.plots import write_plots

if TYPE_CHECKING:
    from aedetect.scoring.fitted import FittedModel

_NAMED = 3


@dataclass(frozen=True, repr=False)
class Report:
    """What was found in some inputs, and the card of the model that found it; `title`: what it is about."""

    findings: Findings
    card: Card
    title: str

    def __repr__(self) -> str:
        return f"<Report on {self.title}: {self.verdict}>"

    @property
    def verdict(self) -> str:
        """What was found, in two sentences or three."""
        return verdict(self.findings)

    def html(self) -> str:
        """One web page that needs nothing beside itself."""
        return as_html(self.findings, self.card, self.title)

    def markdown(self) -> str:
        """A message of a few lines."""
        return as_markdown(self.findings, self.title)

    def plots(self, folder: str) -> list[str]:
        """Write each chart as a PNG file in `folder`; their paths.

        Raises UsageError where matplotlib is not installed, OutputError where one cannot be written.
        """
        return write_plots(self.findings, self.card, folder)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: rows by outcome, threshold, verdict and warnings."""
        return self.findings.as_dict()


def report(
    fitted: FittedModel,
    inputs: Sequence[Input],
    request: ReportRequest,
    title: str | None = None,
    callback: Callback | None = None,
) -> Report:
    """Score the inputs and gather what a report tells; without `title` the inputs are its title.

    Raises DataError, ModelError or UsageError where inputs or columns cannot be used.
    """
    findings = gather(fitted, inputs, request, callback)
    card = model_card(
        fitted.schema,
        fitted.config,
        fitted.training,
        fitted.threshold_policy,
        fitted.sha256,
        fitted.group_thresholds,
    )
    named = ", ".join(source.name for source in inputs[:_NAMED]) + " …" * (len(inputs) > _NAMED)
    return Report(findings, card, title or named)
