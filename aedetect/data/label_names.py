"""Columns that look like labels of known anomalies: by their name, and by what they hold.

A label left among the columns makes every score tell the label, and figures of a perfect detector.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Mapping

from aedetect.data.cells import FALSE_TOKENS, TRUE_TOKENS
from aedetect.data.profile import ColumnProfile

LABEL_REASON = "looks like a label"


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


# These words name nothing but a verdict on a row.
_VERDICTS = _words_of(
    "anomaly anomalies anomalous abnormal outlier outliers outlierness fraud fraudulent attack attacks "
    "attacked intrusion malicious malware spam faulty defective failure fault defect breakdown anom anomalie "
    "fraude betrug suspicious"
)
# These may name other things, too, so that values and shares must speak for a label.
_MAYBE = _words_of("label labels target class y truth groundtruth")
_LABELS = frozenset({"label", "labels", "truth", "groundtruth"})
# What stands beside such a word without changing what it means.
_BESIDE = _words_of(
    "is has was are flag flagged label labels class target bool boolean binary true ground gt truth y "
    "reported confirmed detected known transaction row record event machine or normal pass fail "
    "found indicator ind cat category type kind mode"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_NORMAL = _words_of(
    "normal benign legit legitimate genuine inlier healthy nominal good ok pass negative clean nonfraud "
    "notfraud nonfraudulent noattack noanomaly regular"
)
_STRANGE = _VERDICTS | _words_of("bad fail failed positive suspicious malignant spam sick")
_TRUTHS = frozenset((*TRUE_TOKENS, *FALSE_TOKENS))
_NUMBERS = frozenset({"-1", "0", "1"})
_RARE = 0.4
_MOST_KINDS = 50


def may_name_label(column: str) -> bool:
    """Whether a column could be a label by its name: whole words, in whatever case."""
    words = _words(column)
    names_one = words & (_VERDICTS | _MAYBE) or words == {"pass", "fail"}
    return bool(names_one) and words <= (_VERDICTS | _MAYBE | _BESIDE)


def looks_like_label(column: str, profile: ColumnProfile, columns: Collection[str]) -> bool:
    """Whether a column holds what labels hold: two verdicts, or of such a name always the same one.

    `columns`: the names of all columns; beside an x or z, y is a coordinate.
    """
    if not profile.is_counted or profile.overflowed:
        return False
    words = _words(column)
    counts: Counter[str] = Counter()
    for value, count in profile.counts.items():
        counts[_value(value)] += count
    if len(counts) == 2 and counts.keys() & _VERDICTS and counts.keys() & _NORMAL:
        return True
    if not counts or not may_name_label(column):
        return False
    if words == {"y"} and {name.lower() for name in columns} & {"x", "z"}:
        return False
    surely = bool(words & _VERDICTS)
    if len(counts) > 2:
        labelled = surely or bool(words & _LABELS)
        return labelled and len(counts) <= _MOST_KINDS and bool(counts.keys() & _NORMAL)
    if not _are_verdicts(counts, surely):
        return False
    rare = min(counts.values()) <= _RARE * counts.total()
    return len(counts) == 1 or surely or bool(words & _LABELS) or rare


def label_notice(column: str, profile: ColumnProfile) -> str:
    """What is said of a column left out as a label, and how to have it otherwise."""
    role = "boolean" if {_value(name) for name in profile.counts} <= _TRUTHS else "categorical"
    learned = f"--role {shlex.quote(f'{column}={role}')} to learn it"
    if len(profile.counts) > 2:
        return f"column {column!r} looks like a label and is left out; give {learned}"
    used = f"--label {shlex.quote(column)}"
    if role == "categorical" and len(profile.counts) == 2:
        used += f" --positive {shlex.quote(_strange(profile.counts))}"
    return f"column {column!r} looks like a label and is left out; give {used} to use it as one, or {learned}"


def _strange(counts: Mapping[str, int]) -> str:
    """Of two values the one that marks anomalies: by its name, or else the rarer one."""
    normal = [name for name in counts if _value(name) in _NORMAL]
    strange = [name for name in counts if _value(name) in _STRANGE or (normal and name not in normal)]
    return strange[0] if len(strange) == 1 else min(counts, key=lambda name: (counts[name], name))


def _are_verdicts(counts: Counter[str], surely: bool) -> bool:
    """Whether one or two values are those of a label."""
    values = counts.keys()
    if values <= _NUMBERS or values <= _TRUTHS:
        return True
    if surely and len(values) == 2:
        return not any(_is_number(value) for value in values)
    return bool(values & (_NORMAL | _STRANGE))


def _words(column: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(column)}


def _value(text: str) -> str:
    """A value in one spelling: '1.0' as '1', 'Not fraud' as 'notfraud'."""
    whole = re.sub(r"^([+-]?[0-9]+)\.0*$", r"\1", text.strip()).removeprefix("+")
    return whole if _is_number(whole) else re.sub(r"[\W_]+", "", whole.lower())


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?", text) is not None
