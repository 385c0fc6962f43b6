"""Taking back by rule: what a person said, what is of a time, what has some words.

What goes: the passages and messages that the rule covers, wherever they came from, and all that was made of
them; what was left out, and answers made again, that it covers; documents, conversations and sources of which
nothing is left; and samples, answers and questions that have the words themselves. The same text stays where
the rule does not cover it, and so do sources that have the words in their path alone: they are named. Every
adapter that learned of a source it touches, as it is or once was, is marked `deleted`.
"""

from . import contents, forgotten
from .forgotten import Rule, Rules
from .lineage import mark_adapters, trained_on
from .store import Record, Store
from .titles import left_of

# Of what a rule covers, how much is shown beforehand.
EXAMPLES = 20

_COVERED = "SELECT id FROM covered WHERE what = "
_CHUNKS = f"""
    SELECT chunk_id FROM document_chunks WHERE rowid IN ({_COVERED}'passage')
    UNION SELECT chunk_id FROM message_chunks WHERE message_id IN ({_COVERED}'message')
"""
_DOCUMENTS = f"""
    SELECT document_id FROM document_chunks WHERE rowid IN ({_COVERED}'passage')
    UNION {_COVERED}'document'
"""
_CONVERSATIONS = f"""
    SELECT conversation_id FROM messages WHERE id IN ({_COVERED}'message')
    UNION SELECT conversation_id FROM alternatives WHERE id IN ({_COVERED}'alternative')
"""
_SOURCES = f"""
    SELECT source_id FROM source_documents WHERE document_id IN ({_DOCUMENTS})
    UNION SELECT source_id FROM source_conversations WHERE conversation_id IN ({_CONVERSATIONS})
    UNION SELECT source_id FROM left_out WHERE id IN ({_COVERED}'left out')
"""


def forget_where(store: Store, rule: Rule) -> Record:
    """Remove at once what a rule covers, and keep it out from now on.

    Returns counts: sources, documents (conversations too) of which nothing is left, passages (with what was
    left out), messages (with answers made again), chunks, samples; and the paths that are `named` so and stay.
    """
    with store.db.atomic():
        rules = forgotten.only(store, rule)
        _find(store, rules)
        report = _remove(store) | {"named": _named(store, rules)}
        if report["passages"] or report["messages"]:
            forgotten.remember(store, rule)
    store.erase_traces()
    return report


def preview(store: Store, rule: Rule) -> Record:
    """What `forget_where` would remove: its counts, `versions_deleted`, and some `examples`."""
    try:
        with store.db.atomic():
            rules = forgotten.only(store, rule)
            _find(store, rules)
            examples = _examples(store)
            before = _live_versions(store)
            report = _remove(store) | {"named": _named(store, rules)}
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
    look(
        "document",
        "SELECT id, title, author AS person, date FROM documents"
        " WHERE id NOT IN (SELECT document_id FROM document_chunks)",
        *("title", "person"),
    )
    undated = "NULL AS person, NULL AS date"
    look("left out", f"SELECT id, place, beginning, {undated} FROM left_out", "place", "beginning")
    look(
        "sample",
        f"SELECT id, prompt, answer, {undated} FROM samples WHERE chunk_id IS NOT NULL",
        "prompt",
        "answer",
    )
    look("probe", f"SELECT id, question, gold, {undated} FROM probes", "question", "gold")
    look("evaluation", f"SELECT id, answer, {undated} FROM evaluations", "answer")
    look("held_out", f"SELECT rowid AS id, wording, {undated} FROM held_out", "wording")


def _remove(store: Store) -> Record:
    chunk_ids = _column(store, _CHUNKS)
    documents, conversations = _column(store, _DOCUMENTS), _column(store, _CONVERSATIONS)
    source_ids = _column(store, _SOURCES)
    n_messages = len(_column(store, f"{_COVERED}'message' OR what = 'alternative'"))
    n_passages = len(_column(store, f"{_COVERED}'passage' OR what IN ('document', 'left out')"))

    under_title = _chunks_under_new_titles(store, conversations)
    n_samples, versions = contents.remove_samples(store, [*chunk_ids, *under_title])
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
    contents.blank_answers(store)
    return {
        "sources": n_sources,
        "documents": n_emptied,
        "passages": n_passages,
        "messages": n_messages,
        "chunks": swept["chunks"],
        "samples": n_samples,
    }


def _chunks_under_new_titles(store: Store, conversation_ids: list[int]) -> list[int]:
    """Conversations that are called by the beginning of what goes are called by what stays; what they hold, of which samples may name
    the old title."""
    found: list[int] = []
    for number in conversation_ids:
        title = store.value("SELECT title FROM conversations WHERE id = ?", number)
        messages = store.rows(
            f"SELECT role, text, id IN ({_COVERED}'message') AS goes FROM messages"
            " WHERE conversation_id = ? ORDER BY position",
            number,
        )
        gone = (each["text"] for each in messages if each["goes"])
        left = (each["text"] for each in messages if each["role"] == "user" and not each["goes"])
        if (given := left_of(title, gone, left)) != title:
            store.db.execute("UPDATE conversations SET title = ? WHERE id = ?", [given, number])
            chunks = (
                "SELECT chunk_id FROM message_chunks mc JOIN messages m ON m.id = mc.message_id"
            )
            under = store.rows(f"{chunks} WHERE m.conversation_id = ?", number)
            found += [row["chunk_id"] for row in under]
    return found


def _named(store: Store, rules: Rules) -> list[str]:
    """The files that have the words in their path."""
    files = store.rows("SELECT path FROM sources WHERE root != '' ORDER BY path")
    return [file["path"] for file in files if rules.cover((file["path"],), None, None)]


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
        UNION ALL
        SELECT s.path, c.title, coalesce(a.created_at, c.started_at), a.role, a.text
        FROM alternatives a JOIN conversations c ON c.id = a.conversation_id
        JOIN source_conversations sc ON sc.conversation_id = c.id
        JOIN sources s ON s.id = sc.source_id
        WHERE a.id IN ({_COVERED}'alternative')
        UNION ALL
        SELECT s.path, l.place, NULL, NULL, l.beginning
        FROM left_out l JOIN sources s ON s.id = l.source_id
        WHERE l.id IN ({_COVERED}'left out')
        LIMIT ?
        """,
        EXAMPLES,
    )


def _live_versions(store: Store) -> set[int]:
    return set(_column(store, "SELECT version FROM adapters WHERE state != 'deleted'"))


def _column(store: Store, query: str) -> list[int]:
    return [next(iter(row.values())) for row in store.db.query(query)]
