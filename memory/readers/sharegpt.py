"""Chats in ShareGPT's form: `{"conversations": [{"from": "human", "value": …}]}`, one a line, an
array of them, or one alone; some write `role` and `content`, and some call the list otherwise.
"""

from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .chat_records import records
from .chat_text import as_text, message, role_of, title_of
from .dates import utc_moment
from .json_stream import Json, Keys, keys
from .messages_jsonl import text_of

_LISTS = ("conversations", "conversation", "items")
_TURNS = ("from", "role")


def matches(path: Path, head: bytes) -> bool:
    """JSON that begins with a list of turns that are from somebody."""
    return _is_known(keys(head))


def _is_known(found: Keys) -> bool:
    return any(
        f"{prefix}{name}.item.{turn}" in found
        for prefix in ("", "item.")
        for name in _LISTS
        for turn in _TURNS
    )


def read(path: Path) -> Iterator[Item]:
    """A conversation for each record.

    Raises:
        UnreadableSource: a record that is no such conversation, by its place; earlier ones came.
        OSError: it cannot be opened.
    """
    for place, record in records(path, _is_known):
        turns = _turns(record) if isinstance(record, dict) else None
        if turns is None:
            raise UnreadableSource(f"no conversation at {place}")
        messages = tuple(filter(None, map(_message, turns)))
        number = record.get("id")
        yield Conversation(
            title=title_of(record.get("title"), messages, f"{path.stem}, {place}"),
            messages=messages,
            external_id=as_text(str(number)) if number else None,
            started_at=messages[0].created_at if messages else None,
        )


def _turns(record: Json) -> list[object] | None:
    lists = (record.get(name) for name in _LISTS)
    return next((found for found in lists if isinstance(found, list)), None)


def _message(turn: object) -> Message | None:
    if not isinstance(turn, dict):
        return None
    role = role_of(turn.get("from", turn.get("role")))
    text = text_of(turn.get("value", turn.get("content", turn.get("text"))))
    return message(role, text, utc_moment(turn.get("timestamp", turn.get("created_at"))))
