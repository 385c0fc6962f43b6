"""Files whose source was forgotten by name: no night takes them in again, until somebody asks for them.

A file is known by its path, and by its bytes wherever they lie now. Both are kept as keyed hashes, as the
names and words in a rule are (`forgotten`).
"""

from contextlib import suppress
from pathlib import Path

from . import source_bytes
from .forgotten import key_of, keyed
from .store import LISTED, Record, Store, marks, to_json


def remember(store: Store, source_ids: list[int]) -> None:
    """Keep the files of some sources out from now on."""
    for source in store.rows(
        f"SELECT path, sha256 FROM sources WHERE root != '' AND id IN {LISTED}",
        to_json(source_ids),
    ):
        store.db.conn.executemany(
            "INSERT OR IGNORE INTO forgotten_files VALUES (?)",
            [(name,) for name in _names(store, source["path"], _digest(source))],
        )


def hold(store: Store, path: str, sha256: str) -> bool:
    """Whether a file is kept out."""
    if not store.value("SELECT EXISTS (SELECT 1 FROM forgotten_files)"):
        return False
    names = _names(store, path, sha256)
    found = f"SELECT 1 FROM forgotten_files WHERE name IN ({marks(names)})"
    return store.value(found, *names) is not None


def lift(store: Store, path: str, sha256: str) -> None:
    """Keep a file out no longer."""
    names = _names(store, path, sha256)
    store.db.execute(f"DELETE FROM forgotten_files WHERE name IN ({marks(names)})", names)


def _digest(source: Record) -> str:
    """That of a source's file; one that is to be read anew has none in the store, so its file is asked, if it is there."""
    with suppress(OSError):
        return str(source["sha256"]) or source_bytes.sha256(Path(source["path"]))
    return ""


def _names(store: Store, path: str, sha256: str) -> list[str]:
    known = [f"path {path}", *([f"bytes {sha256}"] if sha256 else [])]
    key = key_of(store)
    return [keyed(key, name) for name in known]
