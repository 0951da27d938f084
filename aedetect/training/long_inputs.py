"""Long tables to learn from: their names become channels before anything is profiled."""

from __future__ import annotations

from dataclasses import replace

from aedetect.config import Config
from aedetect.data.cells import CellRules
from aedetect.data.series.long_table import LongColumns, LongTable, WideInput
from aedetect.errors import UsageError
from aedetect.training.request import TrainingRun


def with_wide_inputs(run: TrainingRun) -> TrainingRun:
    """The run with long tables read as wide ones, where the settings say that they are long.

    Raises UsageError for settings at odds with one another, DataError for inputs that are no long table.
    """
    columns = _columns(run.config)
    if columns is None:
        return run
    data, inputs = run.config.data, run.request.inputs
    rules = CellRules(data.decimal, tuple(data.na_values))
    table = LongTable.learn(inputs, columns, rules)
    ignored: dict[str, None] = {}
    for source in inputs:
        ignored |= dict.fromkeys(columns.ignored(source.open(1024).schema.names))
    named = ", ".join(repr(name) for name in ignored if name not in data.exclude)
    if named:
        run.callback.notice(
            f"ignored, as a long table is its times, entities, names and readings alone: {named}"
        )
    # What is not read need not be left out.
    exclude = [name for name in data.exclude if name not in ignored or name in table.channels]
    config = run.config.model_copy(update={"data": data.model_copy(update={"exclude": exclude})})
    wide = [WideInput(source, table, rules) for source in inputs]
    return replace(run, config=config, request=replace(run.request, inputs=wide))


def _columns(config: Config) -> LongColumns | None:
    """What the columns of a long table are; None where the settings name none."""
    series, data = config.series, config.data
    if series.series_name is None and series.value is None:
        return None
    if series.series_name is None or series.value is None:
        raise UsageError("--series-name and --value go together: who was read, and what the reading was")
    if series.time is None:
        raise UsageError("--series-name goes with --time COLUMN, which makes time series of the rows")
    others = [*series.time_columns, *series.entity, *data.id, data.label]
    for flag, column in (("--series-name", series.series_name), ("--value", series.value)):
        if column in others or series.series_name == series.value:
            raise UsageError(f"{flag} {column}: the column is named for something else as well")
    for column, role in data.roles.items():
        if role not in ("numeric", "ignored"):
            raise UsageError(f"--role {column}={role}: the channels of a long table are numbers")
    optional = [*data.id, *([] if data.label is None else [data.label])]
    shared = (*series.time_columns, *series.entity)
    return LongColumns(series.series_name, series.value, shared, tuple(optional))
