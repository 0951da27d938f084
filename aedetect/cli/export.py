"""`aedetect export`: a model as an ONNX file, for runtimes without Python."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from aedetect.cli import completion, options
from aedetect.cli.command import entry_of, running
from aedetect.cli.options import argument, option
from aedetect.cli.text import counted, plain
from aedetect.errors import UsageError

if TYPE_CHECKING:
    from aedetect.cli.output import Output
    from aedetect.config import Config
    from aedetect.engine.output_names import Target
    from aedetect.tasks.export.export import Export
    from aedetect.tasks.export.verify import Verification
    from aedetect.tasks.export.verify_windows import WindowVerification


def export(
    model: Annotated[str, argument("MODEL.aed", "The model file.", completion.model_files, default=...)],
    output: Annotated[str, option("--output -o MODEL.onnx", "The ONNX file to write.", default=...)],
    reading: options.ReadingOptions,
    messages: options.MessageOptions,
    verify: list[str] | None = option(
        "--verify INPUT",
        "Rows on which ONNX Runtime is run beside aedetect; no file is written if a verdict, or the score of "
        "a window, differs. May be repeated.",
    ),
    model_sha256: options.Digest = None,
) -> None:
    """Write a model as an ONNX file, which runs without Python, torch or aedetect.

    The file takes one input for each column, by its name, and gives scores, p-values and verdicts; scaling,
    categories and the threshold are inside. Of a time series of numbers it takes a window of steps, in the
    units of training, and gives its score: no alarms, events or adaptation. Its metadata says what the
    inputs are, and what --verify measured. Needs: pip install 'aedetect[onnx]'.

    Example: aedetect export model.aed -o model.onnx --verify march.csv
    """
    with running("export", messages) as out:
        from aedetect.engine.output_names import ONNX, Target, check_named_as
        from aedetect.io.atomic import same_file
        from aedetect.io.locate import check_named
        from aedetect.io.stores import name_of
        from aedetect.scoring.model_header import check_head

        target = Target.of(output, PurePath(name_of(model)).with_suffix(".onnx").name)
        check_named_as(target.path, ONNX)
        if same_file(target.path, model):
            raise UsageError(f"{target.path}: the output is also the model file; choose another name")
        target.check()
        check_named(verify or [])
        check_head(model, model_sha256)
        from aedetect.config import Config
        from aedetect.scoring.needed_columns import check_columns
        from aedetect.tasks.export.export import check_packages

        check_packages()
        settings = Config.build(None, None, reading.overrides())
        check_columns(verify or [], model, settings.data)
        _export(out, model, model_sha256, target, verify or [], settings)


def _export(
    out: Output, path: str, digest: str | None, target: Target, words: list[str], settings: Config
) -> None:
    from aedetect.engine.summary import Clock, envelope
    from aedetect.io.files import as_trained, open_inputs, read_options
    from aedetect.models.device import CPU
    from aedetect.scoring.fitted import FittedModel
    from aedetect.tasks.export.export import export as exported

    clock = Clock()
    sources = open_inputs(words, read_options(settings.data)) if words else []
    fitted = FittedModel.load(path, device=CPU, sha256=digest)
    sources = as_trained(fitted.placed(sources), fitted.config.data, settings.data) if sources else []
    result = exported(fitted, sources)
    target.make_folder()
    size = result.save(target.path)
    body = {
        "output": target.path,
        "bytes": size,
        "opset": result.opset,
        "metadata": result.metadata,
        "verified": result.verification.as_dict() if result.verification is not None else None,
        "warnings": [],
    }
    out.result(envelope("export", entry_of(path, fitted), body, clock.as_dict()))
    _tell(out, result, target.path, size)


def _tell(out: Output, result: Export, path: str, size: int) -> None:
    import json

    inputs: list[dict[str, Any]] = json.loads(result.metadata["aedetect.inputs"])
    what = f"{counted(len(inputs), 'column')} in, verdicts out"
    if "aedetect.threshold" not in result.metadata:
        what = f"a window of {counted(inputs[0]['shape'][0], 'step')} in, its score out"
    out.say(f"{plain(path)}: {what}; {size / 1e6:.1f} MB, ONNX opset {result.opset}")
    if result.verification is not None:
        for line in in_words(result.verification):
            out.say(line)


def in_words(verification: Verification | WindowVerification) -> list[str]:
    """What was compared, for people."""
    from aedetect.tasks.export.verify import Verification

    return _of_rows(verification) if isinstance(verification, Verification) else _of_windows(verification)


def _of_windows(verification: WindowVerification) -> list[str]:
    some = "" if verification.windows == verification.in_all else f" of {verification.in_all:,}"
    lines = [
        f"verified on {verification.windows:,}{some} windows in {verification.runtime}: scores differ by at "
        f"most {verification.score_difference:.1g} of their size"
    ]
    if verification.left_out:
        left_out = counted(verification.left_out, "window")
        lines.append(f"{left_out} left out: aedetect knows more of them than a window holds")
    return lines


def _of_rows(verification: Verification) -> list[str]:
    rows = counted(verification.rows, "row")
    said = f"verified on {rows} in {verification.runtime}: scores differ by at most "
    said += f"{verification.score_difference:.1g} of their size"
    lines = [f"{said}, p-values by {verification.p_value_difference:.1g}"]
    if verification.differing:
        ties = counted(verification.ties, "verdict")
        lines.append(f"{ties} differ, of rows whose score is the threshold but for rounding")
    else:
        lines.append(f"no verdict differs; {counted(verification.anomalies, 'row')} flagged by both")
    if verification.unreadable:
        left_out = counted(verification.unreadable, "row")
        lines.append(f"{left_out} left out: a cell cannot be read, so there is nothing to compare")
    return lines
