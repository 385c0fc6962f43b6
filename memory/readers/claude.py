"""Claude's data export: `conversations.json`, the zip around it, or one chat as claude.ai loads it.

Old exports have a message's words in `text`; newer ones in blocks of `content`, of which only `text`
was said, and with each message its parent: edits and second tries branch off, as in ChatGPT's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Conversation, Document, Item, Message, Section
from .chat_text import as_text, message, role_of, title_of
from .chat_tree import Node, talk_and_alternatives
from .chatgpt import EXPORT_FILE
from .dates import utc_moment
from .json_stream import Json, Keys, holds, values


def matches(path: Path, head: bytes) -> bool:
    """JSON with `chat_messages`, or a zip with such a `conversations.json`."""
    return holds(path, head, EXPORT_FILE, _is_known)


def _is_known(keys: Keys) -> bool:
    return "item.chat_messages" in keys or "chat_messages" in keys


def read(path: Path) -> Iterator[Item]:
    """The conversations one by one, each followed by the texts attached to it as documents.

    An attached text is not the person's own words, however it came into the chat.

    Raises:
        UnreadableSource: broken JSON or zip, or no conversation in it. Some may have come before.
        OSError: it cannot be opened.
    """
    n_known = 0
    for found in values(path, ("item", ""), _is_known):
        if isinstance(found, dict) and isinstance(found.get("chat_messages"), list):
            n_known += 1
            raws = [raw for raw in found["chat_messages"] if isinstance(raw, dict)]
            yield _conversation(found, raws)
            yield from _attachments(raws)
    if not n_known:
        raise UnreadableSource("JSON without a conversation with Claude in it")


def _conversation(found: Json, raws: list[Json]) -> Conversation:
    ids = {raw.get("uuid") for raw in raws if isinstance(raw.get("uuid"), str)}
    if any(_parent(raw) in ids for raw in raws):
        nodes = (
            Node(str(raw.get("uuid")), _parent(raw), _message(raw), _moment(raw)) for raw in raws
        )
        messages, alternatives = talk_and_alternatives(
            nodes, found.get("current_leaf_message_uuid")
        )
    else:
        messages = tuple(filter(None, map(_message, sorted(raws, key=_moment))))
        alternatives = ()
    return Conversation(
        title=title_of(found.get("name"), messages, "Untitled conversation"),
        messages=messages,
        external_id=as_text(found.get("uuid")) or None,
        started_at=utc_moment(found.get("created_at")),
        alternatives=alternatives,
    )


def _parent(raw: Json) -> str | None:
    parent = raw.get("parent_message_uuid")
    return parent if isinstance(parent, str) else None


def _moment(raw: Json) -> str:
    return as_text(raw.get("created_at"))


def _message(raw: Json) -> Message | None:
    text = _text_of(raw) or _names_of_attached(raw)
    return message(role_of(raw.get("sender")), text, utc_moment(raw.get("created_at")))


def _text_of(raw: Json) -> str:
    blocks = raw.get("content")
    texts = map(_block_text, blocks) if isinstance(blocks, list) else ()
    return "\n\n".join(filter(None, texts)) or as_text(raw.get("text"))


def _block_text(block: object) -> str:
    if not isinstance(block, dict) or block.get("type") != "text":
        return ""
    return as_text(block.get("text"))


def _attached(raw: Json) -> list[Json]:
    """What was attached as text; long pastes are among it."""
    listed: Any = raw.get("attachments")
    return [
        attached
        for attached in (listed if isinstance(listed, list) else ())
        if isinstance(attached, dict) and as_text(attached.get("extracted_content"))
    ]


def _name(attached: Json) -> str:
    return as_text(attached.get("file_name")) or "Pasted text"


def _names_of_attached(raw: Json) -> str:
    return ", ".join(map(_name, _attached(raw)))


def _attachments(raws: list[Json]) -> Iterator[Document]:
    for raw in raws:
        for attached in _attached(raw):
            yield Document(
                title=_name(attached),
                sections=(Section("", as_text(attached["extracted_content"])),),
                date=utc_moment(raw.get("created_at")),
            )
