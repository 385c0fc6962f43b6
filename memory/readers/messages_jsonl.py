"""Chats as `{"messages": [{"role": …, "content": …}]}`, as OpenAI's tools write them: one a line, an
array of them, or one alone; the list of messages may also stand by itself.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .chat_records import records
from .chat_text import as_text, message, role_of, title_of
from .dates import utc_moment
from .json_stream import Json, Keys, keys

_TEXTUAL = ("text", "input_text", "output_text")


def matches(path: Path, head: bytes) -> bool:
    """JSON that begins with messages that have roles."""
    return _is_known(keys(head))


def _is_known(found: Keys) -> bool:
    return any(f"{prefix}messages.item.role" in found for prefix in ("", "item.")) or (
        {"item.role", "item.content"} <= found
    )


def read(path: Path) -> Iterator[Item]:
    """A conversation for each record.

    Raises:
        UnreadableSource: a record that is no such conversation, by its place; earlier ones came.
        OSError: it cannot be opened.
    """
    alone: list[Any] = []
    for place, record in records(path, _is_known):
        if isinstance(record, list):
            record = {"messages": record}
        if isinstance(record, dict) and isinstance(record.get("messages"), list):
            yield _conversation(record, f"{path.stem}, {place}")
        elif place.startswith("record") and isinstance(record, dict) and "role" in record:
            alone.append(record)  # the file is one list of messages
        else:
            raise UnreadableSource(f"no messages at {place}")
    if alone:
        yield _conversation({"messages": alone}, path.stem)


def _conversation(raw: Json, otherwise: str) -> Conversation:
    messages = tuple(filter(None, map(_message, raw["messages"])))
    external_id = raw.get("id") or raw.get("conversation_id")
    return Conversation(
        title=title_of(raw.get("title"), messages, otherwise),
        messages=messages,
        external_id=as_text(str(external_id)) if external_id else None,
        started_at=_moment(raw) or (messages[0].created_at if messages else None),
    )


def _message(raw: object) -> Message | None:
    if not isinstance(raw, dict):
        return None
    return message(role_of(raw.get("role")), text_of(raw.get("content")), _moment(raw))


def text_of(content: object) -> str:
    """The words in a content that is a text, or a list of parts."""
    parts = content if isinstance(content, list) else [content]
    return "\n\n".join(text for text in map(_part_text, parts) if text)


def _part_text(part: object) -> str:
    if isinstance(part, dict) and part.get("type", "text") in _TEXTUAL:
        part = part.get("text")
    return as_text(part)


def _moment(raw: Json) -> str | None:
    for name in ("created_at", "create_time", "timestamp", "created"):
        if raw.get(name) is not None:
            return utc_moment(raw[name])
    return None
