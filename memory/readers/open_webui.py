"""Chats of Open WebUI: its JSON export, one chat or many, its database `webui.db`, and SQL for that.

A chat is a tree of messages: edits, second tries and the answers of several models branch off.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .binary import HEAD_BYTES
from .chat_text import Accounts, as_text, message, role_of, title_of
from .chat_tree import Node, talk_and_alternatives
from .dates import utc_moment
from .json_stream import Json, Keys, keys, values
from .plain_text import load_bytes
from .sqlite import is_database, open_database

_SQL = re.compile(rb"\s*(?:BEGIN|CREATE|DELETE|INSERT|PRAGMA)\s")
_CHATS_IN_SQL = re.compile(rb"INSERT\s+INTO\s+(?:\"main\"\.)?\"?chat\"?[\s(]")
_SQL_TEXT = re.compile(r"'((?:[^']|'')*+)'")
_COLUMNS = ("id", "user_id", "title", "created_at", "chat")


def matches(path: Path, head: bytes) -> bool:
    """JSON with a chat's `history` or messages; a database with a table of chats, or SQL for it."""
    if is_database(head):
        with open_database(path) as database:
            return {"id", "title", "chat"} <= database.columns("chat")
    return _is_known(keys(head)) or _is_sql(head)


def _is_sql(head: bytes) -> bool:
    return bool(_SQL.match(head) and _CHATS_IN_SQL.search(head))


def _is_known(found: Keys) -> bool:
    return any(
        f"{prefix}{name}" in found
        for prefix in ("item.chat.", "chat.", "item.", "")
        for name in ("history.messages", "history.currentId")
    ) or any(f"{prefix}chat.messages" in found for prefix in ("item.", ""))


def read(path: Path) -> Iterator[Item]:
    """The chats, one by one; copies that were made for sharing are left out.

    Raises:
        UnreadableSource: broken JSON or database, or no chat in it. Some may have come before.
        OSError: it cannot be opened.
    """
    n_known = 0
    accounts = Accounts()
    for found in _found(path):
        chat = _chat_of(found)
        if chat is None:
            continue
        n_known += 1
        if not as_text(found.get("user_id")).startswith("shared-"):
            notes = accounts.notes(found.get("user_id"))
            yield replace(_conversation(found, chat), notes=notes)
    if not n_known:
        raise UnreadableSource("no chat of Open WebUI in it")


def _found(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if is_database(head):
        return _rows(path)
    return _in_sql(path) if _is_sql(head) else values(path, ("item", ""), _is_known)


def _in_sql(path: Path) -> Iterator[Any]:
    """Chats among the texts in SQL, as `sqlite3 webui.db .dump` and converters write it."""
    for text in _SQL_TEXT.finditer(load_bytes(path).decode("utf-8", "replace")):
        if text[1].startswith("{"):
            try:
                yield json.loads(text[1].replace("''", "'"))
            except (ValueError, RecursionError):  # other JSON may hold what no JSON has
                continue


def _rows(path: Path) -> Iterator[Json]:
    with open_database(path) as database:
        for row in database.rows("chat", _COLUMNS):
            try:
                yield {**row, "chat": json.loads(row["chat"] or "null")}
            except (ValueError, TypeError, RecursionError) as error:
                raise UnreadableSource("a database with a damaged chat in it") from error


def _chat_of(found: Any) -> Json | None:
    if not isinstance(found, dict):
        return None
    chat = found.get("chat", found)
    if isinstance(chat, dict) and ("history" in chat or "messages" in chat):
        return chat
    return None


def _conversation(found: Json, chat: Json) -> Conversation:
    history = chat.get("history")
    tree = history.get("messages") if isinstance(history, dict) else None
    nodes = [
        Node(name, _parent(raw), _message(raw), _moment(raw) or "")
        for name, raw in (tree.items() if isinstance(tree, dict) else ())
        if isinstance(raw, dict)
    ]
    if isinstance(history, dict) and nodes:
        messages, alternatives = talk_and_alternatives(nodes, history.get("currentId"))
    else:
        listed = chat.get("messages")
        raws = [raw for raw in listed if isinstance(raw, dict)] if isinstance(listed, list) else []
        messages, alternatives = tuple(filter(None, map(_message, raws))), ()
    title = as_text(found.get("title")) or as_text(chat.get("title"))
    return Conversation(
        title=title_of(title, messages, "Untitled conversation"),
        messages=messages,
        external_id=as_text(found.get("id")) or None,
        started_at=utc_moment(found.get("created_at")) or utc_moment(chat.get("timestamp")),
        alternatives=alternatives,
    )


def _parent(raw: Json) -> str | None:
    parent = raw.get("parentId")
    return parent if isinstance(parent, str) else None


def _moment(raw: Json) -> str | None:
    return utc_moment(raw.get("timestamp"))


def _message(raw: Json) -> Message | None:
    content = raw.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        content = "\n\n".join(filter(None, map(as_text, parts)))
    return message(role_of(raw.get("role")), content, _moment(raw))
