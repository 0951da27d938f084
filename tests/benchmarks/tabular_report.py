"""Tables from the raw figures of the tabular benchmark, as text and as Markdown.

Figures of a set are means over its seeds (times: medians), figures of a detector are means over its
sets (times: medians).

Ranks: for each set and seed the detectors that ran there are ordered by AUROC, 1 is the best, equal ones
share the mean of their ranks; ranks are averaged over seeds, then over sets. A detector that did not run
on a split has no rank there, and the others are ranked without it; 'rank (all)' is over the sets where
every detector ran with every seed. Variants of aedetect are not ranked against each other: each is
ranked among the peers, and the peers are ranked beside the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import betabinom
from tabular_data import CATEGORICAL, HALVES
from tabular_runs import ABLATIONS, DEFAULT, FIELDS, KEY, LEVELS, PARTS

WORST = 3
# With more sets than this, the text leaves out the table of each set.
MOST_SETS = 50
# The detectors that aedetect is compared with, set by set.
RIVALS = ("KNN", "nearest row")
# Alarms are given for sets with fewer rows to train on and for the others.
SMALL = 2_000
INTERVAL = 0.99
# Of the rows of a larger table, so many calibrate; of a smaller one, all do.
CALIBRATING = 0.2
# The sizes of tables that are told apart: rows to train on, and columns, up to and with these.
SIZES = {"train": (200, 1_000, 5_000), "d": (4, 8, 16, 32)}
# Differences of AUROC that are no larger count as none.
EVEN = 0.001
RANKS = (
    "Rank: by AUROC among the detectors that ran on the same set and seed (equal ones share the mean rank; "
    "variants of aedetect are ranked one at a time), averaged over seeds, then over sets. A detector that "
    "did not run on a set has no rank there; 'rank (all)' is over the sets where all ran."
)
_TITLES = {
    "tabular": "Numeric tables",
    "wild": "Real tables of many fields",
    "categorical": "Tables of nominal columns",
}


@dataclass(frozen=True)
class Table:
    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""

    def text(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if index == 0 else cell.rjust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (self.header, *self.rows)
        ]
        return "\n".join([self.title, *lines, *([self.note] if self.note else [])])

    def markdown(self) -> str:
        ruler = ("---", *["---:"] * (len(self.header) - 1))
        lines = [f"| {' | '.join(row)} |" for row in (self.header, ruler, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines, *(["", self.note] if self.note else [])])


def merged(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Raw figures of several runs as one table; of a figure measured twice, the later one counts."""
    # Figures of earlier versions lack some columns.
    complete = [part.reindex(columns=list(FIELDS)) for part in parts]
    return pd.concat(complete, ignore_index=True).drop_duplicates(list(KEY), keep="last", ignore_index=True)


def as_text(figures: pd.DataFrame) -> str:
    parts = []
    for title, study, part in _sections(figures):
        tables = _tables(study, part, [_per_set] if part["set"].nunique() <= MOST_SETS else [])
        parts.append("\n\n".join([f"== {title} ==", *(table.text() for table in tables)]))
    if summary := _over_all(figures):
        parts.append("\n\n".join(["== All numeric collections ==", *(table.text() for table in summary)]))
    return "\n\n".join(parts)


def as_markdown(figures: pd.DataFrame, protocol: str) -> str:
    parts = ["# Detection quality on tables", protocol, _origin(figures)]
    for title, study, part in _sections(figures):
        parts.append(f"## {title}")
        parts += [table.markdown() for table in _tables(study, part, [_wide])]
    if summary := _over_all(figures):
        parts += ["## All numeric collections", *(table.markdown() for table in summary)]
    return "\n\n".join(parts) + "\n"


def _sections(figures: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    kinds = {"default": "", "contaminated": ", anomalies among the training rows", "ablation": ", ablation"}
    for (study, collection), part in figures.groupby(["study", "collection"], sort=False):
        yield _TITLES.get(str(collection), f"Tables of '{collection}'") + kinds[str(study)], str(study), part


def _tables(study: str, figures: pd.DataFrame, per_set: list[Any]) -> list[Table]:
    if study == "contaminated":
        return [_contamination(figures)]
    tables = [table(figures) for table in per_set] + [_means(figures)]
    if study == "ablation":
        tables.append(_ablation(figures))
    if {DEFAULT, "KNN"} <= set(figures["detector"]):
        tables.append(_against_knn(figures))
    return tables + (_summary(figures) if study == "default" else [])


def _over_all(figures: pd.DataFrame) -> list[Table]:
    """The summary over the sets of all numeric collections, where there are several."""
    chosen = figures[(figures["study"] == "default") & (figures["collection"] != CATEGORICAL)]
    if chosen["collection"].nunique() < 2:
        return []
    return _summary(chosen.assign(set=chosen["collection"] + "/" + chosen["set"]))


def _summary(figures: pd.DataFrame) -> list[Table]:
    """Means, differences and alarms over each half of the sets and over both."""
    tables = [_halves(figures)]
    detectors = set(figures["detector"])
    if DEFAULT in detectors and detectors & set(RIVALS):
        tables.append(_differences(figures))
        tables.append(_by_size(figures))
    if figures[list(LEVELS)].notna().any(axis=None):
        tables.append(_alarms(figures))
    return tables


def _parts(figures: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The figures of each half of the sets, then all of them."""
    for half in HALVES:
        chosen = figures[figures["half"] == half]
        if len(chosen):
            yield half, chosen
    yield "together", figures


def _halves(figures: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    for half, part in _parts(figures):
        by_set = _by_set(part)
        for detector in part["detector"].unique():
            each = by_set.loc[detector]
            quality = (*_mean_and_error(each["auroc"]), *_mean_and_error(each["ap"]))
            rows.append((half, detector, str(len(each)), *quality, _number(each["rank"].mean())))
    header = ("half", "detector", "sets", "AUROC", "±", "AP", "±", "rank")
    note = "'±': the standard error over the sets. Ranks as above."
    return Table("Each half of the sets (means over sets)", header, rows, note)


def _differences(figures: pd.DataFrame) -> Table:
    rows: list[tuple[str, ...]] = []
    for half, part in _parts(figures):
        by_set = _by_set(part)[["auroc", "ap"]]
        present = set(by_set.index.unique("detector"))
        for rival in RIVALS:
            if not {DEFAULT, rival} <= present:
                continue
            change = (by_set.loc[DEFAULT] - by_set.loc[rival]).dropna()
            if change.empty:
                continue
            areas = change["auroc"]
            worst = areas.idxmin()
            means = (*_mean_and_error(areas, signed=True), *_mean_and_error(change["ap"], signed=True))
            wins = (str((areas > EVEN).sum()), str((areas < -EVEN).sum()))
            rows.append(
                (half, rival, str(len(change)), *means, *wins, f"{worst} {_difference(areas[worst])}")
            )
    header = ("half", "beside", "sets", "AUROC", "±", "AP", "±", "better", "worse", "worst set")
    note = (
        f"{DEFAULT} less the other on the same sets, in points; '±': the standard error over the sets; "
        f"'better' and 'worse' count the sets with a difference of AUROC above {100 * EVEN:.1f} points."
    )
    return Table("Differences, set by set", header, rows, note)


def _by_size(figures: pd.DataFrame) -> Table:
    """The differences of small and large, narrow and wide tables."""
    by_set = _by_set(figures)
    sizes = figures.groupby("set")[list(SIZES)].first()
    rows: list[tuple[str, ...]] = []
    for measure, title in (("train", "rows to train on"), ("d", "columns")):
        edges = (0, *SIZES[measure], np.inf)
        for low, high in pairwise(edges):
            inside = sizes.index[(sizes[measure] > low) & (sizes[measure] <= high)]
            if inside.empty:
                continue
            cells: list[str] = []
            for rival in RIVALS:
                if rival not in by_set.index.unique("detector"):
                    cells += ["–"] * 4
                    continue
                change = (by_set.loc[DEFAULT] - by_set.loc[rival]).reindex(inside)[["auroc", "ap"]].dropna()
                cells += [*_mean_and_error(change["auroc"], True), *_mean_and_error(change["ap"], True)]
            span = f"{low + 1:,} to {high:,}" if np.isfinite(high) else f"above {low:,}"
            rows.append((title, span, str(len(inside)), *cells))
    names = [f"{figure} less {rival}" for rival in RIVALS for figure in ("AUROC", "AP")]
    header = ("size", "", "sets", *(cell for name in names for cell in (name, "±")))
    note = f"{DEFAULT} less the other on the same sets, in points; '±': the standard error over the sets."
    return Table("By the size of the table", header, rows, note)


def _alarms(figures: pd.DataFrame) -> Table:
    ours = figures[(figures["detector"] == DEFAULT) & figures["normals"].notna()]
    rows: list[tuple[str, ...]] = []
    for half, part in _parts(ours):
        small = part["train"] < SMALL
        for size, chosen in ((f"under {SMALL:,}", part[small]), (f"{SMALL:,} or more", part[~small])):
            if chosen.empty:
                continue
            for name, level in LEVELS.items():
                shares = chosen.groupby("set")[name].mean()
                low, high = _alarm_interval(chosen, level)
                alarms = (chosen[name] * chosen["normals"]).round()
                outside = (str((alarms > high).sum()), str((alarms < low).sum()))
                counts = (str(len(shares)), f"{level:.1%}", f"{shares.mean():.2%}", f"{shares.max():.2%}")
                rows.append((half, size, *counts, str(len(chosen)), *outside))
    header = ("half", "rows to train on", "sets", "level", "alarms", "worst set", "runs", "above", "below")
    note = (
        "'alarms': the share of normal test rows whose p-value is at most the level, the mean over the sets. "
        f"'above' and 'below': in how many runs (a set with one seed) the number of alarms is outside the "
        f"{INTERVAL:.0%} interval that it has where calibrating and new rows are alike: beta-binomial, as "
        "the threshold comes from finitely many rows too (Vovk, 2012)."
    )
    return Table("Alarms by p-value", header, rows, note)


def _alarm_interval(runs: pd.DataFrame, level: float) -> tuple[Any, Any]:
    """The fewest and the most alarms of each run that chance explains."""
    calibrating = runs["train"].where(runs["train"] < SMALL, CALIBRATING * runs["train"]) + 1
    low, high = betabinom.interval(
        INTERVAL, runs["normals"].to_numpy(float), level * calibrating, (1 - level) * calibrating
    )
    return low, high


def _origin(figures: pd.DataFrame) -> str:
    dates = sorted(figures["date"].astype(str).unique())
    lines = [f"Measured {dates[0]}" + (f" to {dates[-1]}" if len(dates) > 1 else "") + " on:"]
    lines += [f"- {machine}" for machine in figures["machine"].unique()]
    if (figures["jobs"] > 1).any():
        lines.append("\nSeveral sets ran at a time: the times cannot be compared with others.")
    return "\n".join([lines[0], "", *lines[1:]])


def _by_set(figures: pd.DataFrame) -> pd.DataFrame:
    """One row for each detector and set, both in the order in which they ran."""
    ranked = figures.assign(rank=_ranks(figures))
    return ranked.groupby(["detector", "set"], sort=False).agg(
        n=("n", "first"),
        d=("d", "first"),
        seeds=("seed", "nunique"),
        auroc=("auroc", "mean"),
        ap=("ap", "mean"),
        rank=("rank", "mean"),
        fit_s=("fit_s", "median"),
        rows_per_s=("rows_per_s", "median"),
        alarms=("alarms", "mean"),
        most_alarms=("alarms", "max"),
    )


def _ranks(figures: pd.DataFrame) -> pd.Series[float]:
    ours = figures["detector"].isin([*PARTS, *ABLATIONS]) | figures["detector"].str.startswith(DEFAULT)
    # A rank among no peers would say nothing.
    if ours.all():
        return pd.Series(np.nan, index=figures.index)
    variant = ours & (figures["detector"] != DEFAULT)
    ranks = _rank(figures[~variant]).reindex(figures.index)
    peers = ~ours
    for name in figures.loc[variant, "detector"].unique():
        chosen = figures["detector"] == name
        ranks[chosen] = _rank(figures[peers | chosen])[chosen[peers | chosen]]
    return ranks


def _rank(figures: pd.DataFrame) -> pd.Series[float]:
    # Rounded, as equal areas may differ in the last bit.
    areas = figures["auroc"].round(9)
    return areas.groupby([figures["set"], figures["seed"]]).rank(ascending=False, method="average")


def _per_set(figures: pd.DataFrame) -> Table:
    by_set = _by_set(figures)
    rows: list[tuple[str, ...]] = []
    for name in sorted(figures["set"].unique()):
        for detector, row in by_set.xs(name, level="set").iterrows():
            counts = (f"{row['n']:.0f}", f"{row['d']:.0f}", str(detector), f"{row['seeds']:.0f}")
            rows.append(
                (name, *counts, *_quality(row), _number(row["rank"]), *_times(row), _share(row["alarms"]))
            )
    header = ("set", "n", "d", "detector", "seeds", "AUROC", "AP", "rank", "fit s", "rows/s", "alarms")
    return Table("Each set (means over seeds; times: medians)", header, rows)


def _wide(figures: pd.DataFrame) -> Table:
    by_set = _by_set(figures)
    detectors = list(figures["detector"].unique())
    rows: list[tuple[str, ...]] = []
    for name in sorted(figures["set"].unique()):
        found = by_set.xs(name, level="set")
        cells = [
            " / ".join(f"{100 * found.loc[each, figure]:.1f}" for figure in ("auroc", "ap"))
            if each in found.index
            else "–"
            for each in detectors
        ]
        rows.append((name, f"{found['n'].iloc[0]:.0f}", f"{found['d'].iloc[0]:.0f}", *cells))
    return Table(
        "Each set: AUROC / average precision, in percent", ("set", "rows", "columns", *detectors), rows
    )


def _means(figures: pd.DataFrame) -> Table:
    by_set = _by_set(figures)
    everywhere = _ran_everywhere(figures)
    own = by_set[by_set.index.get_level_values("detector") == DEFAULT].droplevel("detector")
    rows: list[tuple[str, ...]] = []
    for detector in figures["detector"].unique():
        found = by_set.loc[detector]
        middle = found.mean()
        middle[["fit_s", "rows_per_s"]] = found[["fit_s", "rows_per_s"]].median()
        common = found["rank"].reindex(everywhere).mean()
        alarms = (_share(middle["alarms"]), _share(found["alarms"].max()), _share(found["most_alarms"].max()))
        ranks = (_number(middle["rank"]), _number(common))
        same = own.reindex(found.index)
        here = (_percent(same["auroc"].mean()), _percent(same["ap"].mean()))
        rows.append((detector, str(len(found)), *_quality(middle), *ranks, *_times(middle), *alarms, *here))
    header = (
        *("detector", "sets", "AUROC", "AP", "rank", "rank (all)", "fit s", "rows/s"),
        *("alarms", "worst set", "worst run", "here", "here AP"),
    )
    rates = ", ".join(f"{rate:.0%}" for rate in figures["alert_rate"].unique())
    note = (
        f"{RANKS} All ran on {len(everywhere)} of {figures['set'].nunique()} sets. 'alarms': the share of "
        f"normal test rows flagged at an alert rate of {rates}, the mean over sets, the largest set and "
        f"the largest single run. 'here': {DEFAULT} on the sets of that row."
    )
    return Table("Means over sets (times: medians)", header, rows, note)


def _ran_everywhere(figures: pd.DataFrame) -> list[str]:
    ran = figures.drop_duplicates(["set", "detector", "seed"])["set"].value_counts(sort=False)
    complete = figures.groupby("set")["seed"].nunique() * figures["detector"].nunique()
    return [str(name) for name in complete.index if ran[name] == complete[name]]


def _against_knn(figures: pd.DataFrame) -> Table:
    areas = _by_set(figures)["auroc"]
    ours, knn = areas.loc[DEFAULT].align(areas.loc["KNN"], join="inner")
    order = (ours - knn).sort_values().index[:WORST]
    rows: list[tuple[str, ...]] = [
        (str(name), f"{100 * ours[name]:.2f}", f"{100 * knn[name]:.2f}", _difference(ours[name] - knn[name]))
        for name in order
    ]
    header = ("set", DEFAULT, "KNN", "difference")
    return Table("Worst sets against KNN (AUROC, means over seeds)", header, rows)


def _ablation(figures: pd.DataFrame) -> Table:
    names = [DEFAULT, *PARTS, *ABLATIONS]
    by_set = _by_set(figures[figures["detector"].isin(names)])
    default = by_set.loc[DEFAULT]
    rows: list[tuple[str, ...]] = []
    for name in by_set.index.unique("detector").drop(DEFAULT):
        pair = by_set.loc[name].join(default, rsuffix="_default", how="inner")
        change = pair["auroc"] - pair["auroc_default"]
        worst, best = change.idxmin(), change.idxmax()
        rows.append(
            (
                *(name, str(len(pair)), _difference(change.mean())),
                _difference((pair["ap"] - pair["ap_default"]).mean()),
                *(str((change > EVEN).sum()), str((change < -EVEN).sum())),
                *(f"{best} {_difference(change[best])}", f"{worst} {_difference(change[worst])}"),
                _number((pair["fit_s"] / pair["fit_s_default"]).median()),
            )
        )
    header = ("setting", "sets", "AUROC", "AP", "better", "worse", "most gained", "most lost", "fit time")
    note = (
        "Differences to the default on the same sets, in points; 'better' and 'worse' count the sets "
        f"with a difference of AUROC above {100 * EVEN:.1f} points; 'fit time' is the median ratio."
    )
    return Table("What each setting brings", header, rows, note)


def _contamination(figures: pd.DataFrame) -> Table:
    names = ["reached", "auroc", "ap", "clean_auroc", "clean_ap", "alarms"]
    by_set = figures.groupby(["share", "detector", "set"], sort=False)[names].mean()
    rows: list[tuple[str, ...]] = []
    for share in sorted(figures["share"].unique()):
        for detector in by_set.loc[share].index.unique("detector"):
            found = by_set.loc[share].loc[detector]
            mean = found.mean()
            loss = found["clean_auroc"] - found["auroc"]
            rows.append(
                (
                    *(f"{share:.0%}", detector, str(len(found)), f"{mean['reached']:.1%}"),
                    *(f"{100 * mean[name]:.2f}" for name in ("clean_auroc", "auroc")),
                    *(f"{100 * loss.mean():.2f}", f"{loss.idxmax()} {100 * loss.max():.2f}"),
                    *(f"{100 * mean[name]:.2f}" for name in ("clean_ap", "ap")),
                    _share(mean["alarms"]),
                )
            )
    header = (
        *("share", "detector", "sets", "reached", "clean AUROC", "AUROC", "loss", "most lost"),
        *("clean AP", "AP", "alarms"),
    )
    note = (
        "'clean': the same detector trained on clean rows and tested on the same test rows (given the true "
        "share R, which is then 0: the default). Sets with too few anomalies for a share are left out there."
    )
    return Table("Anomalies among the training rows (means over sets)", header, rows, note)


def _mean_and_error(values: pd.Series[float], signed: bool = False) -> tuple[str, str]:
    error = values.std() / len(values) ** 0.5
    return _difference(values.mean()) if signed else _percent(values.mean()), _percent(error)


def _quality(row: pd.Series[Any]) -> tuple[str, str]:
    return _percent(row["auroc"]), _percent(row["ap"])


def _times(row: pd.Series[Any]) -> tuple[str, str]:
    return f"{row['fit_s']:.2f}", f"{row['rows_per_s']:,.0f}"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.2f}"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _share(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2%}"


def _difference(value: float) -> str:
    return f"{100 * value:+.2f}"
