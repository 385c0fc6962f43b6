"""What the system refuses to a run, as one line that says what to do about it."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ..memory.errors import LearnctlError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
GOES_ON = "the next consolidation goes on from the last checkpoint"


@contextmanager
def faults_of_the_system() -> Iterator[None]:
    """Raises `LearnctlError` for a full disk, a store that another program holds, a file that cannot be read or
    written."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, sqlite3.OperationalError, SafetensorError) as error:
        raise LearnctlError(
            f"the run could not go on: {error}", hint=f"{_remedy(error)}; {GOES_ON}"
        ) from error


def _remedy(error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what says where it happened
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return "another program writes to the store: wait until it is done, or end it"
        is_full = code == sqlite3.SQLITE_FULL
    else:
        # safetensors hands on what the system said as text alone.
        is_full = getattr(error, "errno", None) in FULL or "No space left" in str(error)
    return (
        "free some disk"
        if is_full
        else "`learnctl doctor` looks at the disk and at who owns the files"
    )
