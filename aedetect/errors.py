"""Every error a user can cause, and the exit code each one ends with."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a run says to the shell or to cron (the meaning of each is a contract)."""

    OK = 0
    BUG = 1
    USAGE = 2
    DATA = 3
    MODEL = 4
    OUTPUT = 5
    PARTIAL = 6
    NOTIFY = 7
    ALERTS = 10
    DRIFT = 11
    HEALTH = 12
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


class AedetectError(Exception):
    """Base of all errors with a message meant for the user: what, where, what to do."""

    exit_code: ExitCode = ExitCode.BUG


class UsageError(AedetectError):
    """Wrong use of the command line, of a configuration file or of the Python API."""

    exit_code = ExitCode.USAGE


class DataError(AedetectError, ValueError):
    """The input data cannot be used."""

    exit_code = ExitCode.DATA


class ModelError(AedetectError):
    """The model file cannot be used: missing, damaged, too new, or made for other columns."""

    exit_code = ExitCode.MODEL


class OutputError(AedetectError):
    """The output cannot be written."""

    exit_code = ExitCode.OUTPUT


class AedetectWarning(UserWarning):
    """Something that a Python caller should know, though work goes on."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP was received; derives from BaseException so that no handler swallows it."""


# What `lacking` calls that of a GPU.
GPU_MEMORY = "memory of the GPU"
# Libraries beside torch, and Apple's GPUs, raise no type of their own.
_OUT_OF_GPU_MEMORY = ("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "MPS backend out of memory")


def lacking(error: BaseException) -> str | None:
    """Which memory was too small, where that is what an error comes to: torch has no one type for it."""
    if type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and any(said in str(error) for said in _OUT_OF_GPU_MEMORY)
    ):
        return GPU_MEMORY
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    ):
        return "memory"
    return None
