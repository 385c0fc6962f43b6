"""What holds a model, the daemon or a chat that waits, lets go of it for a consolidation, which needs the room."""

import gc

import filelock

from ..memory.home import Home

TICK_S = 1.0  # how often what rests looks whether it should let go of the model


def consolidates(home: Home) -> bool:
    """Whether a consolidation is at work on a home's store."""
    if not home.lock.exists():
        return False
    try:
        with filelock.FileLock(home.lock, timeout=0, mode=0o600):
            return False
    except filelock.Timeout:
        return True


def give_back() -> None:
    """Return to the system what a model took that nothing refers to any more."""
    gc.collect()
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
