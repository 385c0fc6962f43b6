"""Keeping the machine from falling asleep while a run is at work, where the system can be asked to."""

import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Says that it has begun, and ends with the process that holds the other end of its pipe.
HELD = ["sh", "-c", "echo; exec cat"]
PATIENCE_S = 10.0


@contextmanager
def awake(on_refused: Callable[[str], None]) -> Iterator[None]:
    """While entered the machine is asked not to sleep; where that is refused, a line says so.

    The helper ends with this process, even when that is killed: it reads from a pipe that then closes.
    """
    command = _command()
    if not command:
        yield
        return
    helper = subprocess.Popen(
        [*command, *HELD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert helper.stdout
    assert helper.stderr
    try:
        answered, _, _ = select.select([helper.stdout], [], [], PATIENCE_S)
        if answered and not helper.stdout.read(1):
            on_refused(f"the machine is not kept awake: {helper.stderr.read().strip()}")
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
        ]
    if caffeinate := shutil.which("caffeinate"):
        return [caffeinate, "-i", "-s"]
    return []
