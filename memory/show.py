"""What a source, a chunk or a sample is, down to the line or message it came from."""

from pathlib import Path

from .errors import LearnctlError
from .readers.binary import HEAD_BYTES
from .store import Record, Store

# A file is searched for the line that a chunk stands on only up to this size.
LARGEST_SEARCHED = 64 * 2**20
# Of a chunk's first line, what has to be found in the file.
TELLING_CHARACTERS = 60


def source(store: Store, source_id: int) -> Record:
    """A source with its documents, passage by passage, and its conversations, message by message."""
    found = store.row("SELECT * FROM sources WHERE id = ?", source_id)
    if found is None:
        raise LearnctlError(f"no source {source_id}", hint="`learnctl sources` lists them")
    documents = store.rows(
        "SELECT d.id, d.title, d.author, d.date FROM documents d JOIN source_documents sd"
        " ON sd.document_id = d.id WHERE sd.source_id = ? ORDER BY d.id",
        source_id,
    )
    for document in documents:
        document["passages"] = store.rows(
            "SELECT c.id AS chunk, dc.heading, c.text FROM document_chunks dc"
            " JOIN chunks c ON c.id = dc.chunk_id WHERE dc.document_id = ? ORDER BY dc.position",
            document.pop("id"),
        )
    conversations = store.rows(
        "SELECT c.id, c.title, c.started_at FROM conversations c JOIN source_conversations sc"
        " ON sc.conversation_id = c.id WHERE sc.source_id = ? ORDER BY c.id",
        source_id,
    )
    for conversation in conversations:
        conversation["messages"] = [
            {**message, "chunks": [int(n) for n in (message["chunks"] or "").split(",") if n]}
            for message in store.rows(
                "SELECT m.position + 1 AS number, coalesce(m.speaker, m.role) AS speaker,"
                " m.created_at AS date, m.text,"
                " (SELECT group_concat(chunk_id) FROM message_chunks WHERE message_id = m.id) AS chunks"
                " FROM messages m WHERE m.conversation_id = ? ORDER BY m.position",
                conversation.pop("id"),
            )
        ]
    return {**found, "documents": documents, "conversations": conversations}


def chunk(store: Store, chunk_id: int) -> Record:
    """A chunk with every place it came from, and what was made of it.

    Raises:
        LearnctlError: there is none of that number.
    """
    found = store.row(
        "SELECT id, kind, language, quarantine, text FROM chunks WHERE id = ?", chunk_id
    )
    if found is None:
        raise LearnctlError(f"no chunk {chunk_id}", hint="`learnctl search` names chunks")
    origins = store.rows(
        "SELECT s.path AS source, o.title, o.heading, m.position + 1 AS message,"
        " coalesce(m.speaker, m.role) AS speaker, o.date"
        " FROM origins o JOIN sources s ON s.id = o.source_id"
        " LEFT JOIN messages m ON m.id = o.message_id"
        " WHERE o.chunk_id = ? ORDER BY s.id, o.position",
        chunk_id,
    )
    for origin in origins:
        origin["line"] = line_of(Path(origin["source"]), found["text"])
    return {
        **found,
        "origins": origins,
        "samples": store.rows(
            "SELECT id, kind, prompt, answer FROM samples WHERE chunk_id = ? ORDER BY id", chunk_id
        ),
        "probes": store.rows(
            "SELECT id, question, gold FROM probes WHERE chunk_id = ? ORDER BY id", chunk_id
        ),
    }


def sample(store: Store, sample_id: int) -> Record:
    """A sample with the chunk it was made of, and the runs and versions that used it.

    Raises:
        LearnctlError: there is none of that number, or it was forgotten.
    """
    found = store.row(
        "SELECT id, kind, prompt, answer, chunk_id AS chunk, base_digest, created_at FROM samples"
        " WHERE id = ?",
        sample_id,
    )
    if found is None:
        raise LearnctlError(
            f"no sample {sample_id}", hint="`learnctl show chunk:N` names those of a chunk"
        )
    runs = store.rows(
        "SELECT rs.run_id AS run, rs.role, rs.why, r.state, a.version FROM run_samples rs"
        " JOIN runs r ON r.id = rs.run_id"
        " LEFT JOIN adapters a ON a.run_id = r.id AND a.state != 'deleted'"
        " WHERE rs.sample_id = ? ORDER BY rs.run_id",
        sample_id,
    )
    return {**found, "runs": runs}


def line_of(path: Path, text: str) -> int | None:
    """The line of a plain file on which a text begins; None where that cannot be told."""
    wanted = text.split("\n", 1)[0][:TELLING_CHARACTERS].strip()
    try:
        if not wanted or not path.is_file() or path.stat().st_size > LARGEST_SEARCHED:
            return None
        with path.open("rb") as file:
            if b"\0" in file.read(HEAD_BYTES):
                return None
        with path.open(encoding="utf-8", errors="replace") as file:
            return next((n for n, line in enumerate(file, 1) if wanted in line), None)
    except OSError:
        return None
