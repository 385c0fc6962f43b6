"""Pipes between processes that work one after the other on the same file."""

import fcntl
from contextlib import suppress
from typing import IO

# What Linux lets everybody have unless its owner says otherwise (/proc/sys/fs/pipe-max-size).
WIDE_BYTES = 2**20


def widen(pipe: IO[bytes] | None) -> None:
    """Let a pipe hold more than the usual 64 kB, where the system can.

    What is written comes in bursts of several items. A pipe that holds less than one makes the two ends
    wait for each other by turns, and two cores do little more than one.
    """
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, WIDE_BYTES)
