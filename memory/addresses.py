"""The addresses of chunks, documents and conversations: hashes of all that is said of each.

The same content has the same address, whichever file it came from; what was corrected, be it an author or a
date, has another.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlite_utils import Database


def chunk_sha256(kind: str, text: str) -> str:
    return _sha256(kind, text)


def document_sha256(
    title: str, author: str | None, date: str | None, passages: Iterable[tuple[str, str]]
) -> str:
    """Of a document with its passages, each a heading and a text."""
    return _sha256(title, author, date, *(part for passage in passages for part in passage))


def conversation_sha256(
    title: str,
    external_id: str | None,
    started_at: str | None,
    messages: Iterable[tuple[str, str | None, str, str | None]],
    alternatives: Iterable[tuple[str, str, str | None]] = (),
) -> str:
    """Of a conversation with its messages, each a role, speaker, text and date, and with the answers that
    were made again, which have no speaker."""
    said = (part for message in messages for part in message)
    again = (part for other in alternatives for part in other)
    return _sha256(title, external_id, started_at, *said, "alternatives", *again)


def stored_document_sha256(db: Database, document_id: int) -> str | None:
    """The address that follows from what is stored; None where no passage is left of the document."""
    head = _row(db, "SELECT title, author, date FROM documents WHERE id = ?", document_id)
    passages = db.execute(
        "SELECT dc.heading, c.text FROM document_chunks dc JOIN chunks c ON c.id = dc.chunk_id"
        " WHERE dc.document_id = ? ORDER BY dc.position",
        [document_id],
    ).fetchall()
    if head is None or not passages:
        return None
    title, author, date = head
    return document_sha256(title, author, date, passages)


def stored_conversation_sha256(db: Database, conversation_id: int) -> str | None:
    """The same for a conversation; None where no message is left of it."""
    about = "SELECT title, external_id, started_at FROM conversations WHERE id = ?"
    head = _row(db, about, conversation_id)
    messages = db.execute(
        "SELECT role, speaker, text, created_at FROM messages WHERE conversation_id = ?"
        " ORDER BY position",
        [conversation_id],
    ).fetchall()
    alternatives = db.execute(
        "SELECT role, text, created_at FROM alternatives WHERE conversation_id = ?"
        " ORDER BY position, id",
        [conversation_id],
    ).fetchall()
    if head is None or not messages:
        return None
    title, external_id, started_at = head
    return conversation_sha256(title, external_id, started_at, messages, alternatives)


def give_again(db: Database) -> None:
    """Give every document and conversation the address that follows from what is stored."""
    for table, stored_sha256 in (
        ("documents", stored_document_sha256),
        ("conversations", stored_conversation_sha256),
    ):
        for (number,) in db.execute(f"SELECT id FROM {table}").fetchall():
            if digest := stored_sha256(db, number):
                db.execute(f"UPDATE {table} SET sha256 = ? WHERE id = ?", [digest, number])


def _row(db: Database, query: str, number: int) -> Any:
    return db.execute(query, [number]).fetchone()


def _sha256(*parts: str | None) -> str:
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()
