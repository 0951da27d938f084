"""Several files of one schema put together to one, in their order."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import IO

from aedetect.io.atomic import atomic_output, writing
from aedetect.io.output_format import output_format


def join_files(paths: Sequence[str], path: str) -> None:
    """Write the rows of the files `paths`, which are of the format of `path`, to that file.

    Parquet goes by row groups, as they are; text by bytes: names of columns are in the first file alone.
    Raises OutputError where that fails.
    """
    with writing(path), atomic_output(path) as stream:
        match output_format(path):
            case "parquet":
                from aedetect.io.parquet_join import join_parquet

                join_parquet(paths, stream)
            case "arrow":
                _join_arrow(paths, stream)
            case _:
                for each in paths:
                    # Compressed files one after the other are one compressed file.
                    with open(os.fsencode(each), "rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)


def _join_arrow(paths: Sequence[str], stream: IO[bytes]) -> None:
    import pyarrow as pa

    with pa.memory_map(paths[0]) as first:
        schema = pa.ipc.open_file(first).schema
    with pa.ipc.new_file(stream, schema) as writer:
        for each in paths:
            with pa.memory_map(each) as source:
                reader = pa.ipc.open_file(source)
                for number in range(reader.num_record_batches):
                    writer.write_batch(reader.get_batch(number))
