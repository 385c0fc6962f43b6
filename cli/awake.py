"""Keeping the machine from falling asleep while a run is at work, where the system can be asked to."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def awake() -> Iterator[None]:
    """While entered the machine is asked not to sleep. Where it may not be asked, nothing is said.

    The helper ends with this process, even when that is killed: it reads from a pipe that then closes, or
    watches the process itself.
    """
    command = _command()
    if not command:
        yield
        return
    helper = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        helper.terminate()
        helper.communicate()


def _command() -> list[str]:
    if inhibit := shutil.which("systemd-inhibit"):
        return [
            inhibit,
            "--what=sleep:idle",
            "--mode=block",
            "--who=learnctl",
            "--why=learning what is new",
            "cat",
        ]
    if caffeinate := shutil.which("caffeinate"):
        return [caffeinate, "-i", "-s", "-w", str(os.getpid())]
    return []
