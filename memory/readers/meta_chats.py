"""The chats in Meta's downloads of one's data, which Messenger and Instagram share.

A file holds up to 10,000 messages of one chat, the newest first; longer chats go on in
`message_2.json`. Each byte of UTF-8 is written as a character of its own. End-to-end encrypted
chats come in another form, a file each.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Conversation, Item
from .archive import ZIP_MAGIC, member_names, open_zip, read_member
from .dates import iso_from_unix
from .json_faults import describe, looks_like_json
from .plain_text import LARGEST_TEXT_BYTES, load_bytes
from .talk import MEDIA, REACTION, SYSTEM, Talk

_IN_ZIP = re.compile(
    r"(?:.*/)?(?P<thread>(?:inbox|e2ee_cutover|archived_threads|filtered_threads|message_requests|legacy_threads)/[^/]+)/message_\d+\.json"
)
_ENCRYPTED_IN_ZIP = re.compile(r"(?P<thread>(?:[^/]+/)?[^/]+_\d+)\.json")
_CLASSIC = re.compile(rb'"sender_name"\s*:')
_TIMESTAMP = re.compile(rb'"timestamp(?:_ms)?"\s*:')
_ENCRYPTED = re.compile(rb'"senderName"\s*:|"threadName"\s*:')
_INSTAGRAM = re.compile(rb"instagram|Liked a message", re.IGNORECASE)
_MANGLED = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]")
_REACTED = re.compile(
    r"(?:Reacted .{1,20} to your message|Liked a message|.{1,60} liked a message)\s*"
)
_ATTACHED = re.compile(
    r".{1,100} sent (?:an attachment|a (?:photo|video|link|sticker|voice message|GIF))\."
)
_MOST_NAMED = 3
_SERVICE_TYPES = ("Subscribe", "Unsubscribe", "Call", "Payment")

Json = dict[str, Any]


def is_chat(path: Path, head: bytes) -> bool:
    """Whether this is a chat of Messenger's or Instagram's, or a zip with such chats in it."""
    if head.startswith(ZIP_MAGIC):
        return any(map(_IN_ZIP.fullmatch, member_names(path))) or _holds_encrypted(path)
    if not looks_like_json(head) or not _TIMESTAMP.search(head):
        return False
    return bool(_CLASSIC.search(head) or _ENCRYPTED.search(head))


def is_of_instagram(path: Path, head: bytes) -> bool:
    """The two look alike: where it lies tells, or what is shared and liked in it."""
    if head.startswith(ZIP_MAGIC):
        where = "/".join([path.name, *member_names(path)])
    else:
        where = "/".join(path.parts[-6:])
        if _INSTAGRAM.search(head):
            return True
    return "instagram" in where.lower()


def read(path: Path) -> Iterator[Item]:
    """A conversation for each chat, in the order of time.

    Raises:
        UnreadableSource: broken JSON, or a damaged zip.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP_MAGIC
    if is_zip:
        with open_zip(path) as archive:
            yield from _from_zip(archive)
        return
    try:
        parsed = _parsed(load_bytes(path))
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(describe(path, error)) from error
    yield _chat([parsed], path.stem)


def _from_zip(archive: ZipFile) -> Iterator[Item]:
    """The chats of a download; files that are broken are left out, which the last chat notes."""
    threads: dict[str, list[str]] = {}
    for member in sorted(archive.namelist()):
        found = _IN_ZIP.fullmatch(member) or _ENCRYPTED_IN_ZIP.fullmatch(member)
        if found:
            threads.setdefault(found["thread"], []).append(member)
    broken: list[str] = []
    last: Conversation | None = None
    for thread, members in threads.items():
        chat = _chat(_parts(archive, members, broken), thread.rpartition("/")[2])
        if chat.messages:
            if last:
                yield last
            last = chat
    if last:
        yield replace(last, notes=(*last.notes, *_noted(broken)))
    elif broken:
        raise UnreadableSource("broken JSON in the zip")


def _parts(archive: ZipFile, members: list[str], broken: list[str]) -> Iterator[Any]:
    for member in members:
        try:
            yield _parsed(read_member(archive, member, LARGEST_TEXT_BYTES))
        except (UnreadableSource, ValueError, RecursionError):
            broken.append(member)


def _noted(broken: list[str]) -> Iterator[str]:
    if broken:
        named = ", ".join(broken[:_MOST_NAMED]) + (", …" if len(broken) > _MOST_NAMED else "")
        yield f"left out, for they cannot be read: {len(broken)} of its files ({named})"


def _holds_encrypted(path: Path) -> bool:
    with open_zip(path) as archive:
        first = next(filter(_ENCRYPTED_IN_ZIP.fullmatch, archive.namelist()), None)
        if first is None:
            return False
        with archive.open(first) as member:
            return bool(_ENCRYPTED.search(member.read(64 * 1024)))


def _parsed(data: bytes) -> Any:
    return json.loads(data.decode("utf-8-sig"))


def _chat(parts: Iterable[Any], fallback: str) -> Conversation:
    title, number = "", None
    messages: list[Json] = []
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("messages"), list):
            continue
        title = title or _title(part)
        number = number or part.get("thread_path")
        messages += [message for message in part["messages"] if isinstance(message, dict)]
    talk = Talk()
    messages.reverse()  # of the same moment, the later stands first
    for message in sorted(messages, key=_milliseconds):
        _take(talk, message)
    return talk.conversation(title or fallback, number if isinstance(number, str) else None)


def _title(part: Json) -> str:
    """The chat's name; encrypted ones are called by one, a line and a number."""
    if isinstance(part.get("threadName"), str):
        return re.sub(r"_\d+$", "", _whole(part["threadName"]))
    return _whole(part.get("title"))


def _milliseconds(message: Json) -> float:
    value = message.get("timestamp_ms", message.get("timestamp"))
    return float(value) if isinstance(value, int | float) else 0.0


def _take(talk: Talk, message: Json) -> None:
    text = _whole(message.get("content", message.get("text")))
    unsent = message.get("is_unsent") or message.get("isUnsent")
    if unsent or message.get("type") in _SERVICE_TYPES or "call_duration" in message:
        talk.leave_out(SYSTEM)
    elif _REACTED.fullmatch(text):
        talk.leave_out(REACTION)
    elif _ATTACHED.fullmatch(text) or (message.get("type") in ("media", "placeholder")):
        talk.leave_out(MEDIA)
    else:
        speaker = _whole(message.get("sender_name", message.get("senderName")))
        talk.say(speaker, text, iso_from_unix(_milliseconds(message) / 1000 or None))


def _whole(text: object) -> str:
    """A text whose bytes were written as characters, put together again."""
    if not isinstance(text, str):
        return ""
    if _MANGLED.search(text):
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass  # not mangled: newer downloads are written as they should be
    return text
