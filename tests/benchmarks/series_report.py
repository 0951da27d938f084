"""Tables from the raw figures of the time series benchmark, as text and as Markdown.

Figures of a detector are means over its series (times: medians).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from series_runs import OURS
from tabular_report import Table

_TRACKS = {"U": "One channel (track U)", "M": "Several channels (track M)"}

# Means of VUS-PR over all 33 and 27 series, from the per-file figures that TSB-AD (Liu & Paparrizos, NeurIPS
# 2024) published with its code. True: fitted on the whole series, the part under test included, which
# a detector that scores new files cannot be.
PUBLISHED: dict[str, tuple[tuple[str, float, bool], ...]] = {
    "U": (
        ("POLY", 0.575, True),
        ("KShapeAD", 0.543, True),
        ("KMeansAD", 0.542, True),
        ("MOMENT (fine-tuned)", 0.534, False),
        ("Sub-PCA", 0.472, True),
        ("AutoEncoder", 0.381, False),
        ("USAD", 0.309, False),
        ("CNN", 0.254, False),
        ("OmniAnomaly", 0.193, False),
        ("TranAD", 0.166, False),
    ),
    "M": (
        ("KMeansAD", 0.338, True),
        ("Donut", 0.209, False),
        ("CNN", 0.186, False),
        ("LSTMAD", 0.169, False),
        ("OmniAnomaly", 0.158, False),
        ("USAD", 0.152, False),
        ("AutoEncoder", 0.118, False),
        ("KNN", 0.100, True),
        ("PCA", 0.092, True),
    ),
}
_SERIES = {"U": 33, "M": 27}


def tables(figures: pd.DataFrame) -> list[Table]:
    """Means, published means and each series, track by track."""
    found = []
    # Ours first, wherever its figures stand.
    figures = figures.sort_values("detector", key=lambda names: names != OURS, kind="stable")
    for track in figures["track"].unique():
        part = figures[figures["track"] == track]
        title = _TRACKS.get(str(track), str(track))
        found += [_means(title, part), *_published(str(track), title, part), _each(title, part)]
    return found


def as_text(found: Sequence[Table]) -> str:
    return "\n\n".join(table.text() for table in found)


def as_markdown(found: Sequence[Table], protocol: str, origin: Sequence[str]) -> str:
    parts = ["# Detection quality on time series", protocol, "\n".join(["Measured:", "", *origin])]
    return "\n\n".join([*parts, *(table.markdown() for table in found)]) + "\n"


def origin(figures: pd.DataFrame) -> list[str]:
    """Dates, machines and which series the peers ran on, one line each."""
    lines = [
        f"- {date}: {machine}" for date, machine in figures[["date", "machine"]].drop_duplicates().values
    ]
    for track, part in figures.groupby("track", sort=False):
        ours = part.loc[part["detector"] == OURS, "file"].nunique()
        peers = part.loc[part["detector"] != OURS, "file"].nunique()
        if peers:
            lines.append(f"- track {track}: {OURS} on {ours} series, its peers on {peers} of them")
    return lines


def _means(title: str, figures: pd.DataFrame) -> Table:
    own = figures[figures["detector"] == OURS].groupby("file")[["vus_pr", "auroc", "recall"]].mean()
    rows: list[tuple[str, ...]] = []
    for detector in figures["detector"].unique():
        part = figures[figures["detector"] == detector]
        same = own.reindex(part["file"].unique())
        rows.append(
            (
                *(str(detector), str(part["file"].nunique())),
                *(f"{part[name].mean():.3f}" for name in ("vus_pr", "auroc", "recall")),
                *(_figure(same[name].mean()) for name in ("vus_pr", "auroc", "recall")),
                *(f"{part[name].median():.2f}" for name in ("fit_s", "score_s")),
            )
        )
    header = (
        *("detector", "series", "VUS-PR", "AUROC", "recall"),
        *("here VUS-PR", "here AUROC", "here recall", "fit s", "score s"),
    )
    note = (
        "Means over series (times: medians). 'recall': of events, at one false event a day. "
        f"'here': {OURS} on the series of that row."
    )
    return Table(title, header, rows, note)


def _published(track: str, title: str, figures: pd.DataFrame) -> list[Table]:
    own = figures.loc[figures["detector"] == OURS]
    if track not in PUBLISHED or own.empty:
        return []
    count = own["file"].nunique()
    rows: list[tuple[str, ...]] = [(OURS, f"{own['vus_pr'].mean():.3f}", "no", str(count))]
    rows += [
        (name, f"{figure:.3f}", "yes" if whole else "no", str(_SERIES[track]))
        for name, figure, whole in PUBLISHED[track]
    ]
    note = (
        "Others: means of the per-file figures published with TSB-AD (Liu & Paparrizos, NeurIPS 2024); not "
        "run here. 'whole': fitted on the whole series, the part under test included."
    )
    if count < _SERIES[track]:
        note += f" Our mean is over {count} series only, theirs over all: they do not compare."
    return [Table(f"{title}: published", ("detector", "VUS-PR", "whole", "series"), rows, note)]


def _each(title: str, figures: pd.DataFrame) -> Table:
    detectors = list(figures["detector"].unique())
    wide = figures.pivot_table(index="file", columns="detector", values="vus_pr", sort=False)
    own = figures[figures["detector"] == OURS].groupby("file").first()
    rows: list[tuple[str, ...]] = []
    for name in figures["file"].unique():
        counts = own.loc[name, ["rows", "channels", "recall"]] if name in own.index else (np.nan,) * 3
        sizes = [f"{count:.0f}" for count in list(counts)[:2]]
        rows.append(
            (
                str(name),
                *sizes,
                *(_figure(wide.loc[name, each]) for each in detectors),
                _figure(list(counts)[2]),
            )  # type: ignore[arg-type, unused-ignore]
        )
    header = ("series", "rows", "channels", *map(str, detectors), "our recall")
    return Table(f"{title}: VUS-PR of each series", header, rows)


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"
