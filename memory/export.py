"""The store as records that any program can read, one object each, with its `type`."""

import json
from collections.abc import Iterator

from .store import Record, Store

TYPES = ("source", "document", "conversation", "sample", "probe", "run", "version")


def records(store: Store) -> Iterator[Record]:
    """Everything that was taken in and made of it, one object at a time, in the order of `TYPES`."""
    for row in store.db.query(
        "SELECT id, path, format, sha256, n_bytes, ingested_at, trust, learn FROM sources ORDER BY id"
    ):
        yield {"type": "source", **row}
    for row in store.db.query("SELECT id, sha256, title, author, date FROM documents ORDER BY id"):
        yield {
            "type": "document",
            **row,
            "sources": _numbers(store, "source_documents", "document_id", row["id"]),
            "chunks": store.rows(
                "SELECT c.id, c.kind, dc.heading, c.language, c.text FROM document_chunks dc"
                " JOIN chunks c ON c.id = dc.chunk_id WHERE dc.document_id = ? ORDER BY dc.position",
                row["id"],
            ),
        }
    for row in store.db.query(
        "SELECT id, sha256, external_id, title, started_at FROM conversations ORDER BY id"
    ):
        yield {
            "type": "conversation",
            **row,
            "sources": _numbers(store, "source_conversations", "conversation_id", row["id"]),
            "messages": _messages(store, "messages", row["id"]),
            "alternatives": _messages(store, "alternatives", row["id"]),
        }
    for row in store.db.query("SELECT * FROM samples ORDER BY id"):
        yield {"type": "sample", **row}
    for row in store.db.query("SELECT * FROM probes ORDER BY id"):
        yield {"type": "probe", **row}
    for row in store.db.query("SELECT * FROM runs ORDER BY id"):
        made = {name: json.loads(row[name] or "null") for name in ("options", "report")}
        samples = store.rows(
            "SELECT sample_id AS sample, role FROM run_samples WHERE run_id = ? ORDER BY 1",
            row["id"],
        )
        yield {"type": "run", **row, **made, "samples": samples}
    for row in store.db.query("SELECT * FROM adapters ORDER BY version"):
        yield {"type": "version", **row}


def _messages(store: Store, table: str, conversation_id: int) -> list[Record]:
    speaker = "speaker" if table == "messages" else "NULL AS speaker"
    return store.rows(
        f"SELECT role, {speaker}, text, created_at FROM {table}"
        " WHERE conversation_id = ? ORDER BY position",
        conversation_id,
    )


def _numbers(store: Store, link: str, key: str, held_id: int) -> list[int]:
    rows = store.rows(f"SELECT source_id FROM {link} WHERE {key} = ? ORDER BY 1", held_id)
    return [row["source_id"] for row in rows]
