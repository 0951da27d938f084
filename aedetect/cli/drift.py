"""`aedetect drift`: has the data moved since training?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from aedetect.cli import options
from aedetect.cli.console import Output, TerminalProgress, plain, simple_table
from aedetect.cli.exit import reported
from aedetect.errors import ExitCode


def drift(
    inputs: options.Inputs,
    model: options.Model,
    model_sha256: options.Digest = None,
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="Exit with 11 if the data have drifted.")
    ] = False,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    log_format: options.LogFormat = "text",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Tell whether data still look like those that the model was trained on.

    Compares every column, and the scores, with what the model file holds of its training data. With
    --verbose, columns that are as in training are listed too. Settings drift.psi, drift.share and
    drift.significance say what counts as drift.

    Example: aedetect drift march.csv -m model.aed
    """
    out = Output("drift", json, quiet, verbose, log_format)
    with reported(out):
        from aedetect.tasks import score_run as runs

        overrides = {
            "data.format": format,
            "data.delimiter": options.unescaped(delimiter),
            "data.encoding": encoding,
            "training.device": device,
        }
        settings = options.settings(config, overrides)
        with TerminalProgress(out, settings.training.device) as callback:
            done = runs.measure_drift(inputs, model, model_sha256, settings, callback, fail_on_drift)
        told = done.as_dict()
        found: dict[str, Any] = told["drift"]
        out.result(
            {
                "schema_version": told["schema_version"],
                "aedetect_version": told["aedetect_version"],
                "command": "drift",
                "model": told["model"],
                **found,
                "files": [{key: entry[key] for key in ("path", "rows", "error")} for entry in told["files"]],
                "warnings": told["warnings"],
                "started": told["started"],
                "finished": told["finished"],
                "seconds": told["seconds"],
                "exit_code": told["exit_code"],
            }
        )
        for entry in done.files:
            if entry.error:
                out.error(entry.error, ExitCode.PARTIAL)
        columns = [*found["columns"], found["scores"]]
        shown = [column for column in columns if column["drifted"] or verbose]
        if shown:
            out.table(_table(shown))
            out.say()
        out.say(found["text"])
        if done.exit_code:
            raise typer.Exit(done.exit_code)


def _table(columns: list[dict[str, Any]]) -> Any:
    table = simple_table("column", "PSI", "KS", "what is found", right=("PSI", "KS"))
    for column in columns:
        figures = ("" if column[key] is None else f"{column[key]:.2f}" for key in ("psi", "ks"))
        table.add_row(plain(column["name"], 40), *figures, column["text"])
    return table
