"""Files that an ingest skipped or refused, and why, until one takes them in or meets them no more."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from .store import LISTED, Record, Store, to_json

_IN_ARCHIVE = "!/"


def keep(
    store: Store, looked_at: Collection[Path], found: Iterable[Record], unchanged: Collection[str]
) -> None:
    """Keep what was passed over in some files and folders; what was known of them is replaced.

    Args:
        found: each with its `path` and the `reason`.
        unchanged: files that were not read again, so that what was known of those in them holds.
    """
    reasons = {entry["path"]: entry["reason"] for entry in found}
    known = {
        path: reason
        for path, reason in store.db.execute("SELECT path, reason FROM passed_over")
        if _is_within(path, looked_at) and _file(path) not in unchanged
    }
    gone = known.keys() - reasons.keys()
    new = dict(reasons.items() - known.items())
    if gone or new:
        with store.db.atomic():
            _delete(store, gone)
            store.db.conn.executemany("REPLACE INTO passed_over VALUES (?, ?)", new.items())


def forget(store: Store, source_ids: Collection[int]) -> None:
    """Keep nothing of some files, nor of what is in them where they are archives; nor of what lay beside them in
    a folder of which no other source is left."""
    listed_ids = to_json(list(source_ids))
    paths = {
        source["path"]
        for source in store.rows(f"SELECT path FROM sources WHERE id IN {LISTED}", listed_ids)
    }
    folders = [
        Path(source["root"])
        for source in store.rows(
            f"SELECT DISTINCT root FROM sources WHERE id IN {LISTED} AND root != ''"
            f" AND root NOT IN (SELECT root FROM sources WHERE id NOT IN {LISTED})",
            listed_ids,
            listed_ids,
        )
    ]
    known = (path for (path,) in store.db.execute("SELECT path FROM passed_over").fetchall())
    _delete(store, [path for path in known if _file(path) in paths or _is_within(path, folders)])


def listed(store: Store, name: str | None = None) -> list[Record]:
    """All of them, or those meant by a path, a folder, or the last part of a path: `path` and `reason`."""
    found = store.rows("SELECT path, reason FROM passed_over ORDER BY path")
    if name is None:
        return found
    wanted = Path(os.path.abspath(os.path.expanduser(name)))
    return [
        entry
        for entry in found
        if _is_within(entry["path"], [wanted]) or f"/{entry['path']}".endswith(f"/{name}")
    ]


def _delete(store: Store, paths: Iterable[str]) -> None:
    store.db.conn.executemany("DELETE FROM passed_over WHERE path = ?", [(path,) for path in paths])


def _is_within(path: str, places: Collection[Path]) -> bool:
    file = Path(_file(path))
    return file in places or any(folder in places for folder in file.parents)


def _file(path: str) -> str:
    """The file that something lies in, which for what is in no archive is itself."""
    return path.partition(_IN_ARCHIVE)[0]
