"""Conversations with learnctl itself, kept in the store like any other source.

Each is a source of its own, `chat:N`, so that it can be searched, studied and taken back.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence

from ..memory import contents
from ..memory.errors import LearnctlError
from ..memory.records import Conversation, Item, Message
from ..memory.store import Record, Store, marks, now


def start_chat(store: Store, title: str = "") -> int:
    """Open a conversation; the number that its source carries. Without a title it is called by its first question."""
    return put_own(
        store,
        "chat",
        lambda number: Conversation(title, (), external_id=f"chat:{number}", started_at=now()),
    )


def put_own(store: Store, kind: str, make: Callable[[int], Item], n_bytes: int = 0) -> int:
    """Put what was typed here into the store as a source of its own, `KIND:N`; the number N.

    Args:
        make: what the source holds, a document or conversation, by N.
    """
    with store.db.atomic():
        number = 1 + _last(store, kind)
        path = f"{kind}:{number}"
        store.db.table("sources").insert(
            {
                "path": path,
                "root": "",
                "format": kind,
                "sha256": hashlib.sha256(uuid.uuid4().bytes).hexdigest(),
                "n_bytes": n_bytes,
                "ingested_at": now(),
            }
        )
        contents.put(store, source_of(store, path), make(number))
        # Numbers are never used again, also not those of what was deleted.
        store.set_setting(f"last {kind}", str(number))
    return number


def log_turn(store: Store, number: int, role: str, text: str) -> int:
    """Add one message to a conversation; the number of its row."""
    conversation = _conversation(store, number)
    with store.db.atomic():
        message_id = contents.put_message(store, conversation, Message(role, text, now()))
        _count_bytes(store, number, len(text.encode()))
    return message_id


def take_back(
    store: Store, number: int, message_ids: Sequence[int], is_made_again: bool = False
) -> None:
    """Take some messages out of a conversation, which another process may be in too, with all that was made of them; one that
    nothing is left of goes as a whole, but for its name where a version learned from it, for `forget`.

    Args:
        is_made_again: they stay beside the conversation.
    """
    conversation = _conversation(store, number)
    with store.db.atomic():
        for message in store.rows(
            f"SELECT * FROM messages WHERE conversation_id = ? AND id IN ({marks(message_ids)})",
            conversation,
            *message_ids,
        ):
            if is_made_again:
                kept = {name: message[name] for name in ("position", "role", "text", "created_at")}
                store.db.table("alternatives").insert({"conversation_id": conversation, **kept})
            store.db.execute("DELETE FROM messages WHERE id = ?", [message["id"]])
            _count_bytes(store, number, -len(message["text"].encode()))
        source_id = source_of(store, f"chat:{number}")
        contents.sweep(store, source_id)
        if not store.row("SELECT 1 FROM messages WHERE conversation_id = ?", conversation):
            contents.give_back(store, [source_id])


def messages(store: Store, number: int) -> list[Record]:
    """What was said in a conversation, in order: number of its row, role, text and time.

    Raises:
        LearnctlError: there is no such chat.
    """
    return store.rows(
        "SELECT id, role, text, created_at FROM messages WHERE conversation_id = ? ORDER BY position",
        _conversation(store, number),
    )


def chats(store: Store) -> list[Record]:
    """Every conversation that is kept, newest first: its number, title, times and length."""
    return store.rows(
        "SELECT CAST(substr(s.path, 6) AS INTEGER) AS chat, s.id AS source, c.title, c.started_at AS started,"
        " coalesce(max(m.created_at), c.started_at) AS last, count(m.id) AS messages, s.n_bytes"
        " FROM sources s JOIN source_conversations sc ON sc.source_id = s.id"
        " JOIN conversations c ON c.id = sc.conversation_id"
        " LEFT JOIN messages m ON m.conversation_id = c.id"
        " WHERE s.path LIKE 'chat:%' GROUP BY s.id ORDER BY max(m.id) DESC, chat DESC"
    )


def exists(store: Store, number: int) -> bool:
    return _conversation_of(store, number) is not None


def find_chat(store: Store, number: int) -> Record:
    """One conversation as `chats` lists it.

    Raises:
        LearnctlError: there is none.
    """
    found = next((chat for chat in chats(store) if chat["chat"] == number), None)
    if found is None:
        raise LearnctlError(f"no chat {number}", hint="`learnctl chats` lists them")
    return found


def said_before(store: Store, limit: int) -> list[str]:
    """The last things the user typed in conversations, oldest first."""
    rows = store.rows(
        "SELECT m.text FROM messages m JOIN source_conversations sc ON sc.conversation_id ="
        " m.conversation_id JOIN sources s ON s.id = sc.source_id"
        " WHERE s.path LIKE 'chat:%' AND m.role = 'user' ORDER BY m.id DESC LIMIT ?",
        limit,
    )
    return [row["text"] for row in reversed(rows)]


def source_of(store: Store, path: str) -> int:
    return int(store.value("SELECT id FROM sources WHERE path = ?", path))


def _conversation_of(store: Store, number: int) -> int | None:
    found = store.value(
        "SELECT sc.conversation_id FROM source_conversations sc JOIN sources s ON s.id = sc.source_id"
        " WHERE s.path = ?",
        f"chat:{number}",
    )
    return None if found is None else int(found)


def _conversation(store: Store, number: int) -> int:
    found = _conversation_of(store, number)
    if found is None:
        raise LearnctlError(
            f"no chat {number}: it was forgotten, or never was",
            hint="`learnctl chats` lists them",
        )
    return found


def _last(store: Store, kind: str) -> int:
    there = store.value(
        "SELECT max(CAST(substr(path, ?) AS INTEGER)) FROM sources WHERE path LIKE ?",
        len(kind) + 2,
        f"{kind}:%",
    )
    return max(int(there or 0), int(store.setting(f"last {kind}", "0")))


def _count_bytes(store: Store, number: int, change: int) -> None:
    store.db.execute(
        "UPDATE sources SET n_bytes = max(0, n_bytes + ?) WHERE path = ?",
        [change, f"chat:{number}"],
    )
