"""`aedetect score --notify`: people are told once of what is flagged, by a server that takes messages."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from support.prompt import Prompt, Result
from support.receiver import Receiver, receiving
from support.sensors import DAY, broken, readings

from aedetect.tasks.notify import notifier, request
from aedetect.tasks.notify.request import NotifyRequest

SCHEMA = json.loads(resources.files("aedetect").joinpath("engine/assets/score_summary.json").read_text())
NEW = ("--new-only", "--state", "s.db")
ODD = "500,-900,north,true\n"
TABLE = "temp,load,site,open\n" + "20,40,north,true\n" * 3
SECRET = "s3cr3t-T0KEN"
NO_MEMORY = (
    "--notify without --state FILE remembers nothing: what the next run flags as well is sent again, and a "
    "message that cannot be delivered is lost"
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def score(prompt: Prompt, tiny_model: Path) -> Prompt:
    """Scoring with a model of tables called m.aed, where a.csv has an odd row."""
    prompt.write("m.aed", tiny_model.read_bytes())
    prompt.write("in/a.csv", TABLE + ODD)
    return prompt.command("score", after=("-m", "m.aed"))


@pytest.fixture(scope="module")
def series_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two machines."""
    path = tmp_path_factory.mktemp("model")
    readings(8, 2).to_csv(path / "normal.csv", index=False)
    flags = ("--time", "time", "--entity", "machine", "--window", 24, "--alert-rate", "0.001")
    assert Prompt(path)("train", "normal.csv", "-o", "m.aed", *flags).exit_code == 0
    return path / "m.aed"


class Nightly:
    """Dumps of readings every ten minutes, of two machines; m0 is broken from step 124 to step 348."""

    def __init__(self, prompt: Prompt, model: Path):
        os.symlink(model, "m.aed")
        Path("dumps").mkdir()
        self._frame = broken(readings(4, 2, seed=5, start="2026-02-01"), 124, 348)
        self.score = prompt.command("score", "dumps", after=("-m", "m.aed"))

    def deliver(self, first: int, last: int) -> None:
        """A dump of the steps from `first` to before `last`."""
        step = (self._frame["time"] - self._frame["time"].min()) // pd.Timedelta("10min")
        self._frame[(step >= first) & (step < last)].to_csv(f"dumps/{first:03}.csv", index=False)

    def silence(self, machine: str, first: int, last: int) -> None:
        """Nothing comes of a machine from step `first` to before `last`."""
        step = self._frame.groupby("machine").cumcount()
        self._frame = self._frame[(self._frame["machine"] != machine) | (step < first) | (step >= last)]

    def run(self, *words: object) -> list[dict[str, Any]]:
        """A run's entries on messages, without when it was."""
        summary = self.score.json(*NEW, *words)
        jsonschema.validate(summary, SCHEMA)
        names = ("event", "entity", "kind", "delivered")
        return [{name: one[name] for name in names} for one in summary["notified"]]


@pytest.fixture
def nightly(prompt: Prompt, series_model: Path) -> Nightly:
    return Nightly(prompt, series_model)


def entry(kind: str, delivered: bool = True) -> dict[str, Any]:
    return {"event": 1, "entity": {"machine": "m0"}, "kind": kind, "delivered": delivered}


class TestTables:
    def test_one_message_for_a_run_says_how_many_and_why(self, score: Prompt, receiver: Receiver) -> None:
        summary = score.json("in", "--notify", receiver.url())
        jsonschema.validate(summary, SCHEMA)
        assert [{**one, "run": ""} for one in summary["notified"]] == [
            {
                "target": receiver.shown,
                "about": "rows",
                "event": None,
                "entity": None,
                "run": "",
                "kind": "new",
                "delivered": True,
            }
        ]
        assert summary["notified"][0]["run"] == summary["started"]
        assert summary["warnings"] == [NO_MEMORY]
        (message,) = receiver.messages
        assert (message.path, message.kind) == ("/alerts", "warning")
        assert message.title == "aedetect m: 1 of 4 rows flagged (25.00%)"
        first, why, reason = message.body.splitlines()
        assert first == "in/a.csv: 1 of 4 rows flagged"
        assert why == "Why:"
        assert re.fullmatch(r"- row 4, score [\d.,e+]+: .*(500|-900).*", reason)
        assert message.plots[0].startswith(b"\x89PNG")

    def test_nothing_is_sent_where_nothing_is_flagged(self, score: Prompt, receiver: Receiver) -> None:
        Path("in/a.csv").write_text(TABLE)
        assert score.json("in", "--notify", receiver.url())["notified"] == []
        assert receiver.requests == 0

    def test_forms_are_taken_too_and_people_are_told(self, score: Prompt, receiver: Receiver) -> None:
        result = score("in", "-o", "out.csv", "--notify", receiver.url("form"))
        assert (result.exit_code, result.stderr) == (0, f"warning: {NO_MEMORY}\n")
        assert result.stdout.splitlines()[-1] == f"sent to form://localhost:{receiver.port}: 1 message"
        (message,) = receiver.messages
        assert message.title == "aedetect m: 1 of 4 rows flagged (25.00%)"
        assert message.body.startswith("in/a.csv: 1 of 4 rows flagged, scored rows in out.csv\n")
        assert message.plots[0].startswith(b"\x89PNG")

    def test_with_a_ledger_only_new_rows_count(self, score: Prompt, receiver: Receiver) -> None:
        words = (
            "in",
            "-o",
            "out/",
            *NEW,
            "--job",
            "nightly",
            "--metrics",
            "m.prom",
            "--notify",
            receiver.url(),
        )
        Path("out").mkdir()
        assert score.json(*words)["warnings"] == []
        score.json(*words)
        assert receiver.titles == ["aedetect nightly: 1 of 4 rows flagged (25.00%)"]
        Path("in/b.csv").write_text(TABLE + ODD * 2)
        score.json(*words)
        assert receiver.titles[1:] == ["aedetect nightly: 2 of 5 rows flagged (40.00%)"]

    def test_it_is_sent_once_outputs_are_in_place(
        self, score: Prompt, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = []
        deliver = notifier.deliver
        monkeypatch.setattr(
            notifier, "deliver", lambda *words: there.append(Path("out.csv").exists()) or deliver(*words)
        )
        score.json("in", "-o", "out.csv", "--notify", receiver.url())
        assert there == [True]

    def test_rows_of_an_input_that_fails_are_not_told_of(self, score: Prompt, receiver: Receiver) -> None:
        Path("in/b.csv").write_text(TABLE + ODD + "1,2\n")
        summary = score.json("in", "--notify", receiver.url(), exit_code=6)
        assert [file["status"] for file in summary["files"]] == ["scored", "failed"]
        assert receiver.titles == ["aedetect m: 1 of 4 rows flagged (25.00%)"]

    def test_without_matplotlib_there_is_no_plot(
        self, score: Prompt, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        said = "messages go without a plot: matplotlib is not installed"
        assert said not in score("in", "--notify", receiver.url()).output
        assert said in score("in", "--notify", receiver.url(), "-v").stderr
        assert [message.plots for message in receiver.messages] == [[], []]

    def test_text_from_the_data_calls_nobody(self, score: Prompt, receiver: Receiver) -> None:
        Path("in/a.csv").write_text(
            TABLE + "20,40,@everyone \x1b[31m<!channel>,true\n" + "9e9,40,@here,true\n"
        )
        score.json("in", "--notify", receiver.url())
        (message,) = receiver.messages
        assert "@here" not in message.body
        assert "@everyone" not in message.body
        assert "\x1b" not in message.body


class TestFailures:
    def test_a_dead_target_is_a_warning(self, score: Prompt, receiver: Receiver) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            dead = f"json://localhost:{taken.getsockname()[1]}"
            result = score("in", "-o", "out.csv", "--notify", f"{dead}/{SECRET}", "--notify", receiver.url())
        assert result.exit_code == 0
        assert result.stderr == (
            f"warning: {NO_MEMORY}\nwarning: {dead}: 1 message not delivered: it refused the connection\n"
        )
        assert len(receiver.messages) == 1

    @pytest.mark.parametrize("flags", [(), ("--fail-over", "0")])
    def test_strict_exits_with_7_and_outputs_are_written(
        self, score: Prompt, receiver: Receiver, flags: tuple[str, ...]
    ) -> None:
        receiver.status = 500
        words = ("in", "-o", "out.csv", *flags, "--notify", receiver.url(), "--notify-strict")
        summary = score.json(*words, exit_code=7)
        assert Path("out.csv").exists()
        assert summary["warnings"][1:] == [
            f"{receiver.shown}: 1 message not delivered: it answered with code 500"
        ]
        receiver.status = 200
        assert score("in", "-o", "out.csv", "--notify", receiver.url(), "--notify-strict").exit_code == 0

    def test_a_failure_of_an_input_comes_first(self, score: Prompt, receiver: Receiver) -> None:
        receiver.status = 500
        Path("in/b.csv").write_text("1,2\n")
        score.json("in", "--notify", receiver.url(), "--notify-strict", exit_code=6)

    def test_what_failed_is_sent_by_the_next_run(self, score: Prompt, receiver: Receiver) -> None:
        words = ("in", *NEW, "--notify", receiver.url())
        receiver.status = 503
        first = score.json(*words)
        assert first["warnings"] == [
            f"{receiver.shown}: 1 message not delivered: it answered with code 503; the next run will try "
            "again"
        ]
        receiver.status = 200
        second = score.json(*words)
        assert second["rows"] == 0
        assert [one["run"] for one in second["notified"]] == [first["started"]]
        assert receiver.titles == ["aedetect m: 1 of 4 rows flagged (25.00%)"]
        assert receiver.messages[0].plots[0].startswith(b"\x89PNG")
        assert score.json(*words)["notified"] == []

    def test_a_target_that_never_answers_holds_the_run_for_its_time_alone(
        self, score: Prompt, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(request, "NotifyRequest", partial(NotifyRequest, timeout=0.3))
        receiver.answers.clear()
        result = score("in", "--notify", receiver.url())
        assert not receiver.answers.is_set()
        assert result.exit_code == 0
        assert result.stderr.endswith(f"{receiver.shown}: 1 message not delivered: no answer within 0.3 s\n")

    def test_cron_hears_of_it_where_it_is_strict(self, score: Prompt, receiver: Receiver) -> None:
        receiver.status = 500
        said = "1 message not delivered"
        assert said not in score("in", "--summary", "s.json", "--notify", receiver.url()).output
        assert said in Path("s.json").read_text()
        strict = score("in", "--summary", "s.json", "--notify", receiver.url(), "--notify-strict")
        assert (strict.exit_code, said in strict.stderr) == (7, True)


class TestSecrets:
    def everywhere(self, prompt: Prompt, result: Result) -> list[str]:
        """Where a secret is found: in what was printed, and in the files but those that a test names."""
        files = {name: data for name, data in prompt.files().items() if name not in ("urls.txt", "m.aed")}
        texts = {**files, "stdout": result.stdout.encode(), "stderr": result.stderr.encode()}
        return [name for name, data in texts.items() if SECRET.encode() in data]

    @pytest.mark.parametrize(
        ("way", "status"), [("flag", 500), ("env", 200), ("file", 500), ("variable", 200)]
    )
    def test_they_are_written_nowhere(
        self, score: Prompt, prompt: Prompt, receiver: Receiver, way: str, status: int
    ) -> None:
        receiver.status = status
        url = f"json://user:{SECRET}@localhost:{receiver.port}/{SECRET}?+X-Key={SECRET}"
        Path("urls.txt").write_text(f"# where to\n\n{url}\n")
        word = {"flag": [url], "env": ["env:HOOK"], "file": ["file:urls.txt"], "variable": []}[way]
        environment = {"HOOK": url} if way == "env" else {"AEDETECT_NOTIFY": url} if way == "variable" else {}
        result = score(
            "in", "-o", "out.csv", *NEW, "--summary", "s.json", "--metrics", "m.prom", "-v",
            *(part for text in word for part in ("--notify", text)), environment=environment,
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
        assert receiver.requests == 1
        assert self.everywhere(prompt, result) == []
        summary = json.loads(Path("s.json").read_text())
        assert [one["target"] for one in summary["notified"]] == [receiver.shown]

    @pytest.mark.parametrize(
        ("word", "said"),
        [
            (f"slakc://{SECRET}/b", "--notify: no service is known as slakc://; did you mean 'slack'?"),
            (
                f"https://example.com/{SECRET}",
                "--notify: no service is known by this https:// URL; for a web hook of your own write "
                "jsons://… or forms://… instead",
            ),
            (
                f"slack://{SECRET}",
                "--notify: what follows slack:// is incomplete or wrong; see https://appriseit.com/services",
            ),
            (
                f"hooks.slack.com/services/{SECRET}",
                "--notify: not the URL of a service, such as mailto://… or json://HOST/PATH; see "
                "https://appriseit.com/services",
            ),
            ("env:HOOK", "--notify env:HOOK: no such environment variable, or it is empty"),
            (
                f"env:${SECRET}",
                "--notify env:NAME: write the name of an environment variable, without '$'",
            ),
            ("file:none", "--notify file:none: cannot be read: No such file or directory"),
            (
                "file:urls.txt",
                "--notify file:urls.txt, line 2: not the URL of a service, such as mailto://… or "
                "json://HOST/PATH; see https://appriseit.com/services",
            ),
        ],
    )
    def test_what_is_no_url_is_refused_at_once_without_saying_it(
        self, score: Prompt, prompt: Prompt, word: str, said: str
    ) -> None:
        Path("urls.txt").write_text(f"# where to\n{SECRET}\n")
        result = score("in", "-o", "out.csv", *NEW, "--notify", word)
        assert result.usage() == said
        assert not Path("out.csv").exists()
        assert not Path("s.db").exists()
        assert self.everywhere(prompt, result) == []
        as_json = score("in", "--notify", word, "--json")
        assert (as_json.exit_code, json.loads(as_json.stderr)["error"]) == (2, said)

    @pytest.mark.parametrize("flag", [("--remind", "1h"), ("--notify-strict",)])
    def test_flags_that_go_with_a_target_are_refused_alone(
        self, score: Prompt, flag: tuple[str, ...]
    ) -> None:
        name = " ".join(flag).replace("1h", "TIME")
        assert score("in", *flag).usage() == f"{name} goes with --notify URL, which says where messages go"

    def test_a_reminder_has_to_be_a_time(self, score: Prompt, receiver: Receiver) -> None:
        said = score("in", "--notify", receiver.url(), "--remind", "soon").usage()
        assert said.startswith("--remind = 'soon': not a duration")

    def test_help_knows_nothing_of_the_library(self) -> None:
        code = "import sys; from aedetect.cli.main import app; sys.exit('apprise' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestSeries:
    def test_one_message_while_an_event_lasts_and_one_when_it_is_over(
        self, nightly: Nightly, receiver: Receiver
    ) -> None:
        told = []
        for first in (0, 144, 288, 432):
            nightly.deliver(first, first + DAY)
            told.append(nightly.run("--notify", receiver.url()))
        assert told == [[entry("new")], [], [entry("over")], []]
        new, over = receiver.messages
        assert (new.title, new.kind) == ("aedetect m: event 1 of m0 since 2026-02-01 20:40", "warning")
        first, why, reason, *_, where, peak = new.body.splitlines()
        assert first == (
            "From 2026-02-01 20:40 to 2026-02-01 23:50 (3 h 10 min), 20 flagged rows. It had not ended by "
            "the last row read."
        )
        assert why == "Why:"
        seen = r"- temp is [\d.]+ at 2026-02-01 \d\d:\d\d, where [\d.]+ ± [\d.]+ was expected.*"
        assert re.fullmatch(seen, reason)
        assert where == "First seen at row 125 of dumps/000.csv."
        assert re.fullmatch(r"Peak score [\d.,e+]+, p-value [\d.e-]+\.", peak)
        assert new.plots[0].startswith(b"\x89PNG")
        assert (over.title, over.kind, over.plots) == ("aedetect m: event 1 of m0 is over", "success", [])
        assert over.body.startswith("Event 1 of m0 is over: it lasted 1 d ")
        assert len(over.body.splitlines()) == 1

    def test_a_reminder_comes_after_a_day_or_what_was_asked(
        self, nightly: Nightly, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told, nights = [], [(0, 0), (144, 23), (164, 24), (184, 25), (204, 26)]
        for (first, hour), words in zip(
            nights, [(), (), (), ("--remind", "2h"), ("--remind", "2h")], strict=True
        ):
            now = partial(float, 1e9 + 3600 * hour)
            monkeypatch.setattr(request, "NotifyRequest", partial(NotifyRequest, now=now))
            nightly.deliver(first, first + 20 if first else DAY)
            told.append(nightly.run("--notify", receiver.url(), *words))
        assert told == [[entry("new")], [], [entry("reminder")], [], [entry("reminder")]]
        assert receiver.titles[1:] == ["aedetect m: event 1 of m0 still lasts, since 2026-02-01 20:40"] * 2

    def test_a_message_that_failed_is_sent_with_what_is_known_by_then(
        self, nightly: Nightly, receiver: Receiver
    ) -> None:
        receiver.status = 500
        nightly.deliver(0, DAY)
        assert nightly.run("--notify", receiver.url()) == [entry("new", False)]
        nightly.deliver(DAY, DAY + 20)
        receiver.status = 200
        assert nightly.run("--notify", receiver.url()) == [entry("new")]
        assert receiver.messages[0].body.startswith("From 2026-02-01 20:40 to 2026-02-02 03:10 ")

    def test_an_event_that_a_calendar_mutes_for_a_day_stays_one_event(
        self, nightly: Nightly, receiver: Receiver
    ) -> None:
        Path("plan.csv").write_text("start,end,name,entity\n2026-02-02,2026-02-03,overhaul,m0\n")
        told = []
        for first in range(0, 4 * DAY, DAY):
            nightly.deliver(first, first + DAY)
            told.append(nightly.run("--notify", receiver.url(), "--calendar", "plan.csv"))
        assert told == [[entry("new")], [], [entry("over")], []]
        assert receiver.messages[-1].body.startswith("Event 1 of m0 is over: it lasted 1 d 13 h")

    def test_a_silence_is_told_of_once_and_once_it_is_over(
        self, nightly: Nightly, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nightly.silence("m1", 100, 250)
        words, told = ("--notify", receiver.url(), "--silence", "2h"), []
        for first, last, hour in ((0, 80, 0), (80, 144, 1), (144, 200, 9), (200, 240, 26), (240, 320, 30)):
            now = partial(float, 1e9 + 3600 * hour)
            monkeypatch.setattr(request, "NotifyRequest", partial(NotifyRequest, now=now))
            nightly.deliver(first, last)
            about_silence = [one for one in nightly.run(*words) if one["event"] is None]
            told.append([(one["kind"], one["entity"]["machine"]) for one in about_silence])
        assert told == [[], [("new", "m1")], [], [("reminder", "m1")], [("over", "m1")]]
        messages = [one for one in receiver.messages if "event" not in one.title]
        assert [(one.title, one.body) for one in messages] == [
            (
                "aedetect m: m1 is silent since 2026-02-01 16:30",
                "machine m1: no row since 2026-02-01 16:30, while others go on until 2026-02-01 23:50 "
                "(7 h 20 min; limit 2 h)",
            ),
            (
                "aedetect m: m1 is still silent, since 2026-02-01 16:30",
                "machine m1: no row since 2026-02-01 16:30, while others go on until 2026-02-02 15:50 "
                "(23 h 20 min; limit 2 h)",
            ),
            (
                "aedetect m: m1 has rows again",
                "machine m1: no row from 2026-02-01 16:30 to 2026-02-02 17:40 (1 d 1 h; limit 2 h)",
            ),
        ]

    def test_each_target_has_its_own_memory(self, nightly: Nightly, receiver: Receiver) -> None:
        nightly.deliver(0, DAY)
        nightly.run("--notify", receiver.url(path="one"))
        nightly.deliver(DAY, DAY + 20)
        nightly.run("--notify", receiver.url(path="one"), "--notify", receiver.url(path="two"))
        assert [message.path for message in receiver.messages] == ["/one", "/two"]

    def test_the_same_rows_again_are_the_same_event(self, nightly: Nightly, receiver: Receiver) -> None:
        nightly.deliver(0, DAY)
        nightly.run("--notify", receiver.url())
        # A dump that has grown is scored anew, from its beginning.
        nightly.deliver(0, DAY + 20)
        assert nightly.run("--notify", receiver.url()) == []

    def test_without_a_ledger_each_run_tells(self, nightly: Nightly, receiver: Receiver) -> None:
        nightly.deliver(0, DAY)
        for _ in range(2):
            assert nightly.score.json("--notify", receiver.url())["warnings"].count(NO_MEMORY) == 1
        assert len(receiver.messages) == 2
