"""`--on ray://HOST:PORT`: a cluster of other processes, reached through Ray's client."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.prompt import Prompt
from support.ray_runs import outputs, with_inputs

pytestmark = pytest.mark.slow
TOKEN = "0123456789abcdef0123456789abcdef"


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in opened]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the client server of a cluster of two cores, which wants a token, is."""
    head, client, environments = free_ports(3)
    # Ray's sockets have long names, and a system's limit is short.
    folder = f"/tmp/ray-{head}"
    words = ["start", "--head", "--block", "--num-cpus=2", "--include-dashboard=false"]
    words += ["--node-ip-address=127.0.0.1", f"--port={head}", f"--ray-client-server-port={client}"]
    words += [f"--runtime-env-agent-port={environments}", f"--temp-dir={folder}", "--disable-usage-stats"]
    log = tmp_path_factory.mktemp("ray") / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("ray"), *words, f"--object-store-memory={200 << 20}"],
            env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN},
            stdout=said,
            stderr=said,
        )
    try:
        until = time.monotonic() + 60
        while not reachable(client):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield f"ray://127.0.0.1:{client}"
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        for each in started:
            with contextlib.suppress(psutil.Error):
                each.kill()
        shutil.rmtree(folder, ignore_errors=True)


def reachable(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_it_is_the_same_as_here(
    address: str, prompt: Prompt, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = with_inputs(prompt, tiny_model, monkeypatch)
    for name, more in (("one", []), ("far", ["--on", address])):
        Path(here.folder, name).mkdir()
        words = ["score", "in", "-o", f"{name}/all.csv", *more, "--json"]
        # In a process of its own: Ray looks for a token but once.
        result = here.process(*words, environment={"RAY_AUTH_TOKEN": TOKEN})
        assert result.exit_code == 6, result.output
        assert result.json()["workers"] in ((1, 2) if more else (None,))
    assert outputs(Path(here.folder, "one")) == outputs(Path(here.folder, "far"))


def test_without_the_token_nothing_answers(address: str, prompt: Prompt, tiny_model: Path) -> None:
    prompt.write("m.aed", tiny_model.read_bytes())
    prompt.write("new.csv", "temp,load,site,open\n1,2,north,yes\n")
    words = ["score", "new.csv", "-m", "m.aed", "--on", address]
    result = prompt.process(*words, environment={"HOME": str(prompt.folder)})
    assert result.exit_code == 5
    assert result.stderr == (
        f"error: --on {address}: no cluster answers there (ray client connection timeout); if it asks for a "
        "token, set RAY_AUTH_TOKEN\n"
    )
