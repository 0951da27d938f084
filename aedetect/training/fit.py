"""Fitting a model: what `aedetect train` and `Detector.fit` do, of tables and of time series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from aedetect.config import Config
from aedetect.config.names import no_column
from aedetect.data.named_columns import OF_CHANNELS, are_named, named_columns
from aedetect.data.series.long_table import WideInput
from aedetect.engine.callbacks import Callback
from aedetect.errors import UsageError
from aedetect.io.source import Input
from aedetect.scoring.feedback_store import Note
from aedetect.scoring.fitted import FittedModel, scaled
from aedetect.scoring.group_thresholds import by_group
from aedetect.scoring.manifest import TrainingSummary
from aedetect.training.contamination import presumed_share
from aedetect.training.feedback_rows import NotedEvents, with_notes
from aedetect.training.fit_series import fit_series
from aedetect.training.fit_table import fit_table
from aedetect.training.group_profiling import with_groups
from aedetect.training.inputs_with_rows import with_rows
from aedetect.training.joint_inputs import in_order, joint_inputs
from aedetect.training.left_out import left_out_notice
from aedetect.training.long_inputs import with_wide_inputs
from aedetect.training.planned_rows import PlanRequest, planned_notices
from aedetect.training.profiling import TrainingProfile, profile_inputs
from aedetect.training.redundant_columns import find_relations, redundancy_notice
from aedetect.training.request import FitRequest, Learned, TrainingRun


def fit(request: FitRequest) -> FittedModel:
    """A first pass profiles the inputs, networks learn from them, and rows they never saw calibrate.

    Raises DataError, UsageError or ModelError for what the user can repair.
    """
    begun = TrainingRun.begin(request)
    inputs = in_order(with_rows(request.inputs, begun.callback))
    run = with_wide_inputs(_with_names(_over(begun, inputs)))
    if run.config.series.series_name is not None:
        run = _with_names(run)
    noted = with_notes(run.request.inputs, run.request.notes, run.config, run.callback)
    run = replace(run, request=replace(run.request, inputs=noted.inputs, known_anomalies=noted.anomalies))
    if noted.left_out:
        run.callback.notice(left_out_notice(noted.left_out, "called anomalies by people", noted.first))
    joint = run.start.completed if run.start else partial(joint_inputs, config=run.config)
    run = _over(run, joint(run.request.inputs))
    planned = request.planned
    if run.config.series.time is not None:
        planned = replace(planned, noted=NotedEvents.of(request.notes))
    run = _over(run, planned.over(run.request.inputs, run.config))
    profile = _profiled(run)
    learn = fit_table if run.config.series.time is None else fit_series
    learned = learn(run, profile)
    left_out = presumed_share(run.config.training.contamination)
    scale, calibration = scaled(learned.scores, left_out)
    encoder = learned.encoder or profile.encoder
    return FittedModel(
        config=run.config,
        encoder=encoder,
        members=learned.members,
        calibration=calibration,
        scale=scale,
        training=_summary(run, learned, noted.left_out),
        device=run.device.type,
        normal_rows=learned.normal_rows,
        series=learned.series,
        heads=learned.heads,
        sketch=learned.sketch,
        beyond=None if learned.beyond is None else learned.beyond / float(scale),
        groups=by_group(learned.scores / float(scale), learned.groups, encoder, left_out),
    )


def learner(
    planned: PlanRequest, notes: Sequence[Note]
) -> Callable[[Sequence[Input], Config, Callback], FittedModel]:
    """Fits models in passing, of inputs with settings, with the same `planned` and `notes` each."""

    def learn(inputs: Sequence[Input], config: Config, callback: Callback) -> FittedModel:
        request = FitRequest(inputs, config, callback, planned=planned, notes=notes, passing=True)
        return fit(request)

    return learn


def _summary(run: TrainingRun, learned: Learned, noted: int) -> TrainingSummary:
    """How the model came to be; `noted`: rows left out that people called anomalies."""
    summary = run.summary(learned)
    if not noted:
        return summary
    return summary.model_copy(update={"rows_left_out": {**summary.rows_left_out, "feedback": noted}})


def _over(run: TrainingRun, inputs: Sequence[Input]) -> TrainingRun:
    return replace(run, request=replace(run.request, inputs=inputs))


def _with_names(run: TrainingRun) -> TrainingRun:
    """The run with the columns that its settings name found in the inputs. Raises UsageError for others."""
    config, inputs = run.config, run.request.inputs
    if not are_named(config):
        return run
    columns = list(dict.fromkeys(name for source in inputs for name in source.open(1024).schema.names))
    if run.start is not None:
        # An older model says what the columns are; the label alone is looked up here.
        label = config.data.label
        if label is not None and label not in columns:
            raise UsageError(no_column("--label", label, columns))
        return run
    is_long = config.series.series_name is not None and not all(
        isinstance(source, WideInput) for source in inputs
    )
    return replace(run, config=named_columns(config, columns, OF_CHANNELS if is_long else ()))


def _profiled(run: TrainingRun) -> TrainingProfile:
    inputs = run.request.inputs
    run.callback.stage("reading")
    if run.start:
        profile = run.start.profile(inputs, run.config, run.request.workers)
    else:
        profile = profile_inputs(inputs, run.config, run.request.workers)
        profile = with_groups(profile, inputs, run.config, run.request.workers)
    # A row of a long table has a cell of one channel alone: shares of missing ones would say little.
    if run.config.series.series_name is None:
        run.callback.facts(profile.facts)
    run.callback.columns(profile.schema)
    if profile.hint is not None:
        run.callback.remark(profile.hint)
    for text in (*profile.notices, *planned_notices(inputs)):
        run.callback.notice(text)
    # Of a model in passing nobody reads which columns it has twice.
    if not run.start and run.config.series.series_name is None and not run.request.passing:
        repeated = redundancy_notice(*find_relations(inputs, run.config, profile.schema))
        if repeated:
            run.callback.notice(repeated)
    return profile
