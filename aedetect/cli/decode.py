"""`aedetect decode`: codes as rows again."""

from __future__ import annotations

from aedetect.cli import options
from aedetect.cli.console import Output
from aedetect.cli.convert import RowsOutput, convert
from aedetect.cli.exit import reported


def decode(
    inputs: options.Inputs,
    model: options.Model,
    output: RowsOutput,
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
    """Rebuild rows from the codes that `aedetect encode` wrote, in the model's columns and units.

    Columns that stand beside the codes, such as ids, are kept. What a code leaves out of a row
    comes back as what is expected there.

    Example: aedetect decode codes.parquet -m model.aed -o rows.csv
    """
    out = Output("decode", json, quiet, verbose)
    with reported(out):
        overrides = options.reading(format, delimiter, encoding, device, jobs)
        from aedetect.tasks.rows_run import RowsRequest, decode_task

        request = RowsRequest(inputs, model, output, model_sha256)
        convert(out, request, options.settings(config, overrides), decode_task)
