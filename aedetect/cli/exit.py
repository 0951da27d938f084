"""From exceptions and signals to one line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import signal
import sys
import traceback
from collections.abc import Iterator

import typer

from aedetect.cli.output import Output, discard_stdout, printing
from aedetect.cli.text import one_line
from aedetect.engine.signals import ended_by
from aedetect.errors import AedetectError, ExitCode, OutputError, Terminated, UsageError, lacking

REPORT = "This is a bug in aedetect. Please report it, with the lines above, in the project's issue tracker."
_SMALLER = {
    "memory": "lower data.memory_mb or scoring.batch_rows",
    "memory of the GPU": "lower training.batch_size, or use --device cpu",
}
_SIGNALS = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    signal.SIGHUP: Terminated,
}


@contextlib.contextmanager
def reported(output: Output) -> Iterator[None]:
    """Runs a command's body; whatever it raises ends in the exit code that the contract says."""
    try:
        with ended_by(_SIGNALS):
            yield
            with printing():
                sys.stdout.flush()
    except typer.Exit:
        raise
    except UsageError as error:
        # Wrong use keeps the form that the command line gives to its own complaints.
        if output.json:
            output.error(str(error), ExitCode.USAGE)
            raise typer.Exit(ExitCode.USAGE) from None
        raise typer.BadParameter(one_line(str(error))) from None
    except AedetectError as error:
        if isinstance(error, OutputError):
            _settle_stdout()
        output.error(str(error), error.exit_code)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        output.error(f"interrupted; old outputs are intact{output.on_stop()}", ExitCode.INTERRUPTED)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Terminated:
        output.error(f"terminated; old outputs are intact{output.on_stop()}", ExitCode.TERMINATED)
        raise typer.Exit(ExitCode.TERMINATED) from None
    except BrokenPipeError:
        # Whoever read our output has gone; what is left in the buffer has nowhere to go.
        discard_stdout()
        raise typer.Exit(ExitCode.CLOSED_PIPE) from None
    except Exception as error:
        memory = lacking(error)
        if memory is not None:
            output.error(f"out of {memory}; {_SMALLER[memory]}", ExitCode.DATA)
            raise typer.Exit(ExitCode.DATA) from None
        traceback.print_exc()
        print(REPORT, file=sys.stderr)
        raise typer.Exit(ExitCode.BUG) from None


def _settle_stdout() -> None:
    """After a failure to write to stdout, the interpreter would fail on the rest at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        discard_stdout()
