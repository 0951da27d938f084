"""The search by itself: what a model comes to is made up here, as a function of its settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from aedetect.config import Config
from aedetect.engine.callbacks import Callback
from aedetect.errors import DataError, UsageError
from aedetect.io.source import TableInput
from aedetect.tasks.tune import search as search_module
from aedetect.tasks.tune.bench import Bench, OutOfTime
from aedetect.tasks.tune.judge import Figures
from aedetect.tasks.tune.search import Search, TuneRequest

Figure = Callable[[Config, int], float]


class Notes(Callback):
    """What was said."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.notices: list[str] = []

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def notice(self, text: str) -> None:
        self.notices.append(text)


def table(rows: int = 400, anomalies: int = 40) -> TableInput:
    random = np.random.default_rng(0)
    odd = np.arange(rows) < anomalies
    frame = pd.DataFrame({"a": random.normal(size=rows), "odd": odd.astype(int)})
    return TableInput(pa.Table.from_pandas(frame, preserve_index=False))


def noise(config: Config, part: int) -> float:
    """As training gives it: another figure for other settings and for another seed, but always the same."""
    model, training = config.model, config.training
    text = f"{model.architecture} {model.width} {model.depth} {training.learning_rate} {training.seed} {part}"
    return float(np.random.default_rng(list(text.encode())).normal(0, 0.01))


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Figure], list[tuple[Config, int]]]:
    """Gives every model what a function says of its settings and the part; the calls are noted."""

    def set_to(figure: Figure) -> list[tuple[Config, int]]:
        calls: list[tuple[Config, int]] = []

        def figures(self: Bench, config: Config, part: int, until: float | None) -> tuple[Figures, Any]:
            calls.append((config, part))
            if until is not None and time.monotonic() > until:
                raise OutOfTime
            value = figure(config, part)
            layout = SimpleNamespace(numeric=1)
            return Figures(value, value), SimpleNamespace(series=None, encoder=SimpleNamespace(layout=layout))

        monkeypatch.setattr(Bench, "figures", figures)
        return calls

    return set_to


def run(trials: int = 12, callback: Callback | None = None, **settings: Any) -> Any:
    config = Config.build(overrides={"data.label": "odd"} | settings)
    request = TuneRequest([table()], config, trials=trials)
    return Search(request, never_learned, callback or Callback()).run()


def never_learned(*_: object) -> Any:
    raise AssertionError("nothing is learned here")


def test_settings_that_gain_are_found_and_said(judged: Any) -> None:
    judged(lambda config, part: 0.5 + 0.2 * (config.model.architecture == "memory") + noise(config, part))
    tuning = run()
    assert not tuning.keep_default
    assert tuning.config.model.architecture == "memory"
    assert tuning.config.model_dump(exclude={"model", "training"}) == Config.build(
        overrides={"data.label": "odd"}
    ).model_dump(exclude={"model", "training"})
    assert tuning.gain.value == pytest.approx(0.2, abs=0.02)
    assert tuning.verdict.startswith("use the tuned settings: a gain of +0.")
    assert (len(tuning.trials), tuning.stopped) == (12, None)
    assert 'architecture = "memory"' in tuning.text


def test_the_default_is_the_first_trial_and_all_parts_judge_it(judged: Any) -> None:
    calls = judged(noise)
    tuning = run(trials=3)
    assert (tuning.trials[0].number, dict(tuning.trials[0].settings)) == (1, {})
    assert [part for config, part in calls[:5]] == [0, 1, 2, 3, 4]
    assert {config.model.architecture for config, _ in calls[:5]} == {"auto"}


def test_the_best_of_many_lucky_trials_gains_nothing(judged: Any) -> None:
    """Whatever was luckiest on the choosing halves is trained anew, with another seed, to be compared."""
    calls = judged(noise)
    gains, promised, believed = [], [], 0
    for seed in range(20):
        tuning = run(trials=20, **{"training.seed": seed})
        if tuning.gain is None:
            continue
        assert {config.training.seed for config, _ in calls[-10:]} == {seed + 1}
        gains.append(tuning.gain.value)
        promised.append(tuning.best.value - tuning.trials[0].value)
        believed += not tuning.keep_default
        assert tuning.keep_default == (tuning.config == Config.build(overrides=settings_of(seed)))
    assert np.mean(promised) > 0.004
    assert abs(np.mean(gains)) < 0.003
    assert believed <= 2


def settings_of(seed: int) -> dict[str, Any]:
    return {"data.label": "odd", "training.seed": seed}


def test_the_same_seed_searches_the_same(judged: Any) -> None:
    judged(noise)
    first, again, other = (run(**{"training.seed": seed}) for seed in (5, 5, 6))
    settings = [[dict(trial.settings) for trial in tuning.trials] for tuning in (first, again, other)]
    assert settings[0] == settings[1]
    assert settings[0] != settings[2]


def test_what_is_set_is_not_searched(judged: Any) -> None:
    calls = judged(noise)
    tuning = run(**{"model.architecture": "denoising", "model.width": 32})
    assert {(config.model.architecture, config.model.width) for config, _ in calls} == {("denoising", 32)}
    assert list(tuning.searched) == ["model.depth", "training.learning_rate"]


def test_where_all_is_set_nothing_is_left(judged: Any) -> None:
    judged(noise)
    fixed = {"model.architecture": "memory", "model.width": 32, "model.depth": 2}
    with pytest.raises(UsageError, match="nothing is left to tune"):
        run(**fixed, **{"training.learning_rate": 0.001})


def test_trials_that_do_worse_are_given_up(judged: Any) -> None:
    calls = judged(lambda config, part: 0.5 - 40 * abs(config.training.learning_rate - 2e-3))
    tuning = run(trials=20)
    given_up = [trial for trial in tuning.trials if trial.status == "given up"]
    assert given_up
    assert all(2 <= len(trial.figures) < 5 for trial in given_up)
    assert len(calls) < 20 * 5
    assert tuning.best.status == "judged"


def test_a_trial_that_fails_is_told_of_and_the_search_goes_on(judged: Any) -> None:
    def figure(config: Config, part: int) -> float:
        if config.model.architecture == "denoising" and part == 1:
            raise UsageError("training diverged")
        return 0.5

    judged(figure)
    notes = Notes()
    tuning = run(trials=15, callback=notes)
    failed = [trial for trial in tuning.trials if trial.status == "failed"]
    assert failed
    assert {trial.error for trial in failed} == {"training diverged"}
    assert notes.notices[0].startswith(f"trial {failed[0].number} (model.architecture = denoising")
    assert notes.notices[0].endswith(" failed: training diverged")
    assert tuning.best.number == 1
    assert len(tuning.trials) == 15


def test_a_default_that_fails_ends_the_search(judged: Any) -> None:
    def figure(config: Config, part: int) -> float:
        raise DataError("8 usable rows")

    judged(figure)
    with pytest.raises(DataError, match="8 usable rows"):
        run()


def test_the_same_settings_are_not_trained_twice(judged: Any) -> None:
    calls = judged(lambda config, part: 0.5)
    fixed = {"model.architecture": "memory", "model.width": 32, "training.learning_rate": 0.001}
    tuning = run(trials=10, **fixed)
    assert len({config.model.depth for config, _ in calls}) <= 3
    assert len(calls) <= 3 * 5
    assert [trial.status for trial in tuning.trials].count("repeated") >= 7
    said = "keep the default: its average precision of 0.500 is the best of 10 trials; the next has 0.500"
    assert tuning.verdict.startswith(said)


def test_every_trial_is_a_line(judged: Any) -> None:
    judged(lambda config, part: 0.5)
    notes = Notes()
    run(trials=4, callback=notes)
    assert len(notes.remarks) == 4
    assert notes.remarks[0] == "trial 1: 0.500, the default"
    assert all("model." in line or "training." in line for line in notes.remarks[1:])


class TestTime:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The time, in one number, which each part moves on by a second."""
        now = [100.0]
        ticking = SimpleNamespace(monotonic=lambda: now[0])
        monkeypatch.setattr(search_module, "time", ticking)
        monkeypatch.setattr(Bench, "figures", self.second(now))
        return now

    @staticmethod
    def second(now: list[float]) -> Any:
        def figures(self: Bench, config: Config, part: int, until: float | None) -> tuple[Figures, Any]:
            now[0] += 1
            if until is not None and now[0] > until:
                raise OutOfTime
            value = 0.5 + 0.1 * (config.model.architecture == "memory")
            layout = SimpleNamespace(numeric=1)
            return Figures(value, value), SimpleNamespace(series=None, encoder=SimpleNamespace(layout=layout))

        return figures

    def search(self, most: float) -> Any:
        config = Config.build(overrides={"data.label": "odd"})
        request = TuneRequest([table()], config, trials=50, max_time=most)
        return Search(request, never_learned).run()

    def test_the_search_leaves_time_to_compare(self, clock: list[float]) -> None:
        tuning = self.search(60)
        assert tuning.stopped == "max-time"
        assert 3 < len(tuning.trials) < 50
        assert clock[0] <= 160
        assert not tuning.keep_default

    def test_without_time_for_more_the_default_is_kept(self, clock: list[float]) -> None:
        tuning = self.search(6)
        assert tuning.verdict == "keep the default: there was no time to try other settings"
        assert tuning.keep_default
        assert clock[0] <= 106

    def test_without_time_for_the_default_it_is_kept(self, clock: list[float]) -> None:
        tuning = self.search(3)
        assert tuning.verdict == "keep the default: there was no time to try other settings"
        assert tuning.as_dict()["best"]["average_precision"] == 0.5
        assert tuning.config == Config.build(overrides={"data.label": "odd"})


def test_a_search_that_is_stopped_gives_the_best_so_far(judged: Any) -> None:
    count = 0

    def figure(config: Config, part: int) -> float:
        nonlocal count
        count += 1
        if count > 43:
            raise KeyboardInterrupt
        return 0.5 + 0.1 * (config.model.architecture == "memory")

    judged(figure)
    config = Config.build(overrides={"data.label": "odd"})
    search = Search(TuneRequest([table()], config), never_learned)
    assert search.unfinished() is None
    with pytest.raises(KeyboardInterrupt):
        search.run()
    text = search.unfinished()
    assert text is not None
    assert "which was stopped: the settings of trial" in text
    assert 'architecture = "memory"' in text
