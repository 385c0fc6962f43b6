"""What a source holds, put into the store and taken out of it.

Rules: the same text is stored once; a chunk lives as long as one source holds it; with a chunk go
its samples and probes. Taking out never touches what another source still holds.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import filterfalse

from . import forgotten, left_out, near, titles
from .addresses import (
    chunk_sha256,
    conversation_sha256,
    document_sha256,
    stored_conversation_sha256,
    stored_document_sha256,
)
from .languages import language_of
from .lineage import (
    learned_from,
    mark_adapters,
    note_outgrown,
    outgrown,
    samples_of,
    trained_on,
)
from .prepare import (
    Lines,
    Passage,
    Prepared,
    PreparedConversation,
    PreparedDocument,
    Preparer,
    Said,
    Worthless,
)
from .records import Item, Message
from .redact import Redactor
from .store import Record, Store, batches, marks, now
from .unspaced import n_words, spaced

COUNTS = (
    "documents",
    "conversations",
    "messages",
    "chunks",
    "forgotten",
    "left_out",
    "kept_back",
    "unseen",
)


def put(store: Store, source_id: int, item: Item) -> Record:
    """Put one document or conversation under a source, as `put_all` does."""
    return put_all(store, source_id, [preparer(store, source_id).prepare(item)])


def put_all(store: Store, source_id: int, items: Iterable[Prepared]) -> Record:
    """Put documents and conversations under a source.

    Returns the counts of what was new, by the names in `COUNTS`; beside them how much was left out because
    it was forgotten or is worth nothing (`quality`), how many of the chunks are kept back, and how many characters that nobody sees were
    taken out.
    """
    taking = _Taking(store, source_id)
    for item in items:
        if isinstance(item, PreparedDocument):
            taking.put_document(item)
        else:
            taking.put_conversation(item)
    return taking.counts


def preparer(store: Store, source_id: int, me: Collection[str] = ()) -> Preparer:
    """What prepares the items of a source for this store; `me` holds the owner's names, folded.

    Raises:
        LearnctlError: the config file is broken.
    """
    trust = store.value("SELECT trust FROM sources WHERE id = ?", source_id)
    return Preparer(Redactor.of(store), trust == "own", me)


@dataclass(frozen=True)
class Held:
    """What a source was parted from."""

    documents: list[int]
    conversations: list[int]
    newest_left_out: int


# What a source holds, the link to it, and the chunks of some of it.
_HELD = (
    (
        "documents",
        "source_documents",
        "document_id",
        "SELECT chunk_id FROM document_chunks WHERE document_id IN ({})",
    ),
    (
        "conversations",
        "source_conversations",
        "conversation_id",
        "SELECT chunk_id FROM message_chunks WHERE message_id IN"
        " (SELECT id FROM messages WHERE conversation_id IN ({}))",
    ),
)


def unlink(store: Store, source_id: int) -> Held:
    """Part a source from all it holds; `sweep` then removes what nobody holds any more."""
    held: dict[str, list[int]] = {}
    for table, link, key, _ in _HELD:
        rows = store.rows(f"SELECT {key} FROM {link} WHERE source_id = ?", source_id)
        held[table] = [row[key] for row in rows]
        store.db.execute(f"DELETE FROM {link} WHERE source_id = ?", [source_id])
    return Held(**held, newest_left_out=left_out.newest(store, source_id))


def is_empty(store: Store, source_id: int) -> bool:
    """Whether a source holds nothing."""
    return not store.value(
        "SELECT EXISTS (SELECT 1 FROM source_documents WHERE source_id = ?1)"
        " OR EXISTS (SELECT 1 FROM source_conversations WHERE source_id = ?1)",
        source_id,
    )


def give_back(store: Store, source_ids: list[int]) -> dict[int, list[int]]:
    """Remove sources, and what no other holds. Who learned from them is found by their names alone, so one that a version learned
    from leaves its name, for `forget`.

    Returns the versions by source, where there are any.
    """
    learned: dict[int, list[int]] = {}
    for source_id in source_ids:
        for version in learned_from(store, source_id):
            _link(store, "outgrown", source_id, version)
        unlink(store, source_id)
        if versions := remove_source(store, source_id):
            learned[source_id] = versions
    sweep(store)
    return learned


def remove_source(store: Store, source_id: int) -> list[int]:
    """Remove a source that holds nothing, but for its name where versions learned from it; these versions."""
    versions = outgrown(store, source_id)
    if versions:
        store.db.execute("DELETE FROM left_out WHERE source_id = ?", [source_id])
        store.db.execute("UPDATE sources SET sha256 = '', n_bytes = 0 WHERE id = ?", [source_id])
    else:
        store.db.execute("DELETE FROM sources WHERE id = ?", [source_id])
    return versions


def blank_answers(store: Store) -> None:
    """Take out what versions answered that learned from what is gone, in their own runs, in those that built on or replaced them, and in
    runs that were refused: an answer to one probe may recite another source. So do those of versions that were pruned, of which it is not known.
    Whether it was right stays."""
    store.db.execute(
        "UPDATE evaluations SET answer = '' WHERE answer != '' AND run_id IN (SELECT r.id FROM runs r WHERE"
        " EXISTS (SELECT 1 FROM adapters a WHERE a.state = 'deleted'"
        "  AND (a.run_id = r.id OR a.version IN (r.replaces, r.parent)))"
        " OR EXISTS (SELECT 1 FROM run_samples rs WHERE rs.run_id = r.id"
        "  AND rs.sample_id NOT IN (SELECT id FROM samples)))"
    )


def sweep(store: Store, source_id: int | None = None, held: Held | None = None) -> Record:
    """Remove what no source holds; adapters that learned from it are marked stale.

    Args:
        source_id: the source that held it and lives on; forgetting it later must find those adapters.
        held: what it was parted from, and nothing else was; None looks through the whole store, where more
            may have been deleted than goes here.

    Returns the counts of what went: documents, chunks, samples.
    """
    n_documents = 0
    parted = {"documents": held.documents, "conversations": held.conversations} if held else {}
    in_them: set[int] = set()
    in_parted: set[int] = set()
    for table, link, key, chunks_of in _HELD:
        for some in batches(parted.get(table, [])):
            found = store.rows(chunks_of.format(marks(some)), *some)
            in_parted.update(row["chunk_id"] for row in found)
        is_held = f"SELECT 1 FROM {link} WHERE {key} = {table}.id"
        orphans = _orphans(store, table, [is_held], parted.get(table))
        for some in batches(orphans):
            found = store.rows(chunks_of.format(marks(some)), *some)
            in_them.update(row["chunk_id"] for row in found)
            store.db.execute(f"DELETE FROM {table} WHERE id IN ({marks(some)})", some)
        n_documents += len(orphans)
    is_somewhere = [
        f"SELECT 1 FROM {places} WHERE chunk_id = chunks.id"
        for places in ("document_chunks", "message_chunks")
    ]
    chunk_ids = _orphans(store, "chunks", is_somewhere, in_them if held else None)
    note_outgrown(store, chunk_ids)
    n_samples, versions = remove_samples(store, chunk_ids)
    mark_adapters(store, versions, "stale")
    if source_id is not None:
        for version in versions:
            _link(store, "outgrown", source_id, version)
        _unmake_moved(store, source_id, in_parted.difference(chunk_ids))
    for some in batches(chunk_ids):
        store.db.execute(f"DELETE FROM chunks WHERE id IN ({marks(some)})", some)
    # Where all that was there still is, there is nothing to erase, which takes long in a large store.
    is_all_there = held is not None and source_id is not None and not n_documents and not chunk_ids
    if held and source_id is not None:
        is_all_there &= not left_out.drop_until(store, source_id, held.newest_left_out)
    if not is_all_there:
        store.leave_traces()
    return {"documents": n_documents, "chunks": len(chunk_ids), "samples": n_samples}


def _unmake_moved(store: Store, source_id: int, chunk_ids: set[int]) -> None:
    """Of passages that a source was parted from and another one holds, those that it no longer has: what was made of them goes, for it
    may name what they stood under there, and they are learned anew. Who learned from that goes when the source is forgotten."""
    for some in batches(chunk_ids):
        moved = store.rows(
            f"SELECT id FROM chunks c WHERE id IN ({marks(some)})"
            " AND NOT EXISTS (SELECT 1 FROM document_chunks dc JOIN source_documents sd"
            "  ON sd.document_id = dc.document_id WHERE dc.chunk_id = c.id AND sd.source_id = ?)"
            " AND NOT EXISTS (SELECT 1 FROM message_chunks mc JOIN messages m ON m.id = mc.message_id"
            "  JOIN source_conversations sc ON sc.conversation_id = m.conversation_id"
            "  WHERE mc.chunk_id = c.id AND sc.source_id = ?)",
            *some,
            source_id,
            source_id,
        )
        ids = [row["id"] for row in moved]
        note_outgrown(store, ids)  # of those who hold it still
        _, versions = remove_samples(store, ids)
        for version in versions:
            _link(store, "outgrown", source_id, version)


def _orphans(
    store: Store, table: str, holders: list[str], among: Collection[int] | None
) -> list[int]:
    """The rows that no holder has, of all or of some."""
    sql = f"SELECT id FROM {table} WHERE " + " AND ".join(f"NOT EXISTS ({h})" for h in holders)
    if among is None:
        return [row["id"] for row in store.rows(sql)]
    return [
        row["id"]
        for some in batches(among)
        for row in store.rows(f"{sql} AND id IN ({marks(some)})", *some)
    ]


def unlearn(store: Store, chunk_ids: list[int]) -> None:
    """Delete all that was made of chunks that stay: versions trained on it are marked stale, and go when
    one of the sources of such a chunk is forgotten."""
    note_outgrown(store, chunk_ids)
    _, versions = remove_samples(store, chunk_ids)
    mark_adapters(store, versions, "stale")


def remove_samples(store: Store, chunk_ids: list[int]) -> tuple[int, set[int]]:
    """Delete all that was made of some chunks; how many samples, and the versions trained on them."""
    sample_ids = samples_of(store, chunk_ids)
    versions = trained_on(store, sample_ids)
    for some in batches(sample_ids):
        store.db.execute(f"DELETE FROM samples WHERE id IN ({marks(some)})", some)
    for some in batches(chunk_ids):
        for table in ("probes", "studied"):
            store.db.execute(f"DELETE FROM {table} WHERE chunk_id IN ({marks(some)})", some)
    return len(sample_ids), versions


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
            digest = stored_sha256(store.db, number)
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


def put_message(store: Store, conversation_id: int, message: Message) -> int:
    """Add one message to the end of a conversation; the number of its row."""
    source_id = store.value(
        "SELECT min(source_id) FROM source_conversations WHERE conversation_id = ?", conversation_id
    )
    said, met = preparer(store, source_id).message(message)
    if said.role == "user":
        store.db.execute(
            "UPDATE conversations SET title = ? WHERE id = ? AND title = ''",
            [titles.title_of(said.text), conversation_id],
        )
    taking = _Taking(store, source_id)
    taking.meet(met)
    position = store.value(
        "SELECT coalesce(max(position) + 1, 0) FROM messages WHERE conversation_id = ?",
        conversation_id,
    )
    return taking.put_message(conversation_id, position, said)


class _Taking:
    """The items of a source on their way into the store, and the counts of what was new."""

    def __init__(self, store: Store, source_id: int) -> None:
        self.counts: Record = dict.fromkeys(COUNTS, 0)
        self._store = store
        self._source_id = source_id
        self._rules = forgotten.load(store)
        self._now = now()
        # Titles, headings and speakers that what stands under is kept back for.
        self._suspicious: dict[str, str] = {}

    def meet(self, met: Lines) -> None:
        self.counts["unseen"] += met.unseen
        self._suspicious.update(met.suspicious)

    def put_document(self, document: PreparedDocument) -> None:
        self.meet(document.met)
        title, author, date = document.title, document.author, document.date
        rules = self._rules
        n_before = self.counts["forgotten"]
        for found in document.left_out:
            if not rules.cover((title, author, found.heading, found.beginning), author, date):
                self._leave_out(found.heading or title, found)
        passages = [
            self._as_known(each)
            for each in document.passages
            if not rules.cover((title, author, each.heading, each.text), author, date)
        ]
        self.counts["forgotten"] += len(document.passages) - len(passages)
        if not document.passages and rules.cover((title, author), author, date):
            self.counts["forgotten"] += 1
        if self.counts["forgotten"] > n_before and not passages:
            return
        digest = document_sha256(
            title, author, date, ((each.heading, each.text) for each, _ in passages)
        )
        known = self._store.value("SELECT id FROM documents WHERE sha256 = ?", digest)
        if known is None:
            record: Record = {"sha256": digest, "title": title, "author": author, "date": date}
            record["is_letter"] = document.is_letter
            known = _insert(self._store, "documents", record)
            self.counts["documents"] += 1
            ids: dict[str, int] = {}  # what stands in it twice
            for position, (each, there) in enumerate(passages):
                chunk_id = ids.get(each.sha256) or there or self._put_passage(each)
                ids[each.sha256] = chunk_id
                place = {"document_id": known, "position": position, "heading": each.heading}
                self._look_above(chunk_id, "document_chunks", title, each.heading)
                _insert(self._store, "document_chunks", {**place, "chunk_id": chunk_id})
            self._store.db.execute(
                "INSERT INTO headings_fts (rowid, text) SELECT id, text FROM headings WHERE document_id = ?",
                [known],
            )
        _link(self._store, "source_documents", self._source_id, known)

    def put_conversation(self, conversation: PreparedConversation) -> None:
        self.meet(conversation.met)
        external_id = conversation.external_id
        rules = self._rules

        def is_forgotten(said: Said) -> bool:
            return rules.cover(
                (conversation.title, external_id, said.speaker, said.text),
                said.speaker,
                said.created_at or conversation.started_at,
            )

        gone: list[str] = []
        messages: list[Said] = []
        for said in conversation.messages:
            if is_forgotten(said):
                gone.append(said.text)
            else:
                messages.append(said)
        self.counts["forgotten"] += len(gone)
        if gone and not messages:
            return
        alternatives = list(filterfalse(is_forgotten, conversation.alternatives))
        left = (said.text for said in messages if said.role == "user")
        title = titles.left_of(conversation.title, gone, left)
        digest = conversation_sha256(
            title,
            external_id,
            conversation.started_at,
            ((m.role, m.speaker, m.text, m.created_at) for m in messages),
            ((m.role, m.text, m.created_at) for m in alternatives),
        )
        known = self._store.value("SELECT id FROM conversations WHERE sha256 = ?", digest)
        if known is None:
            record = {
                "sha256": digest,
                "external_id": external_id,
                "title": title,
                "started_at": conversation.started_at,
            }
            known = _insert(self._store, "conversations", record)
            self.counts["conversations"] += 1
            for position, said in enumerate(messages):
                self.put_message(known, position, said, title)
            for position, other in enumerate(alternatives):
                place = {"conversation_id": known, "position": position, "role": other.role}
                text = {"text": other.text, "created_at": other.created_at}
                _insert(self._store, "alternatives", place | text)
        else:
            for position, said in enumerate(messages):
                self._leave_out_of(said, position)
        _link(self._store, "source_conversations", self._source_id, known)

    def put_message(self, conversation_id: int, position: int, said: Said, title: str = "") -> int:
        record = {
            "conversation_id": conversation_id,
            "position": position,
            "role": said.role,
            "text": said.text,
            "created_at": said.created_at,
            "speaker": said.speaker,
        }
        message_id = _insert(self._store, "messages", record)
        self.counts["messages"] += 1
        self._leave_out_of(said, position)
        for place, each in enumerate(said.passages):
            passage, there = self._as_known(each)
            chunk_id = there or self._put_passage(passage)
            link = {"message_id": message_id, "position": place, "chunk_id": chunk_id}
            self._look_above(chunk_id, "message_chunks", title, said.speaker or "")
            _insert(self._store, "message_chunks", link)
        return message_id

    def _leave_out_of(self, said: Said, position: int) -> None:
        for found in said.left_out:
            self._leave_out(f"message {position + 1}", found)

    def _leave_out(self, place: str, found: Worthless) -> None:
        left_out.note(self._store, self._source_id, place, found.reason, found.beginning)
        self.counts["left_out"] += 1

    def _as_known(self, passage: Passage) -> tuple[Passage, int | None]:
        """The passage in the words that a source holds already, where it says the same; and its row, where it
        has one."""
        if chunk_id := self._id_of(passage.sha256):
            return passage, chunk_id
        known = near.find(self._store, passage.keys, passage.text)
        if known is None:
            return passage, None
        digest = chunk_sha256(passage.kind, known)
        # What it is found by, its first wording has.
        again = passage._replace(
            text=known,
            sha256=digest,
            n_words=n_words(known),
            language=language_of(known),
            keys=(),
        )
        return again, self._id_of(digest)

    def _id_of(self, digest: str) -> int | None:
        found: int | None = self._store.value("SELECT id FROM chunks WHERE sha256 = ?", digest)
        return found

    def _put_passage(self, passage: Passage) -> int:
        record = {
            "sha256": passage.sha256,
            "kind": passage.kind,
            "text": passage.text,
            "n_words": passage.n_words,
            "created_at": self._now,
            "language": passage.language,
            "quarantine": passage.quarantine,
        }
        chunk_id = _insert(self._store, "chunks", record)
        _insert(self._store, "chunks_fts", {"rowid": chunk_id, "text": spaced(passage.text)})
        near.note(self._store, chunk_id, passage.keys)
        self.counts["chunks"] += 1
        self.counts["kept_back"] += passage.quarantine is not None
        return chunk_id

    def _look_above(self, chunk_id: int, table: str, title: str, under: str) -> None:
        """Keep a passage back for the title, or the heading or speaker, that stands above it in a prompt."""
        reason = self._suspicious.get(title) or self._suspicious.get(under)
        if reason and not _stood_there(self._store, chunk_id, table, title, under):
            n_kept_back = self._store.db.execute(
                "UPDATE chunks SET quarantine = ? WHERE id = ? AND quarantine IS NULL",
                [reason, chunk_id],
            ).rowcount
            if n_kept_back:  # it may have been learned where it stood before
                unlearn(self._store, [chunk_id])
            self.counts["kept_back"] += n_kept_back


def _stood_there(store: Store, chunk_id: int, table: str, title: str, under: str) -> bool:
    """Whether a chunk is known under such a title, and heading or speaker: it may have been let in there."""
    places = {
        "document_chunks": "document_chunks p JOIN documents h ON h.id = p.document_id"
        " WHERE p.heading = ?",
        "message_chunks": "message_chunks p JOIN messages m ON m.id = p.message_id"
        " JOIN conversations h ON h.id = m.conversation_id WHERE coalesce(m.speaker, '') = ?",
    }
    query = f"SELECT 1 FROM {places[table]} AND h.title = ? AND p.chunk_id = ? LIMIT 1"
    return store.value(query, under, title, chunk_id) is not None


def _insert(store: Store, table: str, record: Record) -> int:
    cursor = store.db.execute(_insertion(table, tuple(record)), tuple(record.values()))
    return int(cursor.lastrowid or 0)


@cache
def _insertion(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks(names)})"


def _link(store: Store, table: str, source_id: int, held_id: int) -> None:
    store.db.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", [source_id, held_id])
