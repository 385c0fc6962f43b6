"""Taking back by rule: what a person said, what is of a time, what has some words.

What goes: the passages and messages that the rule covers, wherever they came from, and all that was made of
them; documents, conversations and sources of which nothing is left; and samples, answers and questions
that have the words themselves. The same text stays where the rule does not cover it. Every adapter that
learned of a source it touches, as it is or once was, is marked `deleted`.
"""

from . import contents, forgotten
from .forgotten import Rule, Rules
from .lineage import mark_adapters, trained_on
from .store import Record, Store

# Of what a rule covers, how much is shown beforehand.
EXAMPLES = 20

_COVERED = "SELECT id FROM covered WHERE what = "
_CHUNKS = f"""
    SELECT chunk_id FROM document_chunks WHERE rowid IN ({_COVERED}'passage')
    UNION SELECT chunk_id FROM message_chunks WHERE message_id IN ({_COVERED}'message')
"""
_DOCUMENTS = f"SELECT document_id FROM document_chunks WHERE rowid IN ({_COVERED}'passage')"
_CONVERSATIONS = f"""
    SELECT conversation_id FROM messages WHERE id IN ({_COVERED}'message')
    UNION SELECT conversation_id FROM alternatives WHERE id IN ({_COVERED}'alternative')
"""
_SOURCES = f"""
    SELECT source_id FROM source_documents WHERE document_id IN ({_DOCUMENTS})
    UNION SELECT source_id FROM source_conversations WHERE conversation_id IN ({_CONVERSATIONS})
"""


def forget_where(store: Store, rule: Rule) -> Record:
    """Remove at once what a rule covers, and keep it out from now on.

    Returns counts: sources, documents (conversations too) of which nothing is left, messages, chunks, samples.
    """
    with store.db.atomic():
        _find(store, forgotten.only(store, rule))
        report = _remove(store)
        if report["passages"] or report["messages"]:
            forgotten.remember(store, rule)
    store.erase_traces()
    return report


def preview(store: Store, rule: Rule) -> Record:
    """What `forget_where` would remove: its counts, `versions_deleted`, and some `examples`."""
    try:
        with store.db.atomic():
            _find(store, forgotten.only(store, rule))
            examples = _examples(store)
            before = _live_versions(store)
            report = _remove(store)
            gone = sorted(before - _live_versions(store))
            raise _Undone
    except _Undone:
        return {**report, "versions_deleted": gone, "examples": examples}


class _Undone(Exception):
    """The transaction was for looking alone."""


def _find(store: Store, rules: Rules) -> None:
    """Note what the rules cover in a table of this connection, by number."""
    store.db.execute("DROP TABLE IF EXISTS temp.covered")
    store.db.execute("CREATE TEMP TABLE covered (what TEXT, id INTEGER, PRIMARY KEY (what, id))")

    def look(what: str, query: str, *texts: str) -> None:
        numbers = [
            (what, row["id"])
            for row in store.db.query(query)
            if rules.cover((row[text] for text in texts), row["person"], row["date"])
        ]
        store.db.conn.executemany("INSERT INTO covered VALUES (?, ?)", numbers)

    look(
        "passage",
        "SELECT dc.rowid AS id, d.title, d.author AS person, d.date, dc.heading, c.text"
        " FROM document_chunks dc JOIN documents d ON d.id = dc.document_id"
        " JOIN chunks c ON c.id = dc.chunk_id",
        *("title", "person", "heading", "text"),
    )
    for what, table, person in (
        ("message", "messages", "m.speaker"),
        ("alternative", "alternatives", "NULL"),
    ):
        look(
            what,
            f"SELECT m.id, c.title, c.external_id, {person} AS person, m.text,"
            f" coalesce(m.created_at, c.started_at) AS date"
            f" FROM {table} m JOIN conversations c ON c.id = m.conversation_id",
            *("title", "external_id", "person", "text"),
        )
    undated = "NULL AS person, NULL AS date"
    look("sample", f"SELECT id, prompt, answer, {undated} FROM samples", "prompt", "answer")
    look("probe", f"SELECT id, question, gold, {undated} FROM probes", "question", "gold")
    look("evaluation", f"SELECT id, answer, {undated} FROM evaluations", "answer")
    look("held_out", f"SELECT rowid AS id, wording, {undated} FROM held_out", "wording")


def _remove(store: Store) -> Record:
    chunk_ids = _column(store, _CHUNKS)
    documents, conversations = _column(store, _DOCUMENTS), _column(store, _CONVERSATIONS)
    source_ids = _column(store, _SOURCES)
    n_messages = len(_column(store, f"{_COVERED}'message'"))
    n_passages = len(_column(store, f"{_COVERED}'passage'"))

    n_samples, versions = contents.remove_samples(store, chunk_ids)
    versions |= trained_on(store, _column(store, f"{_COVERED}'sample'"))
    for number in source_ids:
        outgrown = "SELECT version FROM outgrown WHERE source_id = ?"
        versions |= {row["version"] for row in store.rows(outgrown, number)}
        store.db.execute("DELETE FROM left_out WHERE source_id = ?", [number])
    mark_adapters(store, versions, "deleted")
    for table, what, key in (
        ("samples", "sample", "id"),
        ("probes", "probe", "id"),
        ("evaluations", "evaluation", "id"),
        ("held_out", "held_out", "rowid"),
        ("document_chunks", "passage", "rowid"),
        ("messages", "message", "id"),
        ("alternatives", "alternative", "id"),
    ):
        gone = f"DELETE FROM {table} WHERE {key} IN ({_COVERED}'{what}')"
        n_gone = store.db.execute(gone).rowcount
        n_samples += n_gone if table == "samples" else 0
    store.db.execute("DROP TABLE covered")

    n_emptied = contents.address_again(store, documents, conversations)
    n_sources = 0
    for number in source_ids:
        n_sources += store.db.execute(
            "DELETE FROM sources WHERE id = ?"
            " AND id NOT IN (SELECT source_id FROM source_documents)"
            " AND id NOT IN (SELECT source_id FROM source_conversations)",
            [number],
        ).rowcount
    swept = contents.sweep(store)
    return {
        "sources": n_sources,
        "documents": n_emptied,
        "passages": n_passages,
        "messages": n_messages,
        "chunks": swept["chunks"],
        "samples": n_samples,
    }


def _examples(store: Store) -> list[Record]:
    """The first passages and messages that are covered, with where they came from."""
    return store.rows(
        f"""
        SELECT s.path AS source, d.title, d.date, d.author AS speaker, c.text
        FROM document_chunks dc JOIN documents d ON d.id = dc.document_id
        JOIN chunks c ON c.id = dc.chunk_id
        JOIN source_documents sd ON sd.document_id = d.id JOIN sources s ON s.id = sd.source_id
        WHERE dc.rowid IN ({_COVERED}'passage')
        UNION ALL
        SELECT s.path, c.title, coalesce(m.created_at, c.started_at), coalesce(m.speaker, m.role), m.text
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
        JOIN source_conversations sc ON sc.conversation_id = c.id
        JOIN sources s ON s.id = sc.source_id
        WHERE m.id IN ({_COVERED}'message')
        LIMIT ?
        """,
        EXAMPLES,
    )


def _live_versions(store: Store) -> set[int]:
    return set(_column(store, "SELECT version FROM adapters WHERE state != 'deleted'"))


def _column(store: Store, query: str) -> list[int]:
    return [next(iter(row.values())) for row in store.db.query(query)]
