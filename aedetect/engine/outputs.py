"""How rows get to an output: whole or not at all, under one schema."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from aedetect.engine.spool import Spool
from aedetect.engine.task import OutputFields
from aedetect.errors import UsageError
from aedetect.io.cell_text import as_text
from aedetect.io.files import FileInput
from aedetect.io.jsonl import nested_mark
from aedetect.io.locate import STDIN
from aedetect.io.output_format import TEXT_FORMATS, output_format
from aedetect.io.source import Input
from aedetect.io.stores import is_address
from aedetect.io.write import USUAL, open_sink

SOURCE_COLUMN = "source_file"
Write = Callable[[pa.RecordBatch], None]


def is_typed(output: str | None) -> bool:
    """Whether the format of an output has types, so that numbers are written as such."""
    return output is not None and output_format(output) not in TEXT_FORMATS


@contextlib.contextmanager
def open_output(
    output: str | None, schema: pa.Schema, like: Input | None = None, header: bool = True
) -> Iterator[Write]:
    """A function that writes batches of `schema`; the file is in place when the block ends.

    CSV is written as that of the input `like` is, if there is one; below names of columns if `header`.

    Raises OutputError where it cannot be written.
    """
    if output is None:
        yield lambda _: None
        return
    folder = os.path.dirname(output)
    if output != STDIN and folder and not is_address(output) and not os.path.exists(folder):
        os.makedirs(folder, exist_ok=True)
    dialect = like.dialect if isinstance(like, FileInput) else USUAL
    with open_sink(output, schema, dialect, header) as sink:
        yield sink.write


def output_schema(fields: OutputFields, name: str, named: bool = False) -> pa.Schema:
    """The schema of an output; with `named`, a last column names the input of each row.

    Raises UsageError where two columns bear one name; `name` is the input's.
    """
    source = [pa.field(SOURCE_COLUMN, pa.string())] if named else []
    every = [*fields.leading, *fields.added, *source]
    names = [item.name for item in every]
    counts = Counter(names)
    twice = next((item for item in names if counts[item] > 1), None)
    if twice is not None:
        raise UsageError(f"{name}: has a column {twice!r} already, which the output would add; rename it")
    return pa.schema(every)


def joint_fields(each: Sequence[OutputFields]) -> OutputFields:
    """The columns of one output of several inputs."""
    if not each:
        return OutputFields([])
    return OutputFields(union_fields([fields.leading for fields in each]), each[0].added)


def union_fields(each: Sequence[Sequence[pa.Field]]) -> list[pa.Field]:
    """Columns of several inputs in order of appearance; text where types differ, numbers aside.

    A column without a type, in which nothing stands, has that of the others.
    """
    merged: dict[str, pa.DataType] = {}
    marks: dict[str, dict[bytes, bytes] | None] = {}
    for fields in each:
        for item in fields:
            marks.setdefault(item.name, nested_mark(item))
            known = merged.setdefault(item.name, item.type)
            if pa.types.is_null(known):
                merged[item.name] = item.type
            elif known != item.type and not pa.types.is_null(item.type):
                numbers = all(pa.types.is_integer(t) or pa.types.is_floating(t) for t in (known, item.type))
                merged[item.name] = pa.float64() if numbers else pa.string()
    return [pa.field(name, type_, metadata=marks[name]) for name, type_ in merged.items()]


def conformed(batch: pa.RecordBatch, schema: pa.Schema, name: str) -> pa.RecordBatch:
    """The batch with the columns of `schema`: null where it has none, text where types differ.

    `name` is the input's, for the column that names it.
    """
    if batch.schema == schema:
        return batch
    columns = []
    for item in schema:
        if item.name in batch.schema.names:
            columns.append(_as_type(batch.column(item.name), item.type))
        elif item.name == SOURCE_COLUMN:
            columns.append(pa.repeat(pa.scalar(name, pa.string()), len(batch)))
        else:
            columns.append(pa.nulls(len(batch), item.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_type(column: pa.Array, type_: pa.DataType) -> pa.Array:
    if column.type == type_:
        return column
    if pa.types.is_string(type_):
        return pc.if_else(column.is_valid(), as_text(column), None)
    return pc.cast(column, type_, safe=False)


class SideOutput:
    """A file of rows beside the outputs: an input's go in once it was good to its end."""

    def __init__(self, path: str | None, fields: Sequence[pa.Field], several: bool):
        named = several and bool(fields)
        self._path = path
        self._schema = output_schema(OutputFields(fields), str(path), named)
        self._write: Write | None = None

    @contextlib.contextmanager
    def opened(self) -> Iterator[SideOutput]:
        """The file is in place when the block ends, unless it fails."""
        if self._path is None:
            yield self
            return
        with open_output(self._path, self._schema) as self._write:
            yield self

    @contextlib.contextmanager
    def of_input(self, name: str) -> Iterator[Callable[[pa.RecordBatch | None], None]]:
        """A function that takes an input's rows, which are written when the block ends without failing."""
        if self._write is None:
            yield lambda _: None
            return
        with contextlib.closing(Spool(self._schema)) as spool:

            def take(rows: pa.RecordBatch | None) -> None:
                if rows is not None and len(rows):
                    spool.write(conformed(rows, self._schema, name))

            yield take
            for batch in spool.read():
                self._write(batch)
