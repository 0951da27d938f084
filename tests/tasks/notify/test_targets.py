"""From words to services, without a secret in what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from aedetect.errors import UsageError
from aedetect.tasks.notify.targets import Target, targets_of


def one(url: str) -> Target:
    (target,) = targets_of([url], {})
    return target


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("json://user:SECRET@example.com:8080/SECRET?a=SECRET", "json://example.com:8080"),
        ("jsons://example.com/SECRET", "jsons://example.com"),
        ("form://localhost/SECRET", "form://localhost"),
        ("mailtos://SECRET:SECRET@example.com", "mailtos://example.com:587"),
        # What stands where a host is expected is a token, or a topic that is as good as one.
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", "slack://"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "slack://"),
        ("discord://1234567890/abcdefghijklmnop", "discord://"),
        ("ntfys://SECRET", "ntfys://"),
    ],
)
def test_scheme_and_host_are_all_that_is_shown(url: str, shown: str) -> None:
    target = one(url)
    assert target.shown == shown
    assert "SECRET" not in repr(target)
    assert "T1JJ3T3L2" not in repr(target)


def test_what_looks_the_same_is_told_apart() -> None:
    targets = targets_of(["json://h/a", "json://h/b", "json://h/a", "json://i/a"], {})
    assert [target.shown for target in targets] == ["json://h (1)", "json://h (2)", "json://i"]
    assert len({target.digest for target in targets}) == 3


def test_urls_come_from_files_and_variables(tmp_path: Path) -> None:
    path = tmp_path / "urls"
    path.write_text("# a comment\n\n json://a/1 \njson://b/2\n")
    words = [f"file:{path}", "env:HOOKS", "json://e"]
    shown = [target.shown for target in targets_of(words, {"HOOKS": "json://c\njson://d"})]
    assert shown == [f"json://{name}" for name in "abcde"]


def test_the_variable_counts_where_no_flag_is_given() -> None:
    environment = {"AEDETECT_NOTIFY": "json://a json://b"}
    assert [target.shown for target in targets_of([], environment)] == ["json://a", "json://b"]
    assert [target.shown for target in targets_of(["json://c"], environment)] == ["json://c"]
    assert targets_of([], {}) == []


@pytest.mark.parametrize(
    ("content", "said"), [(b"# none\n", "holds no URL"), (b"\xff\xfe", "not a text in UTF-8")]
)
def test_a_file_without_a_url_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "urls").write_bytes(content)
    with pytest.raises(UsageError, match=f"--notify file:{tmp_path}/urls: {said}; write one"):
        targets_of([f"file:{tmp_path}/urls"], {})


def test_a_service_that_lacks_a_package_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.manager_plugins import NotificationManager

    plugin = NotificationManager()["json"]
    monkeypatch.setattr(plugin, "enabled", False)
    monkeypatch.setattr(plugin, "requirements", {"packages_required": ["paho-mqtt != 2"]})
    with pytest.raises(
        UsageError, match=r"^--notify: json:// needs a package that is missing: paho-mqtt != 2$"
    ):
        targets_of(["json://SECRET"], {})


def test_an_error_in_the_variable_names_it() -> None:
    with pytest.raises(UsageError, match=r"^AEDETECT_NOTIFY: not the URL of a service"):
        targets_of([], {"AEDETECT_NOTIFY": "SECRET"})
