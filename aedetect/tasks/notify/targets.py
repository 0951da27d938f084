"""From what was typed to services that take messages. A URL holds a secret: none is ever shown.

Of a target is said its scheme, and its host where that is one and no token: `slack://T0KEN/…` has a token
there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aedetect.config.names import did_you_mean
from aedetect.errors import UsageError
from aedetect.tasks.notify.quiet import heard, in_detail

if TYPE_CHECKING:
    from apprise import AppriseAsset

VARIABLE = "AEDETECT_NOTIFY"
SERVICES = "https://appriseit.com/services"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,23})://")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What stands where a URL has its host.
_PLACE = re.compile(r"\{schema\}://(?:[^@/]*@)?\{(\w+)\}")
_HOST = re.compile(r"[\w.-]+|\[?[0-9A-Fa-f:.]+\]?")


@dataclass(frozen=True)
class Target:
    """A service that takes messages. `digest`: of its URL; `shown`: what may be said of it."""

    service: Any = field(repr=False, compare=False)
    digest: str
    shown: str


def targets_of(words: Sequence[str], environment: Mapping[str, str]) -> list[Target]:
    """The services that were asked for: a URL each, 'env:NAME' or 'file:PATH'; or else by AEDETECT_NOTIFY.

    Raises UsageError for what is no URL of a service, without saying more of it than its scheme.
    """
    urls = [pair for word in words for pair in _urls(word, environment)]
    if not words and environment.get(VARIABLE, "").strip():
        urls = [(url, VARIABLE) for url in environment[VARIABLE].split()]
    targets = {target.digest: target for target in (_target(url, place) for url, place in urls)}
    return _told_apart(list(targets.values()))


def _urls(word: str, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """URLs, and what to call the place of each."""
    if word.startswith("env:"):
        name = word.removeprefix("env:")
        if not _NAME.fullmatch(name):
            raise UsageError("--notify env:NAME: write the name of an environment variable, without '$'")
        urls = environment.get(name, "").split()
        if not urls:
            raise UsageError(f"--notify env:{name}: no such environment variable, or it is empty")
        yield from ((url, f"--notify env:{name}") for url in urls)
    elif word.startswith("file:"):
        yield from _urls_in(word.removeprefix("file:"))
    else:
        yield word.strip(), "--notify"


def _urls_in(path: str) -> Iterator[tuple[str, str]]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"--notify file:{path}: not a text in UTF-8; write one URL a line") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such file"
        raise UsageError(f"--notify file:{path}: cannot be read: {reason}") from None
    texts = [(line.strip(), number) for number, line in enumerate(lines, 1)]
    urls = [(text, number) for text, number in texts if text and not text.startswith("#")]
    if not urls:
        raise UsageError(f"--notify file:{path}: holds no URL; write one a line")
    yield from ((text, f"--notify file:{path}, line {number}") for text, number in urls)


def _target(url: str, place: str) -> Target:
    with in_detail(), heard():
        import apprise

        service = apprise.Apprise.instantiate(url, asset=quiet_asset())
    if service is None:
        raise UsageError(f"{place}: {_why_not(url)}")
    return Target(
        service, hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest(), _shown(service)
    )


def quiet_asset() -> AppriseAsset:
    """What apprise does on its own account: no files, no threads, no secrets in logs."""
    import apprise

    # A time limit makes newer versions start threads that Python waits for at its exit.
    newer: dict[str, Any] = (
        {"service_timeout": 0} if hasattr(apprise.AppriseAsset, "_service_timeout") else {}
    )
    return apprise.AppriseAsset(
        app_id="aedetect",
        app_desc="aedetect",
        async_mode=False,
        secure_logging=True,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        **newer,
    )


def _why_not(url: str) -> str:
    """What is wrong with a URL, in words that hold nothing of it but its scheme."""
    from apprise.manager_plugins import NotificationManager

    scheme = _SCHEME.match(url)
    if scheme is None:
        return f"not the URL of a service, such as mailto://… or json://HOST/PATH; see {SERVICES}"
    plugins: Any = NotificationManager
    name, manager = scheme[1].lower(), plugins()
    with in_detail(), heard():
        known = set(manager.schemas())
    if name in ("http", "https"):
        secure = "s" if name == "https" else ""
        return (
            f"no service is known by this {name}:// URL; for a web hook of your own write "
            f"json{secure}://… or form{secure}://… instead"
        )
    if name not in known:
        return f"no service is known as {name}://{did_you_mean(name, known) or f'; see {SERVICES}'}"
    if not manager[name].enabled:
        needed = manager[name].requirements.get("packages_required") or f"see {SERVICES}"
        packages = needed if isinstance(needed, str) else ", ".join(needed)
        return f"{name}:// needs a package that is missing: {packages}"
    return f"what follows {name}:// is incomplete or wrong; see {SERVICES}"


def _shown(service: Any) -> str:
    scheme = service.url(privacy=True).partition("://")[0]
    places = [_PLACE.match(template) for template in service.templates]
    host = getattr(service, "host", None)
    if not host or not _HOST.fullmatch(host) or any(not match or match[1] != "host" for match in places):
        return f"{scheme}://"
    port = getattr(service, "port", None)
    with_port = isinstance(port, int) and any("{port}" in template for template in service.templates)
    return f"{scheme}://{host}:{port}" if with_port else f"{scheme}://{host}"


def _told_apart(targets: Sequence[Target]) -> list[Target]:
    """With a number behind those of which the same is said."""
    shown = [target.shown for target in targets]
    return [
        replace(target, shown=f"{target.shown} ({shown[: place + 1].count(target.shown)})")
        if shown.count(target.shown) > 1
        else target
        for place, target in enumerate(targets)
    ]
