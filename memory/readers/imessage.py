"""Messages on macOS: its database `chat.db`, with iMessages and SMS.

Opened as it stands: nothing is written, locked or made beside it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import UnreadableSource
from ..records import Item
from .dates import iso_from_unix
from .talk import MEDIA, REACTION, SYSTEM, Talk, name
from .typedstream import text_of

SQLITE_MAGIC = b"SQLite format 3\x00"
_TABLES = {"message", "handle", "chat_message_join"}
_2001 = 978_307_200
_NANOSECONDS = 10**11  # dates above are no seconds: those were written until macOS 10.12
_REACTIONS = range(2000, 4000)
_OBJECT = "\ufffc"  # stands for a picture
_COLUMNS = {
    "text": "NULL",
    "attributedBody": "NULL",
    "is_from_me": "0",
    "date": "NULL",
    "item_type": "0",
    "associated_message_type": "0",
}


def matches(path: Path, head: bytes) -> bool:
    """An SQLite file with Messages' tables."""
    if not head.startswith(SQLITE_MAGIC):
        return False
    try:
        with closing(_open(path)) as database:
            return _tables(database) >= _TABLES
    except sqlite3.Error:
        return False


def read(path: Path) -> Iterator[Item]:
    """A conversation for each chat.

    Raises:
        UnreadableSource: a damaged database. Some conversations may have come before.
    """
    try:
        with closing(_open(path)) as database:
            names = _Names(database)
            pending = path.with_name(path.name + "-wal")
            for chat_id in names.chats:
                talk = Talk()
                for row in _messages(database, chat_id):
                    _take(talk, names, chat_id, row)
                if pending.exists() and pending.stat().st_size:
                    talk.note(
                        f"{pending.name} beside it is not read: the newest messages may be in there"
                    )
                    pending = path.with_name("")
                yield talk.conversation(names.title(chat_id), names.chats[chat_id].get("guid"))
    except sqlite3.Error as error:
        raise UnreadableSource(f"a damaged database: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
    database.row_factory = sqlite3.Row
    database.text_factory = lambda data: data.decode("utf-8", errors="replace")
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _tables(database: sqlite3.Connection) -> set[str]:
    return {
        row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }


class _Names:
    """Who takes part in which chat. A database knows people by number or address alone."""

    def __init__(self, database: sqlite3.Connection) -> None:
        tables = _tables(database)
        self._handles = {
            row["ROWID"]: name(row["id"]) for row in _rows(database, "ROWID, id", "handle")
        }
        self._members: dict[int, list[str]] = {}
        if "chat_handle_join" in tables:
            for row in _rows(database, "chat_id, handle_id", "chat_handle_join"):
                members = self._members.setdefault(row["chat_id"], [])
                members.append(self._handles.get(row["handle_id"], ""))
        joined = "SELECT DISTINCT chat_id FROM chat_message_join ORDER BY chat_id"
        self.chats: dict[int, dict[str, Any]] = {row[0]: {} for row in database.execute(joined)}
        if "chat" in tables:
            for row in database.execute("SELECT * FROM chat"):
                if row["ROWID"] in self.chats:
                    self.chats[row["ROWID"]] = dict(row)

    def title(self, chat_id: int) -> str:
        about = self.chats[chat_id]
        members = ", ".join(filter(None, self._members.get(chat_id, [])))
        return (
            name(about.get("display_name"))
            or members
            or name(about.get("chat_identifier"))
            or f"Chat {chat_id}"
        )

    def speaker(self, chat_id: int, handle: object) -> str:
        known = self._handles.get(handle) if isinstance(handle, int) else None
        members = self._members.get(chat_id, [])
        return known or (members[0] if len(members) == 1 else "") or "unknown"


def _rows(database: sqlite3.Connection, columns: str, table: str) -> sqlite3.Cursor:
    return database.execute(f"SELECT {columns} FROM {table}")


def _messages(database: sqlite3.Connection, chat_id: int) -> sqlite3.Cursor:
    """The chat's messages by time; columns that a version of macOS had not yet are empty."""
    there = {row["name"] for row in database.execute("PRAGMA table_info(message)")}
    columns = ", ".join(
        f"m.{column} AS {column}" if column in there else f"{instead} AS {column}"
        for column, instead in _COLUMNS.items()
    )
    return database.execute(
        f"SELECT {columns}, m.handle_id FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id"
        " WHERE j.chat_id = ? ORDER BY m.date, m.ROWID",
        [chat_id],
    )


def _take(talk: Talk, names: _Names, chat_id: int, row: sqlite3.Row) -> None:
    if row["item_type"]:
        talk.leave_out(SYSTEM)
        return
    if row["associated_message_type"] in _REACTIONS:
        talk.leave_out(REACTION)
        return
    text = row["text"]
    if not text and isinstance(row["attributedBody"], bytes):
        text = text_of(row["attributedBody"])
    text = str(text or "").replace(_OBJECT, "")
    if not text.strip():
        talk.leave_out(MEDIA)
        return
    mine = bool(row["is_from_me"])
    talk.say(names.speaker(chat_id, row["handle_id"]), text, _moment(row["date"]), mine)


def _moment(date: object) -> str | None:
    if not isinstance(date, int) or not date:
        return None
    return iso_from_unix(_2001 + (date / 1e9 if date > _NANOSECONDS else date))
