"""`aedetect encode`: rows as a few numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aedetect.cli import options
from aedetect.cli.console import Output
from aedetect.cli.convert import RowsOutput, convert
from aedetect.cli.exit import reported
from aedetect.cli.options import OUTPUT

if TYPE_CHECKING:
    from aedetect.detector import Detector


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
        overrides = options.reading(format, delimiter, encoding, device)
        from aedetect.tasks.encode import Encode

        done: list[Encode] = []

        def job(detector: Detector) -> Encode:
            done.append(Encode(detector, mapped=map is not None))
            return done[0]

        def draw() -> None:
            if map is not None and done[0].drawn is not None:
                done[0].drawn.draw(map)

        convert(out, inputs, model, output, overrides, config, job, also=draw)
