"""The command line, with everything around it given by the test: streams, terminal, environment, folder."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import typer.main
from support.processes import PROGRAM

from aedetect.cli.main import app

# Made once: the options of all commands take a while to be read.
_COMMAND = typer.main.get_command(app)
_STREAMS = ("stdin", "stdout", "stderr")


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found

    def usage(self) -> str:
        """What is said of wrong use, after the lines on usage."""
        assert (self.exit_code, self.stdout) == (2, ""), self.output
        return self.stderr.partition("Error: Invalid value: ")[2].strip()


class _Stream(io.TextIOWrapper):
    """A standard stream in memory that is a terminal, or is none."""

    def __init__(self, data: bytes, is_terminal: bool):
        super().__init__(io.BytesIO(data), encoding="utf-8", errors="backslashreplace")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


@dataclass(frozen=True)
class Prompt:
    """Runs commands in `folder`: each call is one command line, made of `before`, its words and `after`."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: tuple[object, ...] = ()
    after: tuple[object, ...] = ()

    def command(self, *before: object, after: tuple[object, ...] = ()) -> Prompt:
        """A prompt at which these words are typed already."""
        return replace(self, before=(*self.before, *before), after=(*after, *self.after))

    def setting(self, **environment: str) -> Prompt:
        """A prompt with more settings in the environment: `training_epochs="1"`."""
        more = {f"AEDETECT_{name.upper()}": value for name, value in environment.items()}
        return replace(self, environment={**self.environment, **more})

    def __call__(
        self,
        *words: object,
        stdin: str | bytes = b"",
        terminals: Collection[str] = (),
        width: int = 80,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a command in this process. `terminals` names the streams that are one, of `width` columns."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        streams = {name: _Stream(given if name == "stdin" else b"", name in terminals) for name in _STREAMS}
        around = {**self.environment, **(environment or {}), "COLUMNS": str(width)}
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.chdir(self.folder))
            stack.enter_context(mock.patch.dict(os.environ, around))
            for name, stream in streams.items():
                stack.enter_context(mock.patch.object(sys, name, stream))
            code = _exit_code(self._line(words), width)
            return Result(code, streams["stdout"].text(), streams["stderr"].text())

    def json(self, *words: object, exit_code: int = 0, **around: Any) -> dict[str, Any]:
        """The object that the command prints with --json, which ends with `exit_code`."""
        result = self(*words, "--json", **around)
        assert result.exit_code == exit_code, result.output
        found = result.json()
        assert found["exit_code"] == exit_code
        return found

    def process(
        self,
        *words: object,
        stdin: bytes = b"",
        stdout: int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
        shell: str = 'exec "$@"',
    ) -> Result:
        """Run a command in a process of its own, started by `shell`, where the command is "$@"."""
        done = subprocess.run(
            ["sh", "-c", shell, "sh", *PROGRAM, *self._line(words)],
            input=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, **self.environment, **(environment or {})},
            timeout=300,
            check=False,
        )
        return Result(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())

    @contextlib.contextmanager
    def running(
        self, *words: object, environment: Mapping[str, str] | None = None, **more: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs while the block does, with pipes for what it prints; killed at its end."""
        process = subprocess.Popen(
            [*PROGRAM, *self._line(words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, **self.environment, **(environment or {})},
            **more,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def write(self, name: str, content: str | bytes) -> str:
        """Make a file, and the folders on the way to it; gives its name."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def files(self) -> dict[str, bytes]:
        """What the files of the folder hold, by name."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def _line(self, words: tuple[object, ...]) -> list[str]:
        return [str(word) for word in (*self.before, *words, *self.after)]


def _exit_code(line: list[str], width: int) -> int:
    """Run the program's own parser; a command always ends by leaving it."""
    with pytest.raises(SystemExit) as end:
        _COMMAND.main(args=line, prog_name="aedetect", terminal_width=width)
    assert isinstance(end.value.code, int)
    return int(end.value.code)
