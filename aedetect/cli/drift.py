"""`aedetect drift`: has the data moved since training?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aedetect.cli import options
from aedetect.cli.command import end_with, look, look_at_columns, running, tell_failures
from aedetect.cli.next_steps import Given, beside, next_steps
from aedetect.cli.options import THRESHOLD, option
from aedetect.cli.progress import TerminalProgress
from aedetect.cli.tables import simple_table
from aedetect.cli.text import plain

if TYPE_CHECKING:
    from rich.table import Table

    from aedetect.tasks.score_run import ScoreSummary


def drift(
    inputs: options.Inputs,
    model: options.ModelOptions,
    reading: options.ReadingOptions,
    run: options.RunOptions,
    messages: options.MessageOptions,
    fail_on_drift: bool = option(
        "--fail-on-drift", "Exit with 11 if the data have drifted.", panel=THRESHOLD, default=False
    ),
    jobs: options.Jobs = None,
    on: options.On = None,
) -> None:
    """Tell whether data still look like those that the model was trained on.

    Compares every column, and the scores, with what the model file holds of its training data. Drift
    is what goes beyond chance, both samples' rows counted, and is large enough to matter: settings
    drift.significance, drift.psi and drift.share say where that begins. With --verbose, columns that
    are as in training are listed too.

    Example: aedetect drift march.csv -m model.aed
    """
    with running("drift", messages) as out:
        look(inputs, model)
        from aedetect.tasks.score_run import measure_drift

        settings = run.settings(reading.overrides(), {"scoring.jobs": jobs, "scoring.on": on})
        look_at_columns(inputs, model, settings)
        with TerminalProgress(out) as callback:
            summary = measure_drift(
                inputs, model.model, model.model_sha256, settings, callback, fail_on_drift
            )
        result = _as_dict(summary)
        out.result(result)
        tell_failures(out, summary.files)
        shown = [
            column
            for column in (*result["columns"], result["scores"], result["whole_rows"])
            if column["drifted"] or messages.verbose
        ]
        if shown:
            out.table(_table(shown))
            out.say()
        if result["verdict"] == "drifted":
            out.say(_what_counts(result["limits"]))
        out.say(result["text"])
        given = Given(reading, run).words
        drifted = result["verdict"] == "drifted"
        next_steps(
            out,
            ["report", *inputs, "-m", model.model, "-o", beside(inputs[0], "-report.html")],
            # Where the change is there to stay, the model learns it.
            ["train", *inputs, "--from", model.model, "-o", beside(str(model.model), "-new.aed"), *given]
            if drifted
            else [],
        )
        end_with(summary.exit_code)


def _as_dict(summary: ScoreSummary) -> dict[str, Any]:
    """The summary of the run that scored the rows, with the drift in place of the scores."""
    from aedetect.engine.summary import envelope

    scored = summary.as_dict()
    body = {
        **scored["drift"],
        "workers": scored["workers"],
        "files": [{key: entry[key] for key in ("path", "rows", "error")} for entry in scored["files"]],
        "warnings": scored["warnings"],
    }
    times = {key: scored[key] for key in ("started", "finished", "seconds")}
    return envelope("drift", scored["model"], body, times, scored["exit_code"])


def _what_counts(limits: dict[str, float]) -> str:
    return (
        f"drift is what goes beyond chance (1 run in {1 / limits['significance']:,.0f}) and from a PSI of "
        f"{limits['psi']:g}, or {100 * limits['share']:g} points of a share, on"
    )


def _table(columns: list[dict[str, Any]]) -> Table:
    table = simple_table("column", "PSI", "KS", "what is found", right=("PSI", "KS"))
    for column in columns:
        figures = ("" if column[key] is None else f"{column[key]:.2f}" for key in ("psi", "ks"))
        table.add_row(plain(column["name"], 40), *figures, column["text"])
    return table
