"""Chats as one `{"messages": [{"role": …, "content": …}]}` a line, as OpenAI's tools write them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .dates import iso_date, iso_from_unix
from .json_faults import looks_like_json
from .plain_text import clean

LONGEST_LINE_BYTES = 64 * 2**20
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
_ROLE = re.compile(rb'"role"\s*:')
_TITLE_LENGTH = 60


def matches(path: Path, head: bytes) -> bool:
    """The first line is an object with messages that have roles."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    if not (first.startswith(b"{") and looks_like_json(first)):
        return False
    return bool(_MESSAGES.search(first) and _ROLE.search(first))


def read(path: Path) -> Iterator[Item]:
    """A conversation for each line.

    Raises:
        UnreadableSource: a line that is no such conversation, by its number; earlier ones came.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        for number, line in _numbered_lines(file):
            conversation = _conversation(_parsed(line, number), number, path.stem)
            if conversation.messages:
                yield conversation


def _numbered_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if len(line) > LONGEST_LINE_BYTES:
            raise UnreadableSource(f"line {number} is longer than {LONGEST_LINE_BYTES >> 20} MB")
        if line.strip():
            yield number, line.rstrip()


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        reason = f"broken JSON: {error.msg} at line {number} column {error.colno}"
        raise UnreadableSource(reason) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadableSource(f"broken JSON at line {number}") from error
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        raise UnreadableSource(f"no messages at line {number}")
    return value


def _conversation(raw: dict[str, Any], number: int, stem: str) -> Conversation:
    messages = tuple(filter(None, map(_message, raw["messages"])))
    title = raw.get("title")
    if not isinstance(title, str) or not title.strip():
        title = _opening(messages) or f"{stem}, line {number}"
    external_id = raw.get("id") or raw.get("conversation_id")
    return Conversation(
        title=clean(title).strip(),
        messages=messages,
        external_id=str(external_id) if external_id else None,
        started_at=_moment(raw) or (messages[0].created_at if messages else None),
    )


def _opening(messages: tuple[Message, ...]) -> str:
    """The first question, cut at a word: what people recognise a chat by."""
    words = next((m.text for m in messages if m.role == "user"), "").split()
    title = ""
    for word in words:
        if len(title) + len(word) > _TITLE_LENGTH:
            return title.strip() + "…"
        title += word + " "
    return title.strip()


def _message(raw: object) -> Message | None:
    if not isinstance(raw, dict) or raw.get("role") not in ("user", "assistant"):
        return None
    text = _text_of(raw.get("content"))
    return Message(raw["role"], text, _moment(raw)) if text else None


def _text_of(content: object) -> str:
    parts = content if isinstance(content, list) else [content]
    return "\n\n".join(text for text in map(_part_text, parts) if text)


def _part_text(part: object) -> str:
    if isinstance(part, dict) and part.get("type", "text") in ("text", "input_text", "output_text"):
        part = part.get("text")
    return clean(part).strip() if isinstance(part, str) else ""


def _moment(raw: dict[str, Any]) -> str | None:
    for name in ("created_at", "create_time", "timestamp", "created"):
        if raw.get(name) is not None:
            return iso_from_unix(raw[name]) or iso_date(raw[name])
    return None
