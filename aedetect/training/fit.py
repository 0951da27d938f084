"""Fitting a model: what `aedetect train` and `Detector.fit` do, of tables and of time series."""

from __future__ import annotations

from aedetect.scoring.fitted import FittedModel, scaled
from aedetect.training.contamination import presumed_share
from aedetect.training.fit_series import fit_series
from aedetect.training.fit_table import fit_table
from aedetect.training.long_inputs import with_wide_inputs
from aedetect.training.profiling import TrainingProfile, profile_inputs
from aedetect.training.redundant_columns import find_relations, redundancy_notice
from aedetect.training.request import FitRequest, TrainingRun
from aedetect.training.watched_inputs import watched


def fit(request: FitRequest) -> FittedModel:
    """A first pass profiles the inputs, networks learn from them, and rows they never saw calibrate.

    Raises DataError, UsageError or ModelError for what the user can repair.
    """
    run = with_wide_inputs(watched(TrainingRun.begin(request)))
    profile = _profiled(run)
    learn = fit_table if run.config.series.time is None else fit_series
    learned = learn(run, profile)
    scale, calibration = scaled(learned.scores, presumed_share(run.config.training.contamination))
    return FittedModel(
        config=run.config,
        encoder=learned.encoder or profile.encoder,
        members=learned.members,
        calibration=calibration,
        scale=scale,
        training=run.summary(learned),
        device=run.device,
        normal_rows=learned.normal_rows,
        series=learned.series,
        heads=learned.heads,
        sketch=learned.sketch,
        beyond=None if learned.beyond is None else learned.beyond / float(scale),
    )


def _profiled(run: TrainingRun) -> TrainingProfile:
    inputs = run.request.inputs
    run.callback.stage("reading")
    profile = run.start.profile(inputs, run.config) if run.start else profile_inputs(inputs, run.config)
    # A row of a long table has a cell of one channel alone: shares of missing ones would say little.
    if run.config.series.series_name is None:
        run.callback.facts(profile.facts)
    run.callback.columns(profile.schema)
    for text in profile.notices:
        run.callback.notice(text)
    if not run.start and run.config.series.series_name is None:
        repeated = redundancy_notice(*find_relations(inputs, run.config, profile.schema))
        if repeated:
            run.callback.notice(repeated)
    return profile
