"""What became of files that were taken in before: moved, renamed, ignored, or not there any more.

A file is known by its bytes: where one appears that is the same as a source whose own file is gone, it is
that source under another path, and keeps all that was learned from it.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from .lineage import outgrown
from .readers import is_one_export
from .store import Record, Store


def moved_from(store: Store, sha256: str) -> Record | None:
    """The source whose file held these bytes and is not at its path any more, the oldest of several."""
    for source in store.rows(
        "SELECT id, path, sha256 FROM sources WHERE sha256 = ? AND root != '' ORDER BY id", sha256
    ):
        if _is_gone(Path(source["path"])):
            return source
    return None


def vanished(store: Store, given: Iterable[Path]) -> list[Record]:
    """The sources in some files and folders that are there themselves, whose own file is not."""
    looked_through = {path for path in given if os.path.exists(path)}
    return [source for source in _under(store, looked_through) if _is_gone(Path(source["path"]))]


def ignored(store: Store, passed_over: Collection[Path]) -> list[Record]:
    """The sources whose file is there, but it or a folder above it is passed over by now."""
    return [source for source in _under(store, passed_over) if not _is_gone(Path(source["path"]))]


def _under(store: Store, paths: Collection[Path]) -> Iterator[Record]:
    if not paths:
        return
    for source in store.rows(
        "SELECT id, path, n_bytes FROM sources WHERE root != '' ORDER BY path"
    ):
        path = Path(source["path"])
        is_under = path in paths or any(folder in paths for folder in path.parents)
        # Of what was given back the name is left alone, while a version is there that learned from it.
        if is_under and (source["n_bytes"] or not outgrown(store, source["id"])):
            yield source


def _is_gone(path: Path) -> bool:
    """Deleted, emptied, or a folder instead; what cannot be looked at may still be there."""
    try:
        found = path.stat()
        return not is_one_export(path) if stat.S_ISDIR(found.st_mode) else found.st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
