"""Whether the store is whole: the database, its index, its addresses, what belongs to what, who may read it."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import addresses, contents
from .lineage import in_service
from .store import HEADINGS_INDEX, INDEXES, Store

# What each repair mends; both lose nothing that is not lost already.
INDEX, ORPHANS, MODES = "index", "orphans", "modes"

_ORPHANS = {
    "documents": "id NOT IN (SELECT document_id FROM source_documents)",
    "conversations": "id NOT IN (SELECT conversation_id FROM source_conversations)",
    "chunks": "id NOT IN (SELECT chunk_id FROM document_chunks)"
    " AND id NOT IN (SELECT chunk_id FROM message_chunks)",
}


@dataclass(frozen=True)
class Fault:
    """One line; `repair` names what would mend it, where that is safe."""

    text: str
    repair: str = ""


def check(store: Store) -> Iterator[Fault]:
    """Every fault of the store and of the modes of its files."""
    damage = list(_integrity(store))
    yield from damage
    yield from _modes(store.home.path)
    if not damage:  # else what follows reads pages that are damaged
        yield from _index(store)
        yield from _addresses(store)
        yield from _orphans(store)
        yield from _lineage(store)


def repair(store: Store, faults: list[Fault]) -> None:
    """Mend what can be mended without loss."""
    wanted = {fault.repair for fault in faults}
    if INDEX in wanted:
        with store.db.atomic():
            store.db.execute("INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')")
            store.db.execute("DROP TABLE headings_fts")
            store.db.execute(HEADINGS_INDEX)
            store.db.execute("INSERT INTO headings_fts (rowid, text) SELECT id, text FROM headings")
    if ORPHANS in wanted:
        with store.db.atomic():
            contents.sweep(store)
        store.erase_traces()
    if MODES in wanted:
        for path in (store.home.path, *store.home.path.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o700 if path.is_dir() else 0o600)


def _integrity(store: Store) -> Iterator[Fault]:
    try:
        for row in store.rows("PRAGMA integrity_check"):
            # Damage of the index's own is found, and mended, apart from that of texts.
            told = row["integrity_check"]
            if told != "ok" and not any(index in told for index in INDEXES):
                yield Fault(f"database: {told}")
        for row in store.rows("PRAGMA foreign_key_check"):
            yield Fault(
                f"database: row {row['rowid']} of {row['table']} names a row of {row['parent']}"
                " that is not there"
            )
    except sqlite3.DatabaseError as error:
        yield Fault(f"database: {error}")


def _index(store: Store) -> Iterator[Fault]:
    try:
        with store.db.atomic():
            for index in INDEXES:
                store.db.execute(
                    f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)"
                )
            indexed, there = "SELECT rowid, text FROM headings_fts", "SELECT id, text FROM headings"
            for one, other in ((indexed, there), (there, indexed)):
                if store.row(f"{one} EXCEPT {other} LIMIT 1"):
                    raise sqlite3.DatabaseError
    except sqlite3.OperationalError as error:
        yield Fault(f"index: cannot be examined: {error}")
    except sqlite3.DatabaseError:
        yield Fault("index: does not agree with the texts", INDEX)


def _addresses(store: Store) -> Iterator[Fault]:
    for row in store.db.query("SELECT id, sha256, kind, text FROM chunks"):
        if addresses.chunk_sha256(row["kind"], row["text"]) != row["sha256"]:
            yield Fault(f"chunk {row['id']}: its text is not what was stored")
    for row in store.rows("SELECT id, sha256 FROM documents"):
        if addresses.stored_document_sha256(store.db, row["id"]) not in (row["sha256"], None):
            yield Fault(f"document {row['id']}: its parts are not what was stored")
    for row in store.rows(
        "SELECT id, sha256 FROM conversations WHERE coalesce(external_id, '') NOT LIKE 'chat:%'"
    ):  # chats of ours go on after they got their address
        if addresses.stored_conversation_sha256(store.db, row["id"]) not in (row["sha256"], None):
            yield Fault(f"conversation {row['id']}: its messages are not what was stored")


def _orphans(store: Store) -> Iterator[Fault]:
    for table, condition in _ORPHANS.items():
        if number := store.value(f"SELECT count(*) FROM {table} WHERE {condition}"):
            yield Fault(f"{table}: {number} that no source holds", ORPHANS)


def _lineage(store: Store) -> Iterator[Fault]:
    """Numbers that the schema does not keep itself: parents, and what is in service."""
    versions = {row["version"] for row in store.rows("SELECT version FROM adapters")}
    for row in store.rows("SELECT version, parent FROM adapters WHERE state != 'deleted'"):
        if row["parent"] and row["parent"] not in versions:
            yield Fault(f"version {row['version']}: its parent {row['parent']} is not known")
    for row in store.rows("SELECT id, parent FROM runs"):
        if row["parent"] and row["parent"] not in versions:
            yield Fault(f"run {row['id']}: its parent {row['parent']} is not known")
    for row in store.rows(
        "SELECT id, kind FROM samples WHERE chunk_id IS NULL AND kind NOT LIKE 'general%'"
    ):
        yield Fault(f"sample {row['id']}: a {row['kind']} that names no chunk")
    chosen = int(store.setting("in_service", "0"))
    if chosen not in (0, *versions):
        yield Fault(
            f"version {chosen} is to be in service and is not known; {in_service(store)} is"
        )


def _modes(home: Path) -> Iterator[Fault]:
    if os.name != "posix":
        return
    for path in sorted((home, *home.rglob("*"))):
        if path.is_symlink():
            yield Fault(f"{path}: a link; nothing here should be one")
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = 0o700 if path.is_dir() else 0o600
        if mode != wanted:
            yield Fault(f"{path}: mode {mode:04o} instead of {wanted:04o}", MODES)
