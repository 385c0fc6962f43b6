"""ChatGPT's data export: `conversations.json`, the zip around it, or one conversation of it.

A conversation is a tree, because every edit and every second try branches off. What the person
last saw is the way from `current_node` up to the root.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .archive import DAMAGE, DAMAGED, ZIP_MAGIC, member_names, open_member, open_zip
from .dates import iso_from_unix
from .json_faults import describe, looks_like_json
from .plain_text import clean

_IN_ZIP = re.compile(r"(?:[^/]+/)?conversations(?:-\d+)?\.json")
_MAPPING = re.compile(rb'"mapping"\s*:\s*\{')
# Marks of private use around citations and pictures; 203 and 204 enclose text that is shown.
_REFERENCE = re.compile("\ue200[^\ue200\ue201]*\ue201|[\ue200-\ue20f]|【[^【】]{1,60}】")
_TEXTUAL = ("text", "multimodal_text")

Json = dict[str, Any]


def matches(path: Path, head: bytes) -> bool:
    """A zip with `conversations.json` in it, or JSON with a conversation's `mapping`."""
    if head.startswith(ZIP_MAGIC):
        return any(_IN_ZIP.fullmatch(name) for name in member_names(path))
    if not looks_like_json(head):
        return False
    return bool(_MAPPING.search(head)) or re.fullmatch(_IN_ZIP, path.name) is not None


def read(path: Path) -> Iterator[Item]:
    """The conversations one by one, never the whole export at once.

    Raises:
        UnreadableSource: broken JSON or zip, or no conversation in it. Some may have come before.
        OSError: it cannot be opened.
    """
    n_known = 0
    for found in _from_file(path):
        if isinstance(found, dict) and isinstance(found.get("mapping"), dict):
            n_known += 1
            conversation = _conversation(found)
            if conversation.messages:
                yield conversation
    if not n_known:
        raise UnreadableSource("JSON without a ChatGPT conversation in it")


def _from_file(path: Path) -> Iterator[Any]:
    from ijson import JSONError

    with path.open("rb") as file:
        is_zip = file.read(4).startswith(ZIP_MAGIC)
        file.seek(0)
        try:
            yield from _from_zip(path) if is_zip else _values(file)
        except JSONError as error:
            if is_zip:
                reason = f"broken JSON in the zip: {str(error).splitlines()[0]}"
            else:
                reason = describe(path, error)
            raise UnreadableSource(reason) from error


def _from_zip(path: Path) -> Iterator[Any]:
    with open_zip(path) as archive:
        for name in sorted(filter(_IN_ZIP.fullmatch, archive.namelist())):
            yield from _from_member(archive, name)


def _from_member(archive: ZipFile, name: str) -> Iterator[Any]:
    try:
        with open_member(archive, name, largest_bytes=16 * 2**30) as member:
            yield from _values(member)
    except DAMAGE as error:
        raise UnreadableSource(DAMAGED) from error


def _values(file: IO[bytes]) -> Iterator[Any]:
    """The members of an array, or the one object."""
    import ijson

    begins = _Rewound(file)
    prefix = "item" if begins.first == b"[" else ""
    yield from ijson.items(begins, prefix, use_float=True)


class _Rewound:
    """A stream without byte order mark, whose first character was looked at.

    Members of a zip cannot be wound back cheaply.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._held = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        self.first = self._held[:1]

    def read(self, size: int = -1) -> bytes:
        if self._held and size:
            held, self._held = self._held, b""
            return held
        return self._file.read(size)


def _conversation(raw: Json) -> Conversation:
    messages = tuple(filter(None, map(_message, _visible_path(raw))))
    return Conversation(
        title=_as_text(raw.get("title")) or "Untitled conversation",
        messages=messages,
        external_id=_as_text(raw.get("conversation_id") or raw.get("id")) or None,
        started_at=iso_from_unix(raw.get("create_time")),
    )


def _visible_path(raw: Json) -> list[Json]:
    """The nodes from the root to the last one shown."""
    nodes = raw["mapping"]
    current = raw.get("current_node")
    if not isinstance(current, str) or current not in nodes:
        current = _last_leaf(nodes)
    path: list[Json] = []
    seen: set[str] = set()
    while isinstance(current, str) and current in nodes and current not in seen:
        seen.add(current)  # a damaged export may loop
        if not isinstance(nodes[current], dict):
            break
        path.append(nodes[current])
        current = nodes[current].get("parent")
    return path[::-1]


def _last_leaf(nodes: Json) -> str | None:
    """Old exports name no current node: the newest message without children stands for it."""
    leaves = [
        (_seconds(node.get("message")), name)
        for name, node in nodes.items()
        if isinstance(node, dict) and not node.get("children")
    ]
    return max(leaves)[1] if leaves else None


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
    metadata = message.get("metadata")
    hidden = isinstance(metadata, dict) and metadata.get("is_visually_hidden_from_conversation")
    return bool(hidden) or message.get("recipient", "all") != "all"


def _text_of(content: object) -> str:
    if not isinstance(content, dict) or content.get("content_type") not in _TEXTUAL:
        return ""
    parts = content.get("parts")
    if not isinstance(parts, list):
        return ""
    text = "\n\n".join(_as_text(part) for part in parts if isinstance(part, str))
    return _REFERENCE.sub("", text).strip()


def _as_text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""
