"""aedetect in a process of its own, as a shell starts it."""

from __future__ import annotations

import sys

# A test run that was started in the background ignores SIGINT, one under nohup SIGHUP, and so does what
# it starts; a user's shell gives every command its signals back.
_START = (
    "import runpy, signal; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "runpy.run_module('aedetect', run_name='__main__', alter_sys=True)"
)
PROGRAM = [sys.executable, "-c", _START]
