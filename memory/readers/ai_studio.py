"""Chats of Google AI Studio, as it keeps them in Google Drive: JSON, often without an extension."""

from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .chat_text import as_text, message, role_of
from .dates import utc_moment
from .json_stream import Json, keys, values


def matches(path: Path, head: bytes) -> bool:
    """JSON with a `chunkedPrompt`."""
    return "chunkedPrompt" in keys(head)


def read(path: Path) -> Iterator[Item]:
    """The one chat in the file, without the model's thoughts; its name is the file's.

    Raises:
        UnreadableSource: broken JSON, or no chat in it.
        OSError: it cannot be opened.
    """
    for found in values(path, ("",), lambda keys: "chunkedPrompt" in keys):
        prompt = found.get("chunkedPrompt") if isinstance(found, dict) else None
        chunks = prompt.get("chunks") if isinstance(prompt, dict) else None
        if not isinstance(chunks, list):
            raise UnreadableSource("JSON without a chat of AI Studio in it")
        raws = [chunk for chunk in chunks if isinstance(chunk, dict)]
        messages = tuple(filter(None, map(_message, raws)))
        yield Conversation(
            title=as_text(found.get("title")) or path.stem,
            messages=messages,
            started_at=messages[0].created_at if messages else None,
        )


def _message(chunk: Json) -> Message | None:
    if chunk.get("isThought"):
        return None
    parts = chunk.get("parts")
    spoken = (_part_text(part) for part in parts) if isinstance(parts, list) else ()
    text = as_text(chunk.get("text")) or "".join(spoken)
    return message(role_of(chunk.get("role")), text, utc_moment(chunk.get("createTime")))


def _part_text(part: object) -> str:
    if not isinstance(part, dict) or part.get("thought"):
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""
