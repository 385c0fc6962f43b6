"""What holds a model, the daemon or a chat that waits, lets go of it for a consolidation, which needs the room."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import filelock

from ..memory.home import Home

TICK_S = 1.0  # how often what rests looks whether it should let go of the model


def consolidates(home: Home) -> bool:
    """Whether a consolidation is at work on a home's store."""
    if not home.lock.exists():
        return False
    try:
        with at_rest(home) as rests:
            return not rests
    except OSError:  # the home was removed, or is another's
        return False


@contextmanager
def at_rest(home: Home) -> Iterator[bool]:
    """Whether no consolidation is at work on a home's store; where none is, none begins meanwhile."""
    # Another one that only looks holds it for less than a thousandth of a second.
    lock = filelock.FileLock(home.lock, timeout=0.05, poll_interval=0.01, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def give_back() -> None:
    """Return to the system what a model took that nothing refers to any more."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def ran_out(error: BaseException) -> bool:
    """Whether what went wrong is a want of memory: torch has a class of its own for CUDA alone."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "memory" in str(error)
    )
