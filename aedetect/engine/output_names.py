"""Names of the files that a command writes: none whose suffix promises something else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from aedetect.errors import UsageError
from aedetect.io.atomic import check_writable, writing
from aedetect.io.locate import COMPRESSION_SUFFIXES, STDIN, SUFFIX_FORMATS
from aedetect.io.stores import is_address, is_store_folder, join, suffixed

MODEL, PAGE, MARKDOWN, TABLE = "a model", "a web page", "Markdown", "a table"
ONNX = "a model in ONNX"
SUMMARY, METRICS, SETTINGS = "a summary in JSON", "metrics for Prometheus", "settings"
# The usual suffix first. Others say nothing of what a file holds, and may be given to any.
_SUFFIXES = {
    MODEL: (".aed",),
    ONNX: (".onnx",),
    PAGE: (".html", ".htm", ".xhtml"),
    MARKDOWN: (".md", ".markdown"),
    TABLE: (*SUFFIX_FORMATS, ".xlsx", ".xls", ".ods"),
    SUMMARY: (".json", ".jsonl", ".ndjson"),
    METRICS: (".prom",),
    "a picture": (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp"),
    "a PDF document": (".pdf",),
    "a text document": (".doc", ".docx", ".odt", ".rtf", ".tex"),
    "slides": (".ppt", ".pptx", ".odp"),
    "a model of another program": (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".h5", ".keras"),
    "a database": (".db", ".sqlite", ".sqlite3", ".duckdb"),
    "a compressed file": (*COMPRESSION_SUFFIXES, ".zip", ".bz2", ".xz", ".7z", ".tar"),
    SETTINGS: (".toml", ".yaml", ".yml", ".ini"),
    "a script": (".py", ".sh", ".ipynb"),
}
_REMARKS = {".pdf": " (a browser prints it to PDF)"}


def check_suffix(path: str | os.PathLike[str], kind: str, option: str = "") -> None:
    """Raises UsageError where the suffix of `path` is that of something else than `kind`.

    `option` is that which named the path, where it is not -o.
    """
    name = PurePath(suffixed(path))
    suffix = name.suffix.lower()
    if str(path) == STDIN or suffix in _SUFFIXES[kind] or _is_special(path):
        return
    other = next((what for what, suffixes in _SUFFIXES.items() if suffix in suffixes), None)
    if other is None:
        return
    stem = name.with_suffix("")
    usual = _SUFFIXES[kind][0]
    better = stem if stem.suffix.lower() == usual else stem.with_suffix(usual)
    remark = _REMARKS.get(suffix, "") if kind == PAGE else ""
    raise UsageError(
        f"{option} {path}: {suffix} is the suffix of {other}, and this will be {kind}; "
        f"name it {better.name if is_address(path) else better}{remark}".lstrip()
    )


def check_named_as(path: str | os.PathLike[str], kind: str) -> None:
    """Raises UsageError where `path` does not end as the name of `kind` must, which runtimes go by."""
    name, usual = PurePath(path), _SUFFIXES[kind][0]
    if str(path) == STDIN:
        raise UsageError(f"-o -: {kind} goes to a file, not to stdout; name one that ends in {usual}")
    check_suffix(path, kind)
    if name.suffix.lower() not in _SUFFIXES[kind] and not _is_special(path):
        raise UsageError(f"{path}: the name of {kind} ends in {usual}; name it {name.with_suffix(usual)}")


def check_folder(path: str, option: str) -> None:
    """Raises UsageError where `option` names what looks like a file, and no folder is called so."""
    suffix = PurePath(path).suffix.lower()
    if any(suffix in suffixes for suffixes in _SUFFIXES.values()) and not os.path.isdir(path):
        raise UsageError(f"{option} {path}: this is to be a folder; name it without {suffix}")


@dataclass(frozen=True)
class Target:
    """The one file that a command writes; `in_folder`: what was named is the folder that it is in."""

    path: str
    in_folder: bool = False

    @classmethod
    def of(cls, named: str, usual: str) -> Target:
        """The file `named`, or the `usual` one in the folder `named`, which may be yet to come: 'new/'."""
        if is_address(named):
            in_folder = is_store_folder(named)
            return cls(join(named, usual) if in_folder else named, in_folder)
        in_folder = named.endswith(os.sep) or os.path.isdir(named)
        return cls(str(Path(named, usual) if in_folder else Path(named)), in_folder)

    def check(self) -> None:
        """Raises OutputError where the file cannot be written; nothing is touched."""
        check_writable(self.path, self.in_folder)

    def make_folder(self) -> None:
        """Make the folder, where one was named. Raises OutputError."""
        if self.in_folder and not is_address(self.path):
            with writing(self.path):
                os.makedirs(os.path.dirname(self.path), exist_ok=True)


def _is_special(path: str | os.PathLike[str]) -> bool:
    """Devices and pipes have names that say nothing."""
    return os.path.exists(path) and not os.path.isfile(path)
