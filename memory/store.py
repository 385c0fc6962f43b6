"""The store: one SQLite file that holds what was taken in, what was made of it, and what came of that.

How it hangs together. A *source* is one file (or one chat of ours). It holds documents and
conversations, which are addressed by content: the same document in two files is one row with two
sources. Documents and messages are cut into *chunks*, again addressed by content, so that a text is
stored once however many sources hold it; the view `origins` names for each chunk every source and
place it came from. Samples and probes belong to a chunk and vanish with it. Runs name their samples
by number and keep the number when a sample is forgotten; numbers are never used again.

Nothing here knows of torch. Records go in and out as plain dicts.
"""

import json
import math
import os
import re
import sqlite3
import time
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from . import addresses
from .brief_folder import remove_left_behind
from .errors import LearnctlError, NoStore
from .home import Home
from .names import name_of
from .suspicion import first_reason
from .unspaced import spaced

Record = dict[str, Any]

# Addresses and keys of passages come in no order, and a file is one transaction: a page that has left the cache is
# looked for in an ever longer log. What is not needed is not taken.
CACHE_KB = 160 * 1024
# How long a store is tried to be brought up to date while other processes do the same.
OPENING_S = 10.0

# A setting: something was deleted, and its bytes may still be in the files.
TRACES = "traces"
INDEXES = ("chunks_fts", "headings_fts")

migrations = Migrations("learnctl")


@migrations()
def m001_first(db: Database) -> None:
    for statement in SCHEMA.split(";\n\n"):
        db.execute(statement)


@migrations()
def m002_outgrown(db: Database) -> None:
    """Which versions learned from what a source held once: they go when that source is forgotten."""
    db.execute(
        "CREATE TABLE outgrown ("
        " source_id INTEGER NOT NULL REFERENCES sources(id) ON DELETE CASCADE,"
        " version INTEGER NOT NULL, PRIMARY KEY (source_id, version))"
    )


@migrations()
def m003_people(db: Database) -> None:
    """Who spoke, which answers were made again, whom a source is trusted as, what it may teach."""
    for statement in PEOPLE.split(";\n\n"):
        db.execute(statement)


@migrations()
def m004_forgotten(db: Database) -> None:
    """What was forgotten by who, when or what it was, so that no file brings it back; files known by
    their bytes."""
    for statement in FORGOTTEN.split(";\n\n"):
        db.execute(statement)


@migrations()
def m005_suite(db: Database) -> None:
    """Which items of the general suite each version had right, on which base; version 0 is the base."""
    db.execute(
        "CREATE TABLE suite_answers (base TEXT NOT NULL, version INTEGER NOT NULL, item TEXT NOT NULL,"
        " task TEXT NOT NULL, correct INTEGER NOT NULL, PRIMARY KEY (base, version, item))"
    )


FORGOTTEN = """
CREATE TABLE forgotten (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL,                 -- keyed hash of the name, or ''
    words TEXT NOT NULL,                  -- keyed hashes, in order, or ''
    since TEXT NOT NULL,                  -- ISO 8601, or ''
    until TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (person, words, since, until)
);

CREATE INDEX sources_sha256 ON sources(sha256)
"""


@migrations()
def m010_study(db: Database) -> None:
    """What rehearsal and choosing need to remember."""
    for statement in STUDY.split(";\n\n"):
        db.execute(statement)


@migrations()
def m011_unspaced(db: Database) -> None:
    """The index takes scripts without spaces apart: it is filled anew, through a view that does so."""
    for statement in UNSPACED.split(";\n\n"):
        db.execute(statement)


@migrations()
def m012_wordings(db: Database) -> None:
    """What near duplicates are found by (`near`)."""
    for statement in WORDINGS.split(";\n\n"):
        db.execute(statement)


@migrations()
def m013_index(db: Database) -> None:
    """Chunks are put into the index by `contents`, one statement each: within a trigger, FTS5 writes out all
    that it holds after every row, which took longer than the rest of the ingest."""
    db.execute("DROP TRIGGER chunks_ai")


@migrations()
def m014_forgotten_files(db: Database) -> None:
    """Files that were forgotten by name, so that no night takes them in again (`forgotten_files`)."""
    db.execute("CREATE TABLE forgotten_files (name TEXT PRIMARY KEY) WITHOUT ROWID")


@migrations()
def m015_watched_manner(db: Database) -> None:
    """As what files are taken in that appear in a watched folder (`manner`)."""
    db.execute("ALTER TABLE watched ADD COLUMN trust TEXT")
    db.execute("ALTER TABLE watched ADD COLUMN learn TEXT")


WORDINGS = """
CREATE TABLE wordings (
    key INTEGER NOT NULL,
    chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    PRIMARY KEY (key, chunk_id)
) WITHOUT ROWID;

CREATE INDEX wordings_chunk ON wordings(chunk_id)
"""

UNSPACED = """
DROP TRIGGER chunks_ai;

DROP TRIGGER chunks_ad;

DROP TABLE chunks_fts;

CREATE VIEW chunks_spaced AS SELECT id, spaced(text) AS text FROM chunks;

CREATE VIRTUAL TABLE chunks_fts USING fts5(
    text, content='chunks_spaced', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER chunks_ai AFTER INSERT ON chunks BEGIN
    INSERT INTO chunks_fts (rowid, text) VALUES (new.id, spaced(new.text));
END;

CREATE TRIGGER chunks_ad AFTER DELETE ON chunks BEGIN
    INSERT INTO chunks_fts (chunks_fts, rowid, text) VALUES ('delete', old.id, spaced(old.text));
END;

INSERT INTO chunks_fts (chunks_fts) VALUES ('rebuild')
"""


STUDY = """
-- mean loss, nats a token, under the weights that measured it last
ALTER TABLE samples ADD COLUMN surprise REAL;

-- why it is trained on: turn, surprise, since (replay); refusal or identity, its own prompt (general)
ALTER TABLE run_samples ADD COLUMN why TEXT NOT NULL DEFAULT '';

-- question, or cue: a few words of the sentence
ALTER TABLE probes ADD COLUMN wording TEXT NOT NULL DEFAULT 'question';

-- what no night could teach, not even from the base
CREATE TABLE set_aside (
    chunk_id INTEGER PRIMARY KEY REFERENCES chunks(id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    reason TEXT NOT NULL
)
"""


@migrations()
def m011_lessons(db: Database) -> None:
    """What a base says to a sample: probabilities of its likeliest tokens, and how well it reads."""
    db.execute(
        "CREATE TABLE lessons ("
        " sample_id INTEGER PRIMARY KEY REFERENCES samples(id) ON DELETE CASCADE,"
        " n_choices INTEGER NOT NULL,"
        " choices BLOB NOT NULL,"  # int32, (answer token, choice)
        " shares BLOB NOT NULL)"  # float32, likewise
    )


@migrations()
def m013_replaces(db: Database) -> None:
    """Which version a run was to take over from: the one in service when it began."""
    db.execute("ALTER TABLE runs ADD COLUMN replaces INTEGER")
    db.execute("UPDATE runs SET replaces = coalesce(report ->> 'replaces', parent)")


@migrations()
def m014_measured(db: Database) -> None:
    """How long a run measured before it trained: what its closing measurements are reckoned by."""
    db.execute("ALTER TABLE runs ADD COLUMN measured_s REAL")


@migrations()
def m015_across(db: Database) -> None:
    """The second chunk of a sample that was made from two. Those made before do not say which: they go."""
    db.execute(
        "ALTER TABLE samples ADD COLUMN second_chunk_id INTEGER"
        " REFERENCES chunks(id) ON DELETE CASCADE"
    )
    db.execute("CREATE INDEX samples_second_chunk ON samples(second_chunk_id)")
    db.execute("DELETE FROM samples WHERE kind = 'across'")


@migrations()
def m016_lessons(db: Database) -> None:
    """Lessons know how the base was held that gave them; those that do not say are given again."""
    db.execute("DROP TABLE lessons")
    db.execute(
        "CREATE TABLE lessons ("
        " sample_id INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,"
        " base TEXT NOT NULL,"  # its digest and quantization
        " n_choices INTEGER NOT NULL,"
        " choices BLOB NOT NULL,"  # int32, (answer token, choice)
        " shares BLOB NOT NULL,"  # float32, likewise
        " PRIMARY KEY (sample_id, base))"
    )


@migrations()
def m017_addresses(db: Database) -> None:
    """Authors, dates and answers made again are part of an address, so that one that was corrected is seen."""
    addresses.give_again(db)


@migrations()
def m018_examined(db: Database) -> None:
    """Passages are looked at that came before any was."""
    (examined_since,) = db.execute(
        "SELECT replace(applied_at, ' ', 'T') FROM _sqlite_migrations WHERE name = 'm003_people'"
    ).fetchone()
    found = db.execute(
        "SELECT c.id, c.text, o.title, o.heading, o.speaker, max(s.trust = 'own')"
        " FROM origins o JOIN chunks c ON c.id = o.chunk_id JOIN sources s ON s.id = o.source_id"
        " WHERE c.quarantine IS NULL AND c.created_at < substr(?, 1, 19)"
        " GROUP BY c.id, o.title, o.heading, o.speaker",
        [examined_since],
    ).fetchall()
    for number, text, title, heading, speaker, is_own in found:
        lines = (text, title, *heading.split(" › "), speaker)
        if reason := first_reason(lines, bool(is_own)):
            db.execute("UPDATE chunks SET quarantine = ? WHERE id = ?", [reason, number])


@migrations()
def m019_passed_over(db: Database) -> None:
    """Files that were skipped or refused, and why (`passed_over`)."""
    db.execute(
        "CREATE TABLE passed_over (path TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID"
    )


@migrations()
def m020_headings(db: Database) -> None:
    """What passages stand under is searched too: a row for each place of a chunk in a document."""
    for statement in HEADINGS.split(";\n\n"):
        db.execute(statement)


@migrations()
def m021_letters(db: Database) -> None:
    """Which documents are letters, in which "I" is who wrote them."""
    db.execute("ALTER TABLE documents ADD COLUMN is_letter INTEGER NOT NULL DEFAULT 0")
    db.execute(
        "UPDATE documents SET is_letter = 1 WHERE id IN (SELECT sd.document_id FROM source_documents sd"
        " JOIN sources s ON s.id = sd.source_id WHERE s.format IN ('eml', 'mbox', 'msg'))"
    )


@migrations()
def m022_rehearsed(db: Database) -> None:
    """How many samples of earlier nights a run has in an epoch: with a budget, as many as there was time for when it began."""
    db.execute("ALTER TABLE runs ADD COLUMN replayed_each INTEGER")


HEADINGS_INDEX = "CREATE VIRTUAL TABLE headings_fts USING fts5(text, tokenize='porter unicode61 remove_diacritics 2')"

HEADINGS = f"""
{HEADINGS_INDEX};

CREATE VIEW headings AS
    SELECT dc.document_id * 1048576 + dc.position AS id, dc.document_id, dc.chunk_id,
           spaced(d.title || ' ' || dc.heading) AS text
    FROM document_chunks dc JOIN documents d ON d.id = dc.document_id;

INSERT INTO headings_fts (rowid, text) SELECT id, text FROM headings;

CREATE TRIGGER headings_ad AFTER DELETE ON document_chunks BEGIN
    DELETE FROM headings_fts WHERE rowid = old.document_id * 1048576 + old.position;
END
"""

PEOPLE = """
ALTER TABLE messages ADD COLUMN speaker TEXT;

CREATE TABLE alternatives (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TEXT
);

CREATE INDEX alternatives_conversation ON alternatives(conversation_id);

-- own, known, untrusted
ALTER TABLE sources ADD COLUMN trust TEXT NOT NULL DEFAULT 'own';

-- facts, voice, both
ALTER TABLE sources ADD COLUMN learn TEXT NOT NULL DEFAULT 'facts';

-- ISO 639-1
ALTER TABLE chunks ADD COLUMN language TEXT NOT NULL DEFAULT 'en';

-- why it is kept from training and prompts, or NULL
ALTER TABLE chunks ADD COLUMN quarantine TEXT;

CREATE TABLE left_out (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL REFERENCES sources(id) ON DELETE CASCADE,
    place TEXT NOT NULL,                  -- heading, message or line it stood at
    reason TEXT NOT NULL,
    beginning TEXT NOT NULL               -- its first words, redacted
);

CREATE INDEX left_out_source ON left_out(source_id);

CREATE TABLE watched (
    path TEXT PRIMARY KEY,
    since TEXT NOT NULL
);

DROP VIEW origins;

CREATE VIEW origins AS
    SELECT dc.chunk_id, sd.source_id, d.id AS document_id, NULL AS message_id, d.title, dc.heading,
           d.date, dc.position, NULL AS speaker
    FROM document_chunks dc JOIN documents d ON d.id = dc.document_id
    JOIN source_documents sd ON sd.document_id = d.id
    UNION ALL
    SELECT mc.chunk_id, sc.source_id, NULL, m.id, c.title, '',
           coalesce(m.created_at, c.started_at), m.position * 1000 + mc.position, m.speaker
    FROM message_chunks mc JOIN messages m ON m.id = mc.message_id
    JOIN conversations c ON c.id = m.conversation_id
    JOIN source_conversations sc ON sc.conversation_id = c.id
"""

SCHEMA = """
CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,            -- absolute path, or chat:N for a chat of ours
    root TEXT NOT NULL,                   -- the folder it was taken in with
    format TEXT NOT NULL,
    sha256 TEXT NOT NULL,                 -- of the file's bytes
    n_bytes INTEGER NOT NULL,
    ingested_at TEXT NOT NULL
);

CREATE TABLE documents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    author TEXT,
    date TEXT
);

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,
    external_id TEXT,
    title TEXT NOT NULL,
    started_at TEXT
);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TEXT
);

CREATE TABLE source_documents (
    source_id INTEGER NOT NULL REFERENCES sources(id) ON DELETE CASCADE,
    document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    PRIMARY KEY (source_id, document_id)
);

CREATE TABLE source_conversations (
    source_id INTEGER NOT NULL REFERENCES sources(id) ON DELETE CASCADE,
    conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    PRIMARY KEY (source_id, conversation_id)
);

CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,                   -- text, told, asked (both by the user), reply (the assistant's), said (by others)
    text TEXT NOT NULL,
    n_words INTEGER NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE document_chunks (
    document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    heading TEXT NOT NULL
);

CREATE TABLE message_chunks (
    message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
    chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    position INTEGER NOT NULL
);

CREATE VIEW origins AS
    SELECT dc.chunk_id, sd.source_id, d.id AS document_id, NULL AS message_id, d.title, dc.heading,
           d.date, dc.position
    FROM document_chunks dc JOIN documents d ON d.id = dc.document_id
    JOIN source_documents sd ON sd.document_id = d.id
    UNION ALL
    SELECT mc.chunk_id, sc.source_id, NULL, m.id, c.title, '',
           coalesce(m.created_at, c.started_at), m.position * 1000 + mc.position
    FROM message_chunks mc JOIN messages m ON m.id = mc.message_id
    JOIN conversations c ON c.id = m.conversation_id
    JOIN source_conversations sc ON sc.conversation_id = c.id;

CREATE TABLE samples (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE,          -- of kind, prompt, answer and what it was made from
    chunk_id INTEGER REFERENCES chunks(id) ON DELETE CASCADE,
    base_digest TEXT NOT NULL,            -- the base model that made it; '' where none was needed
    kind TEXT NOT NULL,
    prompt TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE studied (
    chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    base_digest TEXT NOT NULL,
    PRIMARY KEY (chunk_id, base_digest)
);

CREATE TABLE probes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chunk_id INTEGER NOT NULL REFERENCES chunks(id) ON DELETE CASCADE,
    question TEXT NOT NULL,
    gold TEXT NOT NULL,
    span_kind TEXT NOT NULL,              -- name, number, date, phrase
    UNIQUE (question, gold)
);

CREATE TABLE held_out (
    wording TEXT PRIMARY KEY               -- normalised; a question asked by the user to examine the model
);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL,                  -- running, done, failed, dropped
    level TEXT NOT NULL,                  -- slow, fast
    parent INTEGER NOT NULL,              -- the version it starts from; 0 is the base
    base_name TEXT NOT NULL,
    base_digest TEXT NOT NULL,
    options TEXT NOT NULL,                -- JSON: every value the run was made with
    report TEXT                           -- JSON: the figures, once there are any
);

CREATE TABLE run_samples (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    sample_id INTEGER NOT NULL,           -- kept when the sample itself is forgotten
    role TEXT NOT NULL,                   -- new, replay, general
    PRIMARY KEY (run_id, sample_id)
);

CREATE TABLE adapters (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs(id),
    parent INTEGER NOT NULL,
    level TEXT NOT NULL,
    base_name TEXT NOT NULL,
    base_digest TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL                   -- ok, stale (a source changed since), deleted
);

CREATE TABLE evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    probe_id INTEGER NOT NULL REFERENCES probes(id) ON DELETE CASCADE,
    stage TEXT NOT NULL,                  -- before, after
    form TEXT NOT NULL,                   -- direct, third turn, system prompt
    correct INTEGER NOT NULL,
    answer TEXT NOT NULL
);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE INDEX messages_conversation ON messages(conversation_id);

CREATE INDEX document_chunks_document ON document_chunks(document_id);

CREATE INDEX document_chunks_chunk ON document_chunks(chunk_id);

CREATE INDEX message_chunks_message ON message_chunks(message_id);

CREATE INDEX message_chunks_chunk ON message_chunks(chunk_id);

CREATE INDEX source_documents_document ON source_documents(document_id);

CREATE INDEX source_conversations_conversation ON source_conversations(conversation_id);

CREATE INDEX samples_chunk ON samples(chunk_id);

CREATE INDEX probes_chunk ON probes(chunk_id);

CREATE INDEX run_samples_sample ON run_samples(sample_id);

CREATE VIRTUAL TABLE chunks_fts USING fts5(
    text, content='chunks', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2'
);

CREATE TRIGGER chunks_ai AFTER INSERT ON chunks BEGIN
    INSERT INTO chunks_fts (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER chunks_ad AFTER DELETE ON chunks BEGIN
    INSERT INTO chunks_fts (chunks_fts, rowid, text) VALUES ('delete', old.id, old.text);
END
"""


class _Database(Database):
    @contextmanager
    def atomic(self) -> Generator[Database, None, None]:
        """A transaction that asks for the right to write at once: one that reads first fails as soon as
        another process writes in between, however long it is ready to wait."""
        if self.conn.in_transaction:
            with super().atomic():
                yield self
            return
        self.conn.execute("BEGIN IMMEDIATE")
        try:
            yield self
            self.conn.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise


class Store:
    """One person's store. Open it with `Store.open`; use it as a context manager.

    Attributes:
        home: the folder it lies in.
        db: the sqlite-utils database, for queries.
    """

    def __init__(self, home: Home, db: Database) -> None:
        self.home = home
        self.db = db

    @classmethod
    def open(cls, home: Home, create: bool = False) -> "Store":
        """Open the store of a home folder, bringing an older one up to date.

        Raises:
            NoStore: there is none and `create` is false.
            LearnctlError: the file is no store, or cannot be written.
        """
        home.settle()
        if not create and not home.database.exists():
            raise NoStore(f"no store in {home.path}", hint="run `learnctl ingest PATH` to make one")
        try:
            home.make()
            if not home.database.exists():
                home.database.touch(mode=0o600)
            # SQLite gives its side files the database's own mode, and keeps it when that one's changes.
            for side in home.path.glob(f"{home.database.name}-*"):
                with suppress(FileNotFoundError):  # whoever closes it last takes them away
                    side.chmod(home.database.stat().st_mode & 0o600)
            db = _connect(home.database)
        except (sqlite3.DatabaseError, OSError) as error:
            raise LearnctlError(f"the store {home.database} cannot be opened: {error}") from error
        return cls(home, db)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.db.close()

    def rows(self, sql: str, *values: Any) -> list[Record]:
        return list(self._read(sql, values))

    def row(self, sql: str, *values: Any) -> Record | None:
        return next(self._read(sql, values), None)

    def _read(self, sql: str, values: tuple[Any, ...]) -> Iterator[Record]:
        """Not `db.query`, which opens a savepoint: at each of these FTS5 writes out all that it holds."""
        found = self.db.execute(sql, values)
        names = [column[0] for column in found.description]
        return (dict(zip(names, row, strict=True)) for row in found)

    def value(self, sql: str, *values: Any) -> Any:
        found = self.db.execute(sql, values).fetchone()
        return None if found is None else found[0]

    def setting(self, key: str, default: str = "") -> str:
        found = self.value("SELECT value FROM settings WHERE key = ?", key)
        return default if found is None else str(found)

    def set_setting(self, key: str, value: str) -> None:
        with self.db.atomic():
            self.db.table("settings").upsert({"key": key, "value": value}, pk="key")

    def leave_traces(self) -> None:
        """Note in the transaction that deletes something that its bytes have to be erased, so that the
        next ingest or forget does it where this one dies or the disk is full."""
        self.set_setting(TRACES, "1")

    def erase_traces(self) -> None:
        """Make sure that what was deleted is nowhere in the files: `secure_delete` covers neither the
        full-text index nor the write-ahead log."""
        if not self.setting(TRACES):
            return
        self.home.sweep_scratch()
        remove_left_behind()
        with self.db.atomic():
            for index in INDEXES:
                self.db.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
        self.db.execute("VACUUM")
        busy = next(iter(self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()))[0]
        if busy:
            return  # somebody reads: the log is emptied by the next one to come here
        self.db.execute("DELETE FROM settings WHERE key = ?", [TRACES])
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def counts(self) -> Record:
        """How many sources, documents, conversations, messages and chunks are live."""
        return {
            name: self.value(f"SELECT count(*) FROM {name}")
            for name in ("sources", "documents", "conversations", "messages", "chunks")
        }

    def sources(self) -> list[Record]:
        """Every source with what it holds, oldest first."""
        return self.rows(
            """
            SELECT s.id, s.path, s.format, s.n_bytes, s.ingested_at,
                (SELECT count(DISTINCT document_id) FROM source_documents WHERE source_id = s.id)
                    AS documents,
                (SELECT count(*) FROM source_conversations WHERE source_id = s.id) AS conversations,
                (SELECT count(DISTINCT chunk_id) FROM origins WHERE source_id = s.id) AS chunks,
                (SELECT count(*) FROM samples WHERE chunk_id IN
                    (SELECT chunk_id FROM origins WHERE source_id = s.id)) AS samples
            FROM sources s ORDER BY s.id
            """
        )

    def find_sources(self, name: str) -> list[Record]:
        """The sources meant by a number, else a path, a folder, or the last part of a path. A file that was taken in by two paths, one
        of them through a link, is meant by either as both.

        Raises:
            LearnctlError: none is.
        """
        everything = self.rows("SELECT * FROM sources ORDER BY id") if name else []
        wanted = os.path.realpath(os.path.expanduser(name))
        at = _without_links(s["path"] for s in everything if s["root"])
        found = (
            [s for s in everything if str(s["id"]) == name]
            or [s for s in everything if s["path"] == name or at.get(s["path"]) == wanted]
            or [s for s in everything if at.get(s["path"], "").startswith(wanted + "/")]
            or [s for s in everything if s["path"].endswith("/" + name)]
        )
        if not found:
            raise LearnctlError(f"no source `{name}`", hint="`learnctl sources` lists them")
        meant = {at.get(s["path"], s["path"]) for s in found}
        return [s for s in everything if at.get(s["path"], s["path"]) in meant]


def _without_links(paths: Iterable[str]) -> dict[str, str]:
    """Where files lie that are named through links; each folder is looked up once."""
    folder_of = lru_cache(maxsize=None)(os.path.realpath)
    found = {}
    for path in paths:
        folder, name = os.path.split(path)
        inside = os.path.join(folder_of(folder), name)
        found[path] = os.path.realpath(inside) if os.path.islink(inside) else inside
    return found


def _connect(path: Path) -> Database:
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        connection.create_function("spaced", 1, spaced, deterministic=True)
        connection.create_function("name_of", 1, _name_of, deterministic=True)
        db = _Database(connection)
        # Each migration commits: a log that is emptied early keeps a new store small on a small disk.
        connection.execute("PRAGMA wal_autocheckpoint = 32")
        _migrate(db)
        connection.execute("PRAGMA wal_autocheckpoint = 1000")
    except BaseException:
        connection.close()
        raise
    return db


# What SQLite says where another process has just done, or is doing, what was to be done.
_CAME_FIRST = re.compile(
    "already exists|duplicate column|no such (?:trigger|table|column)|_sqlite_migrations|locked"
)


def _name_of(person: str | None) -> str | None:
    return None if person is None else name_of(person)


def _migrate(db: Database) -> None:
    """Bring a store up to date; another process that opens it at the same time may come first with some of it."""
    until = time.monotonic() + OPENING_S
    while True:
        try:
            migrations.apply(db)
            return
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:  # none is half applied
            if time.monotonic() > until or not _CAME_FIRST.search(str(error)):
                raise
            time.sleep(0.1)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def to_json(value: Any) -> str:
    """As SQLite reads it: what is no finite number is null, for JSON has none such."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, sort_keys=True)


def finite(value: Any) -> Any:
    """A value with None for each number in it that is not finite."""
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def batches(values: Collection[int], size: int = 500) -> Iterator[list[int]]:
    """The values in lists short enough for one SQL query."""
    listed = list(values)
    return (listed[start : start + size] for start in range(0, len(listed), size))


# A list of any length as one value of a query, made by `to_json`: a query has room for some 30,000 values.
LISTED = "(SELECT value FROM json_each(?))"


def marks(values: Iterable[Any]) -> str:
    """Question marks for an SQL list of that many values."""
    return ", ".join("?" for _ in values)
