"""The Detector: what Python callers use. Everything it does is done by the rooms below it."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from aedetect.config import Config
from aedetect.data.schema import Schema
from aedetect.engine.callbacks import Callback
from aedetect.engine.places import opened_workers
from aedetect.engine.progress import shown
from aedetect.engine.python_words import PythonCallback, python_errors
from aedetect.engine.stream import run_to_table
from aedetect.engine.task import Task
from aedetect.errors import UsageError
from aedetect.io.atomic import atomic_output
from aedetect.io.files import FileInput
from aedetect.io.inputs import Data, as_given, as_inputs
from aedetect.io.locate import left_out
from aedetect.io.source import Input
from aedetect.scoring.base import PriorRows
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.fitted import FittedModel
from aedetect.scoring.manifest import TrainingSummary
from aedetect.training.calibrate import calibrated
from aedetect.training.fit import fit, learner
from aedetect.training.planned_rows import PlanRequest
from aedetect.training.relearn import relearned
from aedetect.training.request import FitRequest

if TYPE_CHECKING:
    import pandas as pd

    from aedetect.scoring.group_thresholds import GroupThreshold
    from aedetect.tasks.backtest import Backtest
    from aedetect.tasks.drift.results import Drift
    from aedetect.tasks.evaluate import Evaluation
    from aedetect.tasks.explain import Explanations
    from aedetect.tasks.explain.segments import GroupExplanations
    from aedetect.tasks.health import Health
    from aedetect.tasks.refresh.results import Refreshment
    from aedetect.tasks.suppression.muting import Muting
    from aedetect.tasks.tune.results import Tuning

_SHOWN_INPUTS = 3
# Flags of what `Muting` says, as it names them.
_OF_MUTING = {"calendar": "calendars", "time-zone": "time_zone"}


class Detector:
    """Learns what normal rows look like; scores and flags new ones.

    Data may be a pandas DataFrame, an Arrow table, anything with the Arrow PyCapsule interface (polars,
    duckdb), a numpy array [rows, columns], a path, or a list of these. Rows come back in the kind that
    was given: a DataFrame keeps its index, and paths and arrays become DataFrames. Warnings are
    `aedetect.errors.AedetectWarning`; errors derive from `aedetect.errors.AedetectError`.

    Parameters
    ----------
    config : Config, path of a TOML file, or mapping of dotted setting names, optional
        What to learn and how; `Config` lists all settings.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> random = np.random.default_rng(0)
    >>> temp = random.normal(20, 3, 300)
    >>> normal = pd.DataFrame({"temp": temp, "load": 2 * temp + random.normal(0, 1, 300)})
    >>> detector = Detector({"threshold.alert_rate": 0.05, "training.epochs": 3}).fit(normal)
    >>> new = normal.head(3).assign(load=[40.0, 41.0, 500.0])
    >>> detector.score(new)["is_anomaly"].tolist()[-1]
    True
    """

    def __init__(self, config: Config | str | os.PathLike[str] | dict[str, Any] | None = None):
        if isinstance(config, Config):
            self.config = config
        elif isinstance(config, dict):
            self.config = Config.build(overrides=config)
        else:
            self.config = Config.build(config)
        self._fitted: FittedModel | None = None

    def __repr__(self) -> str:
        if self._fitted is None:
            return "Detector(not fitted yet)"
        facts = "; ".join(f"{name} {value}" for name, value in self._facts())
        return f"Detector({facts})"

    def _repr_html_(self) -> str:
        """What a notebook shows: what was learned, from how many rows, at which threshold."""
        if self._fitted is None:
            return "<b>Detector</b>, not fitted yet"
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self._facts()
        )
        return f"<table><caption><b>Detector</b></caption>{rows}</table>"

    @property
    def fitted(self) -> FittedModel:
        """The fitted model behind this detector. Raises UsageError before `fit`."""
        if self._fitted is None:
            raise UsageError("this Detector is not fitted yet; call fit, or load a model file")
        return self._fitted

    @property
    def threshold(self) -> float:
        """Scores above this are flagged, unless another one is asked for; of time series p-values decide."""
        return self.fitted.threshold

    @property
    def group_thresholds(self) -> list[GroupThreshold]:
        """The threshold of each group that `data.group` names, the largest first; empty without groups.

        Examples
        --------
        >>> grouped = Detector({"data.group": ["service"], "training.epochs": 2}).fit("normal.csv")
        >>> sorted((one.group, one.kind) for one in grouped.group_thresholds)
        [('http', 'own'), ('smtp', 'own')]
        """
        thresholds = self.fitted.group_thresholds
        return thresholds.listed() if thresholds is not None else []

    @property
    def columns(self) -> list[str]:
        """Names of the learned columns, and of constants that are watched."""
        return self.fitted.columns

    @property
    def schema(self) -> Schema:
        """What each column was taken for, and why."""
        return self.fitted.schema

    @property
    def training(self) -> TrainingSummary:
        """From which rows it was trained, when and how."""
        return self.fitted.training

    @property
    def sha256(self) -> str | None:
        """Digest of the file the model was loaded from; None for one just fitted."""
        return self.fitted.sha256

    @python_errors()
    def fit(
        self,
        data: Data,
        *,
        callback: Callback | None = None,
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        start: Detector | None = None,
        muting: Muting | None = None,
        on: str | None = None,
    ) -> Self:
        """Learn from rows that are (nearly) all normal.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            Normal rows.
        callback : Callback, optional
            Told of stages, columns, training and notices.
        progress : bool
            Show a bar, in a notebook or a terminal.
        checkpoint : path, optional
            A file to save progress in.
        resume : bool
            Go on from `checkpoint`.
        start : Detector, optional
            Go on from the weights of an older detector, whose columns and scaling are kept.
        muting : Muting, optional
            Rows within its calendars are left out.
        on : str, optional
            Where the data are read: 'ray' or 'ray://HOST:PORT'; in this process by default.

        Raises
        ------
        DataError
            The data cannot be learned from.
        UsageError
            Settings are at odds with the data or with one another, or there is no such place to read on.

        Examples
        --------
        >>> detector = Detector({"training.epochs": 2}).fit("normal.csv")
        """
        path = Path(checkpoint) if checkpoint is not None else None
        older = start.fitted if start is not None else None
        inputs = _opened(data, self.config)
        planned, notes = _known_beforehand(muting)
        with opened_workers(on) as workers, shown(progress, callback) as progress_callback:
            told = PythonCallback(progress_callback)
            asked = FitRequest(inputs, self.config, told, path, resume, older, planned, notes)
            self._fitted = fit(replace(asked, workers=workers))
        self.config = self._fitted.config
        return self

    @python_errors()
    def calibrated(
        self,
        data: Data | None = None,
        *,
        callback: Callback | None = None,
        progress: bool = False,
        muting: Muting | None = None,
        on: str | None = None,
    ) -> Detector:
        """This detector with the threshold and p-values that normal rows give; scores stay as they are.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns], optional
            Normal rows that were not learned from; without them only the threshold follows the settings,
            as after `adjusted`.
        muting : Muting, optional
            Rows that its feedback calls normal count as well, those called anomalies do not.
        on : str, optional
            Where rows of tables are scored, as in `fit`; there on CPUs.

        Raises
        ------
        DataError, ModelError
            The data cannot be used, or lack columns.

        Examples
        --------
        >>> newer = detector.calibrated("april.csv")
        >>> newer.threshold == detector.threshold
        False
        """
        inputs = self._inputs(data) if data is not None else None
        notes = muting.notes() if muting is not None else ()
        with opened_workers(on) as workers, shown(progress, callback) as progress_callback:
            return _over(calibrated(self.fitted, inputs, PythonCallback(progress_callback), notes, workers))

    @python_errors(label="label", positive="positive", gate="gate", labelled="labelled")
    def refreshed(
        self,
        data: Data,
        gate: Data,
        *,
        labelled: Data | None = None,
        label: str | None = None,
        positive: str | None = None,
        callback: Callback | None = None,
        progress: bool = False,
    ) -> tuple[Detector, Refreshment]:
        """A detector that learned anew from recent rows, and whether it is no worse than this one.

        It has the settings and columns of this one. Rows that this one flags are not learned.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            Rows as they come today.
        gate : as `data`
            Rows that are known to be normal, and not among `data`: both are compared on them.
        labelled : as `data`, optional
            Rows with labels, which both are held against too.
        label, positive : str, optional
            The label column, and the value that marks an anomaly; as in training where not given.
        callback : Callback, optional
            Told of stages and notices.
        progress : bool
            Show a bar, in a notebook or a terminal.

        Returns
        -------
        Detector, Refreshment
            The new detector, and the comparison: `no_worse`, `reason`, `checks`, `gate`, `as_dict()`.

        Raises
        ------
        DataError, ModelError, UsageError
            The data or the labels cannot be used, or too few rows are left.

        Examples
        --------
        >>> newer, comparison = detector.refreshed("normal.csv", gate="april.csv")
        >>> comparison.no_worse
        True
        """
        from aedetect.tasks.refresh.refresh import RefreshRequest, refreshed

        held = self._inputs(labelled) if labelled is not None else ()
        request = RefreshRequest(self._inputs(data), self._inputs(gate), held, label, positive)
        with shown(progress, callback) as progress_callback:
            comparison = refreshed(self.fitted, request, relearned, PythonCallback(progress_callback))
        for text in comparison.warnings:
            _warning().notice(text)
        return _over(comparison.new), comparison

    def adjusted(self, settings: Config | dict[str, Any]) -> Detector:
        """This detector with those scoring, threshold, event and label settings that are set.

        Examples
        --------
        >>> stricter = detector.adjusted({"threshold.alert_rate": 0.001})
        >>> stricter.threshold > detector.threshold
        True
        """
        asked = settings if isinstance(settings, Config) else Config.build(overrides=settings)
        return _over(self.fitted.adjusted(asked))

    @python_errors(**_OF_MUTING)
    def score(
        self,
        data: Data,
        *,
        threshold: float | None = None,
        alert_rate: float | None = None,
        prefix: str = "",
        history: Data | None = None,
        muting: Muting | None = None,
        progress: bool = False,
    ) -> Any:
        """Score rows and flag what does not belong.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows; columns are matched by name.
        threshold, alert_rate : float, optional
            Flag what scores above this, or this share of normal rows; as configured where neither is given.
            Of time series, rows are flagged by their p-values unless a threshold is given.
        prefix : str
            Put before the names of the added columns.
        history : as `data`, optional
            Of time series: rows that went before, which are not scored again.
        muting : Muting, optional
            What says that rows above the threshold are fine: they are not flagged, and their status is
            'muted'.

        Returns
        -------
        DataFrame or Arrow table, [rows, columns + 5 to 7]
            The rows with `anomaly_score` (float), `anomaly_p_value` (float in (0, 1]), `is_anomaly` (bool),
            `anomaly_features` (JSON), `anomaly_status`, of time series `anomaly_event`, and with `muting`
            `anomaly_muted_by`; null where a row cannot be scored.

        Raises
        ------
        DataError, ModelError
            The data cannot be read, or lack columns.

        Examples
        --------
        >>> scored = detector.score("new.csv", alert_rate=0.001)
        >>> int(scored["is_anomaly"].sum())
        1
        """
        from aedetect.tasks.score import ScoreTask, Shape

        before = self._inputs(history) if history is not None else ()
        inputs = self._inputs(data)
        fitted = self.fitted.with_threshold(threshold, alert_rate)
        suppression = muting.request().build(fitted) if muting is not None else None
        task = ScoreTask(fitted, inputs, Shape(prefix=prefix), PriorRows(before), suppression=suppression)
        return self._table(task, data, inputs, progress)

    @python_errors(row="rows", id="ids", label="label", entity="entity", **_OF_MUTING)
    def explain(
        self,
        data: Data,
        *,
        rows: Sequence[int] = (),
        ids: Sequence[str] = (),
        event: int | None = None,
        entity: Sequence[str] = (),
        top: int = 5,
        muting: Muting | None = None,
    ) -> Explanations:
        """Say why rows, or events of time series, scored as they did: which columns, what was expected.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or path, [rows, columns]
            The rows.
        rows : sequence of int
            Numbers of rows, from 1.
        ids : sequence of str
            Values of the id columns.
        event : int, optional
            Of time series: the number of an event.
        entity : sequence of str
            Of time series: look at these series alone.
        top : int
            How many of the strangest flagged rows or events, where none is named.
        muting : Muting, optional
            What says that rows above the threshold are fine; the explanation of such a row says so.

        Returns
        -------
        Explanations
            `explained`: one entry for each, with its sentence and columns; `as_dict()` as `explain --json`.

        Raises
        ------
        DataError, ModelError, UsageError
            The data cannot be used; rows, ids or events are not there.

        Examples
        --------
        >>> [one.row for one in detector.explain("new.csv", top=1).explained]
        [3]
        """
        from aedetect.tasks.explain import ExplainRequest, explain

        suppression = muting.request().build(self.fitted) if muting is not None else None
        request = ExplainRequest(tuple(rows), tuple(ids), event, tuple(entity), top, suppression)
        return explain(self.fitted, self._inputs(data), request, _warning())

    @python_errors(**_OF_MUTING)
    def explain_groups(self, data: Data, *, muting: Muting | None = None) -> GroupExplanations:
        """Say what many flagged rows have in common: values and ranges in which they are far more frequent.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows, with all columns that may tell: also those that are not learned, such as ids.
        muting : Muting, optional
            Feedback, calendars and rules that say which rows above the threshold are fine: these count as not
            flagged.

        Returns
        -------
        GroupExplanations
            `segments`: each with its `sentence`, its `conditions` and counts, the strongest first; of time
            series also `incidents`, events of several series that belong together; `looked_at`, and
            `as_dict()` as `explain --groups --json`.

        Raises
        ------
        DataError, ModelError
            The data cannot be used.

        Examples
        --------
        >>> groups = detector.explain_groups("march.csv")
        >>> [segment.text for segment in groups.segments]
        []
        """
        from aedetect.tasks.explain.segments import explain_groups

        suppression = muting.request().build(self.fitted) if muting is not None else None
        return explain_groups(self.fitted, self._inputs(data), _warning(), suppression)

    @python_errors(label="label", positive="positive", by="by")
    def evaluate(
        self,
        data: Data,
        *,
        label: str | None = None,
        positive: str | None = None,
        by: str | Sequence[str] | None = None,
        compare: Detector | None = None,
        alert_rates: Sequence[float] = (0.001, 0.01, 0.05),
    ) -> Evaluation:
        """Hold scores against labels: how well they rank, what the threshold catches.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            Rows with a label column.
        label, positive : str, optional
            The label column, and the value that marks an anomaly where it is not 1, true or yes; as in
            training where not given.
        by : str or sequence of str, optional
            A column whose values are judged apart, or several, whose combinations are. Where they are those
            of `data.group`, `thresholds` says which groups have a calibration of their own.
        compare : Detector, optional
            A second detector, judged on the same rows.
        alert_rates : sequence of float
            Rates to show verdicts at.

        Returns
        -------
        Evaluation
            `judged.auroc`, `judged.average_precision`, `judged.confusion` and more, each with its interval.

        Raises
        ------
        DataError, ModelError, UsageError
            The data or the labels cannot be used; the label column was learned.

        Examples
        --------
        >>> evaluation = detector.evaluate("march.csv", label="is_fraud")
        >>> evaluation.judged.auroc.value
        1.0
        """
        from aedetect.tasks.evaluate import EvaluateRequest, evaluate

        other = compare.fitted if compare is not None else None
        columns = [by] if isinstance(by, str) else by or []
        request = EvaluateRequest(label, positive, tuple(columns), other, tuple(alert_rates))
        return evaluate(self.fitted, self._inputs(data), request, _warning())

    @python_errors(**{"time-format": "time_format", "time-zone": "time_zone"})
    def backtest(
        self,
        data: Data,
        *,
        rates: Sequence[float] = (0.001, 0.01),
        budget: str | None = None,
        time_of: str | None = None,
        time_format: str | None = None,
        time_zone: str | None = None,
    ) -> Backtest:
        """Tell what would have fired on past rows at several alert rates, by day and by dump.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            Past rows, best those that were not learned from; they are scored once.
        rates : sequence of float
            The alert rates; verdicts are those of `score` with `alert_rate`.
        budget : str, optional
            As '5/day' (or hour, week, dump): find the loosest rate that keeps it on average. Counted are
            events of time series, and flagged rows of tables.
        time_of, time_format, time_zone : str, optional
            Of tables: the column that tells on which day a row is, how it is written, in which zone.

        Returns
        -------
        Backtest
            `whole`, `days` and `dumps` with what `fired` by rate, `paces` and `budget`; `as_dict()` as
            `backtest --json`.

        Raises
        ------
        DataError, ModelError, UsageError
            The data cannot be used; the budget or the time column cannot be read.

        Examples
        --------
        >>> result = detector.backtest("new.csv", rates=[0.001, 0.01], budget="5/dump")
        >>> result.budget.chosen.rate >= 0.001
        True
        """
        from aedetect.tasks.backtest import BacktestRequest, Budget, backtest
        from aedetect.tasks.backtest.row_times import TimeColumn

        time = None if time_of is None else TimeColumn(time_of, time_format, time_zone)
        request = BacktestRequest(tuple(rates), None if budget is None else Budget.parse(budget), time)
        return backtest(self.fitted, self._inputs(data), request, _warning())

    @python_errors()
    def drift(self, data: Data) -> Drift:
        """Tell whether data still look like those learned from.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows; what counts as drift is said by the settings `drift.*`.

        Returns
        -------
        Drift
            `verdict` ('steady', 'drifted' or 'too few rows'), `text`, and `columns` with their figures.

        Raises
        ------
        DataError, ModelError
            The data cannot be used; the model file is too old to hold what to compare with.

        Examples
        --------
        >>> detector.drift("april.csv").verdict
        'steady'
        """
        from aedetect.tasks.drift.measure import measure

        return measure(self.fitted, self._inputs(data), _warning())

    @python_errors(**{"expect-entity": "entity", "entity": "entity"})
    def health(self, data: Data, *, history: Data, entity: str | None = None) -> Health:
        """Tell whether files are as those before them: size, empty columns, flagged rows, when they come.

        Of time series, silences as well, where the setting `series.silence` says how long one is.

        Parameters
        ----------
        data : path or list of paths, [files]
            The files to be judged.
        history : path or list of paths, [files]
            The files before them, at least 7; those that are among `data` too do not count twice.
        entity : str, optional
            Of tables: a column of names, machines say, that may stop.

        Returns
        -------
        Health
            `findings`, each with `kind`, `value`, `low`, `high` and `text`; `unjudged`: sentences on what
            nothing can be said of.

        Raises
        ------
        DataError, ModelError, UsageError
            The data cannot be used, or are no files.

        Examples
        --------
        >>> for finding in detector.health("dumps/2026-03-09.csv", history="dumps").findings:
        ...     print(finding.text)
        dumps/2026-03-09.csv: 12 rows; the 8 files before it had 100 (limits 60 to 166)
        """
        from aedetect.tasks.health import of_files

        return of_files(self.fitted, self._inputs(data), self._inputs(history), entity, _warning())

    @python_errors(label="label", positive="positive", top="top", map="map", title="title")
    def report(
        self,
        data: Data,
        path: str | os.PathLike[str] | None = None,
        *,
        label: str | None = None,
        positive: str | None = None,
        top: int = 50,
        map: Literal["pca", "tsne", "umap"] = "pca",
        title: str | None = None,
        muting: Muting | None = None,
    ) -> str:
        """A page that shows what was found: verdict, strangest rows and why, charts, model card.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows.
        path : path, optional
            Where to write it; a name that ends in .md gets Markdown, all others one HTML page.
        label, positive : str, optional
            Hold the scores against this label column as well.
        top : int
            How many of the strangest rows to explain.
        map : 'pca', 'tsne' or 'umap'
            How to draw the map of rows.
        title : str, optional
            The heading; the names of the inputs where not given.
        muting : Muting, optional
            What says that rows above the threshold are fine; they are counted apart.

        Returns
        -------
        str
            The text of the page. It holds values of the rows it shows: share it as you would the data.

        Raises
        ------
        DataError, ModelError, UsageError, OutputError
            The data cannot be used, or the page cannot be written.

        Examples
        --------
        >>> page = detector.report("march.csv", "march.html")
        >>> page.startswith("<!doctype html>")
        True
        """
        from aedetect.tasks.report import ReportRequest, report

        suppression = muting.request().build(self.fitted) if muting is not None else None
        request = ReportRequest(label, positive, top, map, suppression)
        document = report(self.fitted, self._inputs(data), request, title, _warning())
        text = (
            document.markdown() if path is not None and os.fspath(path).endswith(".md") else document.html()
        )
        if path is not None:
            with atomic_output(path) as stream:
                stream.write(text.encode("utf-8", "replace"))
        return text

    @python_errors(notify="to", state="state", remind="remind")
    def notify(
        self,
        data: Data,
        to: str | Sequence[str],
        *,
        state: str | os.PathLike[str] | None = None,
        remind: str | float = "24h",
        name: str = "aedetect",
    ) -> list[dict[str, Any]]:
        """Send messages on what is flagged: one for each event of time series, or one on all rows of a table.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows.
        to : str or sequence of str
            Where messages go: URLs of the package apprise, such as `json://host/path`, or `env:NAME` or
            `file:PATH`, which hold them.
        state : path, optional
            A file that remembers what was sent, so that an event is told of once while it lasts, and when
            it is over; without it all is forgotten.
        remind : str or float
            The time, or the seconds, after which an event that lasts is told of again.
        name : str
            What titles begin with; it also tells apart what uses one file.

        Returns
        -------
        list of dict
            An entry for each message: `target`, `about`, `event`, `entity`, `run`, `kind` and `delivered`.
            One that could not be delivered is warned of.

        Raises
        ------
        DataError, ModelError, OutputError, UsageError
            The data or the file cannot be used; an address is none.

        Examples
        --------
        >>> detector.notify("march.csv", "json://localhost:9/alerts")[0]["delivered"]
        False
        """
        from aedetect.config.typed import parse_duration
        from aedetect.tasks.notify.notify import notify
        from aedetect.tasks.notify.request import NotifyRequest
        from aedetect.tasks.notify.targets import targets_of

        targets = targets_of([to] if isinstance(to, str) else list(to), {**os.environ})
        if not targets:
            raise UsageError("--notify: say where messages go")
        try:
            seconds = float(str(parse_duration(remind)))
        except ValueError as error:
            raise UsageError(f"--remind = {remind!r}: {error}") from None
        request = NotifyRequest(targets, seconds)
        path = None if state is None else os.fspath(state)
        outcome = notify(self.fitted, self._inputs(data), request, name, path, _warning())
        for text in outcome.warnings:
            _warning().notice(text)
        return outcome.entries

    @python_errors(row="rows", where="where", event="event", entity="entity")
    def note(
        self,
        scored: str | os.PathLike[str],
        store: str | os.PathLike[str],
        verdict: Literal["normal", "anomaly"] = "normal",
        *,
        rows: Sequence[int] = (),
        where: dict[str, str] | None = None,
        event: int | None = None,
        entity: Sequence[str] = (),
        note: str = "",
    ) -> list[int]:
        """Note what somebody says of rows, or of an event, of a scored file.

        `Muting(feedback=store)` goes by it: rows like those called normal are muted.

        Parameters
        ----------
        scored : path
            A file that was scored, with the columns that scoring adds.
        store : path
            The file of notes; made where there is none.
        verdict : 'normal' or 'anomaly'
            What the rows are.
        rows : sequence of int
            Numbers of rows, from 1.
        where : mapping, optional
            Columns and what they hold: the flagged rows that hold all of it; all rows, if they are anomalies.
        event : int, optional
            Of time series: the number of an event.
        entity : sequence of str
            Of `event`: the series that it is of.
        note : str
            Why, in a few words.

        Returns
        -------
        list of int
            The numbers of the notes that are new.

        Raises
        ------
        DataError, UsageError, ModelError, OutputError
            There are no such rows, they were not scored by this model, or the store cannot be used.

        Examples
        --------
        >>> from aedetect import Muting
        >>> detector.score("new.csv").to_csv("scored.csv", index=False)
        >>> detector.note("scored.csv", "notes.json", rows=[3], note="new oven")
        [1]
        >>> detector.score("new.csv", muting=Muting(feedback="notes.json"))["anomaly_status"].tolist()[2]
        'muted'
        """
        from aedetect.tasks.suppression.noting import entered, notes_of
        from aedetect.tasks.suppression.scored_file import NoteRequest, ScoredFile

        request = NoteRequest(verdict, rows, list((where or {}).items()), event, entity, note)
        (source,) = self._inputs(os.fspath(scored))
        assert isinstance(source, FileInput)
        further, _ = notes_of(ScoredFile.of(source), request, self.fitted)
        added, _ = entered(Path(store), further)
        return [one.id for one in added]

    @python_errors()
    def encode(self, data: Data, *, progress: bool = False) -> Any:
        """Compress rows to a few numbers each.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows.

        Returns
        -------
        DataFrame or Arrow table, [rows, id columns + codes]
            The id columns and each row's code, z0, z1, … (float32); null where a row cannot be read.

        Raises
        ------
        DataError, ModelError
            The data cannot be read, lack columns, or the model has no codes.

        Examples
        --------
        >>> list(detector.encode("march.csv").columns)
        ['z0', 'z1']
        """
        from aedetect.tasks.encode import Encode

        return self._table(Encode(self.fitted), data, self._inputs(data), progress)

    @python_errors()
    def decode(self, codes: Data, *, progress: bool = False) -> Any:
        """Rebuild rows from what `encode` gave.

        Parameters
        ----------
        codes : DataFrame, Arrow table or paths, [rows, codes + others]
            Codes z0, z1, … of this model; other columns are kept.

        Returns
        -------
        DataFrame or Arrow table, [rows, others + learned columns]
            Rows in the model's columns and units.

        Raises
        ------
        DataError, ModelError
            The codes are not this model's.

        Examples
        --------
        >>> rows = detector.decode(detector.encode("march.csv"))
        >>> list(rows.columns)
        ['temp', 'load', 'service']
        """
        from aedetect.tasks.encode import Decode

        return self._table(Decode(self.fitted), codes, self._inputs(codes), progress)

    @python_errors()
    def clean(
        self,
        data: Data,
        *,
        noise: float = 0.0,
        only_anomalous_cells: bool = False,
        progress: bool = False,
    ) -> Any:
        """Put values right that no row can have, and where asked remove noise from numbers.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows.
        noise : float in [0, 1]
            How strong the noise is that is to be removed, in standard deviations of its column; 0: none.
        only_anomalous_cells : bool
            Replace just the cells that flagged rows are blamed on.

        Returns
        -------
        DataFrame or Arrow table, [rows, columns]
            The rows, repaired; missing cells stay missing.

        Raises
        ------
        DataError, ModelError, UsageError
            The data cannot be read or lack columns; the noise is out of range.

        Examples
        --------
        >>> cleaned = detector.clean("march.csv", noise=0.2)
        """
        from aedetect.tasks.clean import Clean, CleanOptions

        task = Clean(self.fitted, CleanOptions(noise, only_anomalous_cells))
        return self._table(task, data, self._inputs(data), progress)

    @python_errors()
    def impute(
        self,
        data: Data,
        *,
        mark: bool = False,
        draws: int | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> Any:
        """Fill missing cells with what the other cells of their row let expect.

        Parameters
        ----------
        data : DataFrame, Arrow table, array or paths, [rows, columns]
            The rows; observed cells stay as they are.
        mark : bool
            Add the column `imputed`, which names each row's filled cells.
        draws : int, optional
            Give so many plausible fills of each row, numbered in the column `draw`.
        seed : int
            Same seed, same draws.

        Returns
        -------
        DataFrame or Arrow table, [rows, columns], or [rows · draws, columns + 1]
            The rows, filled.

        Raises
        ------
        DataError, ModelError, UsageError
            The data cannot be read or lack columns; `draws` is out of range.

        Examples
        --------
        >>> filled = detector.impute("march.csv", mark=True)
        >>> int(filled["temp"].isna().sum())
        0
        """
        from aedetect.tasks.impute import Impute

        return self._table(Impute(self.fitted, mark, draws, seed), data, self._inputs(data), progress)

    @python_errors()
    def sample(self, count: int, *, seed: int = 0, where: dict[str, str] | None = None) -> pd.DataFrame:
        """New rows like those learned from, none of them a copy.

        Parameters
        ----------
        count : int
            How many.
        seed : int
            Same seed, same rows.
        where : mapping, optional
            Categories that the rows are to have, by column.

        Returns
        -------
        DataFrame, [count, learned columns]

        Raises
        ------
        UsageError
            The count or seed is out of range, or a category is not known.

        Examples
        --------
        >>> new = detector.sample(1000, where={"service": "http"})
        >>> len(new)
        1000
        """
        import pyarrow as pa

        from aedetect.tasks.sample import sample_batches, sample_schema

        batches = list(sample_batches(self.fitted, count, seed, where))
        return pa.Table.from_batches(batches, sample_schema(self.fitted)).to_pandas()  # type: ignore[no-any-return]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file. Raises OutputError where that fails.

        Examples
        --------
        >>> detector.save("model.aed")
        """
        self.fitted.save(path)

    def export(self, path: str | os.PathLike[str], *, verify: Data | None = None) -> dict[str, str]:
        """Write the model as an ONNX file, which runs without aedetect; see `aedetect export`.

        Parameters
        ----------
        path : path
            The file to write.
        verify : data, optional
            Rows [rows, columns] on which ONNX Runtime is run beside this detector; if a verdict differs, ties
            at the threshold apart, or the score of a window, no file is written.

        Returns
        -------
        dict
            What the file says of itself, by key.

        Raises
        ------
        UsageError
            Where the packages of 'aedetect[onnx]' are not installed.
        ModelError
            For a model that cannot be exported, or whose graph gives other verdicts or scores of windows.
        DataError
            For rows that cannot be read.
        OutputError
            Where the file cannot be written.

        Examples
        --------
        >>> said = detector.export("model.onnx", verify="new.csv")
        >>> said["aedetect.opset"]
        '21'
        """
        from aedetect.tasks.export.export import export

        exported = export(self.fitted, self._inputs(verify) if verify is not None else ())
        exported.save(path)
        return exported.metadata

    def _inputs(self, data: Data) -> Sequence[Input]:
        return [
            self.fitted.placed([source])[0] if isinstance(source, FileInput) else source
            for source in _opened(data, self.config)
        ]

    def _table(self, task: Task, data: Data, inputs: Sequence[Input], progress: bool) -> Any:
        with shown(progress, None) as progress_callback:
            table, _ = run_to_table(task, inputs, PythonCallback(progress_callback))
        return as_given(table, data)

    def _facts(self) -> list[tuple[str, str]]:
        fitted = self.fitted
        training = fitted.training
        names = ", ".join(training.inputs[:_SHOWN_INPUTS]) + (" …" * (len(training.inputs) > _SHOWN_INPUTS))
        return [
            ("learned", f"{training.rows:,} normal rows of {names}"),
            ("columns", f"{len(fitted.columns):,}"),
            ("flags", f"{fitted.flagged_in_words}, {fitted.threshold_policy.promise}"),
        ]


def load(path: str | os.PathLike[str], *, device: str = "auto", sha256: str | None = None) -> Detector:
    """The Detector in the model file at `path`; runs no code from it.

    Raises ModelError for a file that is missing, damaged, too new, no model file, or one whose
    digest is not `sha256`.

    Examples
    --------
    >>> detector = load("model.aed")
    """
    return _over(FittedModel.load(path, device=device, sha256=sha256))


@python_errors(label="label", positive="positive", trials="trials", unsupervised="unsupervised")
def tune(
    data: Data,
    config: Config | str | os.PathLike[str] | dict[str, Any] | None = None,
    *,
    label: str | None = None,
    unsupervised: bool = False,
    trials: int = 20,
    max_time: str | float | None = None,
    callback: Callback | None = None,
    progress: bool = False,
    muting: Muting | None = None,
) -> Tuning:
    """Search settings that find more anomalies than the default ones, and say what they gain.

    Parameters
    ----------
    data : DataFrame, Arrow table, array or paths, [rows, columns]
        Rows, with labels or nearly all normal.
    config : Config, path of a TOML file, or mapping of dotted setting names, optional
        Settings that are given, and not searched.
    label : str, optional
        The column that marks anomalies, by which settings are judged; that of `config` where not given.
    unsupervised : bool
        Judge settings by how well anomalies made up of held-out rows are told from these, without labels.
    trials : int
        How many settings to try, at least 2; the first are the default ones.
    max_time : str or float, optional
        Stop after this time, as in '10m', or after so many seconds.
    callback : Callback, optional
        Told of stages, trials and notices.
    progress : bool
        Show a bar, in a notebook or a terminal.
    muting : Muting, optional
        Rows within its calendars, and those that its feedback calls anomalies, are left out; those that it
        calls normal are learned from and do not judge.

    Returns
    -------
    Tuning
        `config`, the settings to train with, which are the default ones unless others gain more than noise
        explains; `gain`, `verdict`, `keep_default`, `trials`, `as_dict()`, and `save(path)` for a TOML file.

    Raises
    ------
    DataError, UsageError
        The data or the labels cannot be used, or there are too few; optuna is not installed.

    Examples
    --------
    >>> quick = {"training.epochs": 1, "model.architecture": "principal", "model.width": 16}
    >>> tuning = tune("labelled.csv", quick, label="odd", trials=2)
    >>> tuning.trials[0].in_words
    'the default'
    >>> detector = Detector(tuning.config)
    """
    from aedetect.config.typed import parse_duration
    from aedetect.tasks.tune.search import Search, TuneRequest
    from aedetect.training.known_rows import known_rows

    settings = Detector(config).config
    if label is not None:
        settings = settings.model_copy(update={"data": settings.data.model_copy(update={"label": label})})
    try:
        seconds = None if max_time is None else float(str(parse_duration(max_time)))
    except ValueError as error:
        raise UsageError(f"--max-time = {max_time!r}: {error}") from None
    planned, notes = _known_beforehand(muting)
    with shown(progress, callback) as progress_callback:
        told = PythonCallback(progress_callback)
        known = partial(known_rows, planned=planned, notes=notes)
        request = TuneRequest(_opened(data, settings), settings, unsupervised, trials, seconds, known)
        return Search(request, learner(planned, notes), told).run()


def _opened(data: Data, config: Config) -> Sequence[Input]:
    """The inputs that `data` means; of files that a folder holds beside it is warned."""
    inputs = as_inputs(data, config.data)
    words = list(data) if isinstance(data, (list, tuple)) else [data]
    for text in left_out([os.fspath(word) for word in words if isinstance(word, (str, os.PathLike))]):
        _warning().notice(text)
    return inputs


def _known_beforehand(muting: Muting | None) -> tuple[PlanRequest, Sequence[Note]]:
    """What is known of rows to learn from: when they were planned, and what people said of them."""
    if muting is None:
        return PlanRequest(), ()
    return PlanRequest(muting.paths, muting.time_of, time_zone=muting.time_zone), muting.notes()


def _over(fitted: FittedModel) -> Detector:
    detector = Detector(fitted.config)
    detector._fitted = fitted
    return detector


def _warning() -> Callback:
    return PythonCallback(Callback())
