"""Claude's data export: `conversations.json` and `projects.json`, the zip around them, or one chat as claude.ai loads it.

Old exports have a message's words in `text`; newer ones in blocks of `content`, of which only `text`
was said, and with each message its parent: edits and second tries branch off, as in ChatGPT's.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Conversation, Document, Item, Message, Section
from .archive import ZIP_MAGIC, member_names
from .binary import HEAD_BYTES
from .chat_text import Accounts, as_text, message, role_of, title_of
from .chat_tree import Node, talk_and_alternatives
from .chatgpt import EXPORT_FILE
from .dates import utc_moment
from .json_stream import Json, Keys, holds, keys, values

_MEMORY_FILE = re.compile(r"(?:.*/)?(?:memories\.json|memories/[^/]+\.json)")
_MEMORY = "left out: what Claude keeps in mind of you, in its own words"


def matches(path: Path, head: bytes) -> bool:
    """JSON with `chat_messages`, of projects or memories, or a zip with such a `conversations.json`."""
    return holds(path, head, EXPORT_FILE, lambda keys: _is_known(keys) or _is_memory(keys))


def _is_known(keys: Keys) -> bool:
    return any(
        within + "chat_messages" in keys
        or {within + "prompt_template", within + "is_private"} <= keys
        for within in ("item.", "")
    )


def _is_memory(keys: Keys) -> bool:
    return "item.conversations_memory" in keys or "conversations_memory" in keys


def read(path: Path) -> Iterator[Item]:
    """The conversations one by one, each followed by the texts attached to it as documents; and what is kept in projects.

    What Claude keeps in mind of a person is in its own words and left out. An attached text is not the person's own words, however it came into the chat.

    Raises:
        UnreadableSource: broken JSON or zip, or no conversation in it. Some may have come before.
        OSError: it cannot be opened.
    """
    notes: tuple[str, ...] = (_MEMORY,) if _holds_memory(path) else ()
    n_known = 0
    accounts = Accounts()
    for found in values(path, ("item", ""), _is_known):
        if not isinstance(found, dict):
            continue
        if isinstance(found.get("chat_messages"), list):
            n_known += 1
            raws = [raw for raw in found["chat_messages"] if isinstance(raw, dict)]
            account = found.get("account")
            notes += accounts.notes(account.get("uuid") if isinstance(account, dict) else None)
            yield replace(_conversation(found, raws), notes=notes)
            yield from _attachments(raws)
            notes = ()
        elif "prompt_template" in found:
            n_known += 1
            yield from _project(found)
    if not n_known:
        if notes:
            raise UnreadableSource(_MEMORY)
        raise UnreadableSource("JSON without a conversation with Claude in it")


def _holds_memory(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(ZIP_MAGIC):
        return any(map(_MEMORY_FILE.fullmatch, member_names(path)))
    return _is_memory(keys(head))


def _project(found: Json) -> Iterator[Document]:
    """Its documents, and what Claude is told in it; the one that all begin with is not the person's."""
    if found.get("is_starter_project"):
        return
    told = (as_text(found.get("description")), as_text(found.get("prompt_template")))
    title = as_text(found.get("name")) or "Untitled project"
    date = utc_moment(found.get("created_at"))
    yield Document(title, tuple(Section("", text) for text in told if text), date=date)
    docs = found.get("docs")
    for doc in docs if isinstance(docs, list) else ():
        if isinstance(doc, dict):
            sections = (Section("", as_text(doc.get("content"))),)
            name = as_text(doc.get("filename")) or title
            yield Document(name, sections, date=utc_moment(doc.get("created_at")))


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
