"""What a source holds, put into the store and taken out of it.

Rules: the same text is stored once; a chunk lives as long as one source holds it; with a chunk go
its samples and probes. Taking out never touches what another source still holds.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from . import forgotten
from .chunk import Chunk, document_chunks, message_chunks
from .lineage import mark_adapters, trained_on
from .records import Conversation, Document, Item, Message, Section
from .redact import Redactor
from .store import Record, Store, marks, now


def put(store: Store, source_id: int, item: Item) -> Record:
    """Put one document or conversation under a source; secrets are replaced first.

    Returns the counts of what was new: documents, conversations, messages, chunks; and of what was left
    out because it was forgotten.
    """
    if isinstance(item, Document):
        return _put_document(store, source_id, item)
    return _put_conversation(store, source_id, item)


def unlink(store: Store, source_id: int) -> None:
    """Part a source from all it holds; `sweep` then removes what nobody holds any more."""
    for link in ("source_documents", "source_conversations"):
        store.db.execute(f"DELETE FROM {link} WHERE source_id = ?", [source_id])


def is_empty(store: Store, source_id: int) -> bool:
    """Whether a source holds nothing."""
    return not store.value(
        "SELECT EXISTS (SELECT 1 FROM source_documents WHERE source_id = ?1)"
        " OR EXISTS (SELECT 1 FROM source_conversations WHERE source_id = ?1)",
        source_id,
    )


def sweep(store: Store, source_id: int | None = None) -> Record:
    """Remove what no source holds; adapters that learned from it are marked stale.

    Args:
        source_id: the source that held it and lives on; forgetting it later must find those adapters.

    Returns the counts of what went: documents, chunks, samples.
    """
    store.leave_traces()
    n_documents = 0
    for table, link, key in (
        ("documents", "source_documents", "document_id"),
        ("conversations", "source_conversations", "conversation_id"),
    ):
        orphans = f"SELECT id FROM {table} WHERE id NOT IN (SELECT {key} FROM {link})"
        n_documents += store.value(f"SELECT count(*) FROM ({orphans})")
        store.db.execute(f"DELETE FROM {table} WHERE id IN ({orphans})")
    chunk_ids = [
        row["id"]
        for row in store.rows(
            "SELECT id FROM chunks WHERE id NOT IN (SELECT chunk_id FROM document_chunks)"
            " AND id NOT IN (SELECT chunk_id FROM message_chunks)"
        )
    ]
    n_samples, versions = remove_samples(store, chunk_ids)
    mark_adapters(store, versions, "stale")
    if source_id is not None:
        for version in versions:
            _link(store, "outgrown", source_id, version)
    for some in _batches(chunk_ids):
        store.db.execute(f"DELETE FROM chunks WHERE id IN ({marks(some)})", some)
    return {"documents": n_documents, "chunks": len(chunk_ids), "samples": n_samples}


def remove_samples(store: Store, chunk_ids: list[int]) -> tuple[int, set[int]]:
    """Delete all that was made of some chunks; how many samples, and the versions trained on them."""
    n_samples = 0
    versions: set[int] = set()
    for some in _batches(chunk_ids):
        of_chunks = f"SELECT id FROM samples WHERE chunk_id IN ({marks(some)})"
        versions |= trained_on(store, of_chunks, some)
        n_samples += store.value(f"SELECT count(*) FROM ({of_chunks})", *some)
        for table in ("samples", "probes", "studied"):
            store.db.execute(f"DELETE FROM {table} WHERE chunk_id IN ({marks(some)})", some)
    return n_samples, versions


def chunk_sha256(kind: str, text: str) -> str:
    """The address of a chunk."""
    return _sha256(kind, text)


def document_sha256(title: str, passages: Iterable[tuple[str, str]]) -> str:
    """The address of a document: of its title and the heading and text of each chunk."""
    return _sha256(title, *(part for passage in passages for part in passage))


def conversation_sha256(
    title: str, external_id: str | None, messages: Iterable[tuple[str, str | None, str]]
) -> str:
    """The address of a conversation; a message is its role, speaker and text."""
    parts = (part or "" for message in messages for part in message)
    return _sha256(title, external_id or "", *parts)


def stored_document_sha256(store: Store, document_id: int) -> str | None:
    """The address that follows from what is stored; None where nothing is left of the document."""
    passages = store.rows(
        "SELECT dc.heading, c.text FROM document_chunks dc JOIN chunks c ON c.id = dc.chunk_id"
        " WHERE dc.document_id = ? ORDER BY dc.position",
        document_id,
    )
    title = store.value("SELECT title FROM documents WHERE id = ?", document_id)
    parts = [(passage["heading"], passage["text"]) for passage in passages]
    return document_sha256(title, parts) if parts else None


def stored_conversation_sha256(store: Store, conversation_id: int) -> str | None:
    """The same for a conversation."""
    messages = store.rows(
        "SELECT role, speaker, text FROM messages WHERE conversation_id = ? ORDER BY position",
        conversation_id,
    )
    head = store.row("SELECT title, external_id FROM conversations WHERE id = ?", conversation_id)
    parts = [(message["role"], message["speaker"], message["text"]) for message in messages]
    return (
        conversation_sha256(head["title"], head["external_id"], parts) if head and parts else None
    )


def address_again(store: Store, document_ids: list[int], conversation_ids: list[int]) -> int:
    """Give new addresses to what lost a part; how many documents and conversations nothing is left of.

    They are deleted, and two that became the same become one.
    """
    n_emptied = 0
    for table, link, key, ids, stored_sha256 in (
        ("documents", "source_documents", "document_id", document_ids, stored_document_sha256),
        (
            "conversations",
            "source_conversations",
            "conversation_id",
            conversation_ids,
            stored_conversation_sha256,
        ),
    ):
        for number in ids:
            digest = stored_sha256(store, number)
            same = store.value(
                f"SELECT id FROM {table} WHERE sha256 = ? AND id != ?", digest, number
            )
            if same is not None:
                store.db.execute(
                    f"INSERT OR IGNORE INTO {link} SELECT source_id, ? FROM {link} WHERE {key} = ?",
                    [same, number],
                )
            if digest is None or same is not None:
                store.db.execute(f"DELETE FROM {table} WHERE id = ?", [number])
                n_emptied += digest is None
            else:
                store.db.execute(f"UPDATE {table} SET sha256 = ? WHERE id = ?", [digest, number])
    return n_emptied


def _put_document(store: Store, source_id: int, document: Document) -> Record:
    redact = Redactor.of(store)
    title = redact(document.title)
    # Before it is cut: half a secret is not recognised.
    sections = tuple(Section(redact(s.heading), redact(s.text)) for s in document.sections)
    author = redact(document.author or "") or None
    rules = forgotten.load(store)
    whole = list(document_chunks(replace(document, sections=sections)))
    chunks = [
        chunk
        for chunk in whole
        if not rules.cover((title, author, chunk.heading, chunk.text), author, document.date)
    ]
    n_forgotten = len(whole) - len(chunks)
    if n_forgotten and not chunks:
        return {"forgotten": n_forgotten}
    digest = document_sha256(title, [(chunk.heading, chunk.text) for chunk in chunks])
    known = store.value("SELECT id FROM documents WHERE sha256 = ?", digest)
    new_chunks = 0
    if known is None:
        known = _insert(
            store,
            "documents",
            {
                "sha256": digest,
                "title": title,
                "author": author,
                "date": document.date,
            },
        )
        for position, chunk in enumerate(chunks):
            chunk_id, is_new = _put_chunk(store, chunk)
            new_chunks += is_new
            place = {"document_id": known, "chunk_id": chunk_id, "position": position}
            _insert(store, "document_chunks", {**place, "heading": chunk.heading})
        new_documents = 1
    else:
        new_documents = 0
    _link(store, "source_documents", source_id, known)
    return {"documents": new_documents, "chunks": new_chunks, "forgotten": n_forgotten}


def _put_conversation(store: Store, source_id: int, conversation: Conversation) -> Record:
    redact = Redactor.of(store)
    title = redact(conversation.title)
    rules = forgotten.load(store)

    def kept(messages: Iterable[Message]) -> list[Message]:
        context = (title, conversation.external_id)
        return [
            message
            for message in (_without_secrets(message, redact) for message in messages)
            if not rules.cover(
                (*context, message.speaker, message.text),
                message.speaker,
                message.created_at or conversation.started_at,
            )
        ]

    messages = kept(conversation.messages)
    n_forgotten = len(conversation.messages) - len(messages)
    if n_forgotten and not messages:
        return {"forgotten": n_forgotten}
    digest = conversation_sha256(
        title, conversation.external_id, [(m.role, m.speaker, m.text) for m in messages]
    )
    known = store.value("SELECT id FROM conversations WHERE sha256 = ?", digest)
    counts = {"conversations": 0, "messages": 0, "chunks": 0, "forgotten": n_forgotten}
    if known is None:
        known = _insert(
            store,
            "conversations",
            {
                "sha256": digest,
                "external_id": conversation.external_id,
                "title": title,
                "started_at": conversation.started_at,
            },
        )
        counts["conversations"] = 1
        for message in messages:
            for key, value in _put_message(store, known, message).items():
                counts[key] += value
        for position, other in enumerate(kept(conversation.alternatives)):
            record = {"role": other.role, "text": other.text, "created_at": other.created_at}
            place = {"conversation_id": known, "position": position}
            _insert(store, "alternatives", place | record)
    _link(store, "source_conversations", source_id, known)
    return counts


def put_message(store: Store, conversation_id: int, message: Message) -> Record:
    """Add one message to the end of a conversation. Returns counts: messages, chunks."""
    return _put_message(store, conversation_id, _without_secrets(message, Redactor.of(store)))


def _without_secrets(message: Message, redact: Redactor) -> Message:
    speaker = redact(message.speaker) if message.speaker else None
    return replace(message, text=redact(message.text), speaker=speaker)


def _put_message(store: Store, conversation_id: int, message: Message) -> Record:
    position = store.value(
        "SELECT coalesce(max(position) + 1, 0) FROM messages WHERE conversation_id = ?",
        conversation_id,
    )
    message_id = _insert(
        store,
        "messages",
        {
            "conversation_id": conversation_id,
            "position": position,
            "role": message.role,
            "text": message.text,
            "created_at": message.created_at,
            "speaker": message.speaker,
        },
    )
    n_chunks = 0
    for place, chunk in enumerate(message_chunks(message)):
        chunk_id, is_new = _put_chunk(store, chunk)
        n_chunks += is_new
        _insert(
            store,
            "message_chunks",
            {"message_id": message_id, "chunk_id": chunk_id, "position": place},
        )
    return {"messages": 1, "chunks": n_chunks}


def _put_chunk(store: Store, chunk: Chunk) -> tuple[int, bool]:
    digest = chunk_sha256(chunk.kind, chunk.text)
    known = store.value("SELECT id FROM chunks WHERE sha256 = ?", digest)
    if known is not None:
        return int(known), False
    record = {
        "sha256": digest,
        "kind": chunk.kind,
        "text": chunk.text,
        "n_words": len(chunk.text.split()),
        "created_at": now(),
    }
    return _insert(store, "chunks", record), True


def _insert(store: Store, table: str, record: Record) -> int:
    names = ", ".join(record)
    cursor = store.db.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks(record)})", list(record.values())
    )
    return int(cursor.lastrowid or 0)


def _link(store: Store, table: str, source_id: int, held_id: int) -> None:
    store.db.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", [source_id, held_id])


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _batches(values: list[int], size: int = 500) -> Iterable[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))
