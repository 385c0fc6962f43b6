"""Messages on macOS: its database `chat.db`, with iMessages and SMS.

Nothing is written to it or beside it.
"""

from collections.abc import Iterator
from pathlib import Path

from ..records import Item
from .dates import iso_from_unix
from .sqlite import Database, Row, is_database, open_database
from .talk import MEDIA, REACTION, SYSTEM, Talk, name
from .typedstream import text_of

_2001 = 978_307_200
_NANOSECONDS = 10**11  # dates above are no seconds: those were written until macOS 10.12
_STICKER = 1000  # put on a message
_REACTIONS = range(2000, 4000)
_OBJECT = "\ufffc"  # stands for a picture
# A version of macOS may lack some of them.
_COLUMNS = (
    "text",
    "attributedBody",
    "handle_id",
    "is_from_me",
    "date",
    "item_type",
    "associated_message_type",
)


def matches(path: Path, head: bytes) -> bool:
    """An SQLite file with Messages' tables."""
    if not is_database(head):
        return False
    with open_database(path) as database:
        return (
            {"chat_id", "message_id"} <= database.columns("chat_message_join")
            and {"text", "handle_id", "is_from_me"} <= database.columns("message")
            and "id" in database.columns("handle")
        )


def read(path: Path) -> Iterator[Item]:
    """A conversation for each chat.

    Raises:
        UnreadableSource: a damaged database. Some conversations may have come before.
        OSError: it cannot be opened.
    """
    with open_database(path) as database:
        names = _Names(database)
        chats: dict[int, list[int]] = {}
        for row in database.rows("chat_message_join", ("chat_id", "message_id"), "chat_id"):
            if isinstance(row["chat_id"], int) and isinstance(row["message_id"], int):
                chats.setdefault(row["chat_id"], []).append(row["message_id"])
        for chat_id, message_ids in chats.items():
            talk = Talk()
            for message in _messages(database, message_ids):
                _take(talk, names, chat_id, message)
            yield talk.conversation(names.title(chat_id), names.guid(chat_id))


class _Names:
    """Who takes part in which chat. A database knows people by number or address alone."""

    def __init__(self, database: Database) -> None:
        handles = database.rows("handle", ("ROWID", "id"))
        self._handles = {row["ROWID"]: name(row["id"]) for row in handles}
        self._members: dict[int, list[str]] = {}
        for row in database.rows("chat_handle_join", ("chat_id", "handle_id")):
            members = self._members.setdefault(row["chat_id"], [])
            members.append(self._handles.get(row["handle_id"], ""))
        about = ("ROWID", "guid", "display_name", "chat_identifier")
        self._chats = {row["ROWID"]: row for row in database.rows("chat", about)}

    def title(self, chat_id: int) -> str:
        about = self._chats.get(chat_id, {})
        members = ", ".join(filter(None, self._members.get(chat_id, [])))
        shown = name(about.get("display_name")) or members or name(about.get("chat_identifier"))
        return shown or f"Chat {chat_id}"

    def guid(self, chat_id: int) -> str | None:
        return name(self._chats.get(chat_id, {}).get("guid")) or None

    def speaker(self, chat_id: int, handle: object) -> str:
        known = self._handles.get(handle) if isinstance(handle, int) else None
        members = self._members.get(chat_id, [])
        return known or (members[0] if len(members) == 1 else "") or "unknown"


def _messages(database: Database, ids: list[int]) -> list[Row]:
    """One chat's messages, by time."""
    found: list[Row] = []
    for number in sorted(ids):
        found += database.rows("message", _COLUMNS, where=("ROWID", str(number)))
    return sorted(found, key=lambda row: row["date"] if isinstance(row["date"], int) else 0)


def _take(talk: Talk, names: _Names, chat_id: int, row: Row) -> None:
    if row["item_type"]:
        talk.leave_out(SYSTEM)
        return
    if row["associated_message_type"] in _REACTIONS:
        talk.leave_out(REACTION)
        return
    if row["associated_message_type"] == _STICKER:
        talk.leave_out(MEDIA)
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
