"""A night that gave way tries again after a while, as the same process with a new image: while it waits, all
memory that its model held is given back."""

import os
import sys
import time
from typing import NoReturn

WORKED = "LEARNCTL_NIGHT_WORKED_S"


def wait() -> float:
    """Wait, where this is another try; the seconds that the tries before it worked."""
    from ..trainer.scheduled import WAIT_S

    worked_s = os.environ.pop(WORKED, "")
    if worked_s:
        time.sleep(WAIT_S)
    return float(worked_s or 0.0)


def begin_again(worked_s: float) -> NoReturn:
    """Start this very command anew.

    Args:
        worked_s: the seconds that all tries so far worked; they count for the budget.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    environment = {**os.environ, WORKED: str(worked_s)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
