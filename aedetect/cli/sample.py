"""`aedetect sample`: new rows like those learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from aedetect.cli import completion, options
from aedetect.cli.command import entry_of, loaded, look, running, stdout_for_one
from aedetect.cli.next_steps import next_steps
from aedetect.cli.options import OUTPUT, argument, option
from aedetect.cli.text import counted, plain
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.config import Config


@dataclass(frozen=True)
class SampleRequest:
    """How many rows to make, like which, and where to write them."""

    count: int
    where: dict[str, str]
    seed: int
    output: str


def sample(
    count: Annotated[str, argument("N", "How many rows.", default=...)],
    model: options.ModelOptions,
    output: Annotated[
        str, option("--output -o OUT", "A file, or '-' for CSV on stdout.", panel=OUTPUT, default=...)
    ],
    run: options.RunOptions,
    messages: options.MessageOptions,
    where: list[str] | None = option(
        "--where COLUMN=VALUE", "Only rows of this category; may be repeated.", completion.categories
    ),
    seed: str = option("--seed N", "Same seed, same rows; default: 0.", default="0"),
) -> None:
    """Make new rows that look like those learned from, and copy none of them.

    They have the model's columns, in their types and ranges: whole numbers are whole, categories
    are known ones.

    Example: aedetect sample 1000 -m model.aed -o new.csv --where service=http
    """
    with running("sample", messages) as out:
        if messages.json and output == "-":
            raise stdout_for_one("--json", "-o -")
        look([], model)
        rows = options.whole(count, "N")
        request = SampleRequest(rows, _conditions(where or []), options.whole(seed, "--seed"), output)
        result = _sample(request, model, run.settings())
        out.result(result)
        if output != "-":
            out.say(f"{counted(rows, 'new row')} → {plain(result['output'])}")
            next_steps(out, ["score", result["output"], "-m", model.model])


def _sample(request: SampleRequest, model: options.ModelOptions, settings: Config) -> dict[str, Any]:
    from aedetect.engine.output_names import TABLE, Target, check_suffix
    from aedetect.io.atomic import same_file
    from aedetect.io.output_format import output_format
    from aedetect.io.write import open_sink

    target = Target.of(request.output, "sample.csv")
    output = str(target.path)
    check_suffix(output, TABLE)
    output_format(output)
    if output != "-":
        if same_file(output, model.model):
            raise UsageError(f"{output}: the output is also the model file; choose another name")
        target.check()

    from aedetect.engine.summary import envelope
    from aedetect.tasks.sample import sample_batches, sample_schema

    fitted = loaded(model, settings)
    batches = sample_batches(fitted, request.count, request.seed, request.where)
    target.make_folder()
    with open_sink(output, sample_schema(fitted)) as sink:
        for batch in batches:
            sink.write(batch)
    body = {"rows": request.count, "output": output, "seed": request.seed, "where": request.where}
    return envelope("sample", entry_of(model.model, fitted), body)


def _conditions(words: list[str]) -> dict[str, str]:
    conditions: dict[str, str] = {}
    for word in words:
        column, mark, value = word.partition("=")
        if not (column and mark):
            raise UsageError(f"--where {word}: write it like --where COLUMN=VALUE")
        if conditions.setdefault(column, value) != value:
            raise UsageError(f"--where {word}: {column!r} was asked to be {conditions[column]!r} before")
    return conditions
