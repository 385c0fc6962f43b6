"""ChatGPT's data export: `conversations.json`, the zip around it, or one conversation of it.

A conversation is a tree, because every edit and every second try branches off. What the person
last saw is the way from `current_node` up to the root; the rest are alternatives.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .chat_text import as_text
from .chat_tree import Node, talk_and_alternatives
from .dates import iso_from_unix
from .json_stream import Json, Keys, holds, values

EXPORT_FILE = re.compile(r"(?:.*/)?conversations(?:-\d+)?\.json")
# Marks of private use around citations and pictures; 203 and 204 enclose text that is shown.
# The first character of all kinds stands first, so that any other text is passed over quickly.
_REFERENCE = re.compile(
    "[\ue200-\ue20f【](?:(?<=\ue200)[^\ue200\ue201]*\ue201|(?<=\ue200)[a-z]+(?:\ue202turn[a-z0-9]+)+"
    "|(?<=【)(?:[^【】]{0,59}†[^【】]{0,59}|turn[0-9][^【】]{0,59})】|(?<!【))"
)
_OLD_REFERENCE = re.compile(r"(?::contentReference)?\[oaicite:\d{1,4}\](?:\{index=\d{1,4}\})?")
_TEXTUAL = ("text", "multimodal_text")
_SPOKEN = "audio_transcription"


def matches(path: Path, head: bytes) -> bool:
    """JSON with a conversation's `mapping`, or a zip with such a `conversations.json`."""
    return holds(path, head, EXPORT_FILE, _is_known)


def _is_known(keys: Keys) -> bool:
    return "item.mapping" in keys or "mapping" in keys


def read(path: Path) -> Iterator[Item]:
    """The conversations one by one, never the whole export at once.

    Raises:
        UnreadableSource: broken JSON or zip, or no conversation in it. Some may have come before.
        OSError: it cannot be opened.
    """
    n_known = 0
    for found in values(path, ("item", ""), _is_known):
        if isinstance(found, dict) and isinstance(found.get("mapping"), dict):
            n_known += 1
            yield _conversation(found)
    if not n_known:
        raise UnreadableSource("JSON without a ChatGPT conversation in it")


def _conversation(raw: Json) -> Conversation:
    nodes = (
        Node(name, _name(node.get("parent")), _message(node), _seconds(node.get("message")))
        for name, node in raw["mapping"].items()
        if isinstance(node, dict)
    )
    messages, alternatives = talk_and_alternatives(nodes, raw.get("current_node"))
    return Conversation(
        title=as_text(raw.get("title")) or "Untitled conversation",
        messages=messages,
        external_id=as_text(raw.get("conversation_id") or raw.get("id")) or None,
        started_at=iso_from_unix(raw.get("create_time")),
        alternatives=alternatives,
    )


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _seconds(message: object) -> float:
    time = message.get("create_time") if isinstance(message, dict) else None
    return float(time) if isinstance(time, int | float) else 0.0


def _message(node: Json) -> Message | None:
    message = node.get("message")
    if not isinstance(message, dict) or _is_hidden(message):
        return None
    author = message.get("author")
    role = author.get("role") if isinstance(author, dict) else None
    if role not in ("user", "assistant"):
        return None
    text = _text_of(message.get("content"))
    if not text:
        return None
    return Message(str(role), text, iso_from_unix(message.get("create_time")))


def _is_hidden(message: Json) -> bool:
    """What a tool or the model's own thinking is given, and what the program sets in between."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    return bool(
        metadata.get("is_visually_hidden_from_conversation")
        or metadata.get("is_user_system_message")
        or message.get("recipient") not in (None, "all")
        or message.get("channel") == "analysis"
    )


def _text_of(content: object) -> str:
    if not isinstance(content, dict) or content.get("content_type") not in _TEXTUAL:
        return ""
    parts = content.get("parts")
    if not isinstance(parts, list):
        return ""
    text = "\n\n".join(filter(None, map(_part_text, parts)))
    text = text if text.isascii() else _REFERENCE.sub("", text)
    return (_OLD_REFERENCE.sub("", text) if "[oaicite:" in text else text).strip()


def _part_text(part: object) -> str:
    """What was written, or said aloud; pictures and sound have no text."""
    if isinstance(part, dict) and part.get("content_type") == _SPOKEN:
        part = part.get("text")
    return as_text(part)
