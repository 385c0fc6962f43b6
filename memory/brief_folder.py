"""Folders for plain text that is needed for a moment, for their owner alone.

They lie among the system's temporary files, for they may be needed without a home folder. A process that is
killed leaves its own behind: the next one to make one, or to forget something, removes it. Whose process is
alive holds a lock on it, which the kernel lets go with the process.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "learnctl-brief-"


class BriefFolder:
    """A folder at `path`, until it is removed."""

    def __init__(self) -> None:
        remove_left_behind()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            # Another process may have found it before it was locked, and taken it for one that was left.
            with suppress(FileNotFoundError):
                self._lock = os.open(self.path, os.O_RDONLY)
                with suppress(OSError):  # no locks there: none is taken for left behind either
                    fcntl.flock(self._lock, fcntl.LOCK_EX)
                if self.path.exists():
                    return
                os.close(self._lock)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def remove_left_behind() -> None:
    """Remove the folders of processes that were killed."""
    try:
        folder = Path(tempfile.gettempdir())
    except OSError:  # none can be written to, as where the disk is full
        return
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if path.lstat().st_uid == os.getuid():
                _remove_unless_held(path)


def _remove_unless_held(path: Path) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
