"""`aedetect encode`: rows as a few numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from aedetect.cli import options
from aedetect.cli.console import Output
from aedetect.cli.convert import RowsOutput, convert
from aedetect.cli.exit import reported
from aedetect.cli.options import OUTPUT


def encode(
    inputs: options.Inputs,
    model: options.Model,
    output: RowsOutput,
    map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Draw the rows on a plane, by their codes: .png, .svg or .html.",
            rich_help_panel=OUTPUT,
            show_default=False,
        ),
    ] = None,
    jobs: options.Jobs = None,
    model_sha256: options.Digest = None,
    format: options.Format = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    device: options.Device = None,
    config: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Compress rows to a few numbers each, z0, z1 and so on, beside their id columns.

    `aedetect decode` rebuilds rows from them. How many there are is settled in training
    (`aedetect train --latent-dim K`); a row that cannot be read has none.

    Example: aedetect encode march.csv -m model.aed -o codes.parquet --map march.png
    """
    out = Output("encode", json, quiet, verbose)
    with reported(out):
        if map is not None:
            from aedetect.tasks.projection import check_map

            check_map(map, output)
        overrides = options.reading(format, delimiter, encoding, device, jobs)
        from aedetect.tasks.rows_run import RowsRequest, encode_task, map_of_codes

        request = RowsRequest(inputs, model, output, model_sha256, locked=[] if map is None else [map])
        make = partial(encode_task, scored=map is not None)
        consumer = None if map is None else partial(map_of_codes, path=map)
        convert(out, request, options.settings(config, overrides), make, consumer)
