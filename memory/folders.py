"""What became of files that were taken in before: moved, renamed, or not there any more.

A file is known by its bytes: where one appears that is the same as a source whose own file is gone, it is
that source under another path, and keeps all that was learned from it.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from .store import Record, Store


def moved_from(store: Store, sha256: str) -> Record | None:
    """The source whose file held these bytes and is not at its path any more, the oldest of several."""
    for source in store.rows(
        "SELECT id, path, sha256 FROM sources WHERE sha256 = ? AND root != '' ORDER BY id", sha256
    ):
        if is_gone(Path(source["path"])):
            return source
    return None


def vanished(store: Store, given: Iterable[Path]) -> list[Record]:
    """The sources in some files and folders that are there themselves, whose own file is not."""
    looked_through = {path for path in given if os.path.exists(path)}
    return [
        source
        for source in store.rows("SELECT id, path FROM sources WHERE root != '' ORDER BY path")
        if _is_in(Path(source["path"]), looked_through) and is_gone(Path(source["path"]))
    ]


def _is_in(path: Path, folders: Collection[Path]) -> bool:
    return path in folders or any(folder in folders for folder in path.parents)


def is_gone(path: Path) -> bool:
    """Deleted or emptied; what cannot be looked at may still be there."""
    try:
        return path.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
