"""Signal's chats as signal-export writes them (Markdown or text, and `data.json`), and messages in
the fields of Signal Desktop's database.

https://github.com/carderne/signal-export
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Item
from .binary import HEAD_BYTES
from .dates import iso_date, iso_from_unix
from .json_faults import describe, looks_like_json
from .plain_text import decode, load_bytes
from .talk import MEDIA, SYSTEM, Talk

_LINE = re.compile(
    r"\[(?P<day>\d{4}-\d\d-\d\d),? (?P<clock>\d\d:\d\d(?::\d\d)?)\] (?P<speaker>[^:\n]{1,100}):(?: |$)(?P<text>.*)"
)
_IOS_SECONDS = re.compile(r"\[\d{4}-\d\d-\d\d,? \d\d:\d\d:\d\d\]")
_STICKER = re.compile(r"\(\( .{1,40} \)\)")
_LINK = re.compile(r"!?\[[^\]\n]{0,300}\]\((?:\.{1,2}/|media/)[^)\n]{0,500}\)")
_OWNER = "Me"  # signal-export calls the owner so, whatever their name
_EXPORTED = re.compile(rb'"sender"\s*:.{1,200}"body"\s*:', re.DOTALL)
_DESKTOP = re.compile(rb'"type"\s*:\s*"(?:incoming|outgoing)"')
_SENT = re.compile(rb'"sent_at"\s*:|"timestamp"\s*:|"received_at"\s*:')
_BODY = re.compile(rb'"body"\s*:')
# What signal-export writes of one chat; the first that is there says most exactly what was said.
_SAME_CHAT = ("data.json", "chat.md", "index.md", "index.html")
_PAGE = re.compile(rb"<div class=['\"]?msg\b[^>]*>.{1,400}class=['\"]?sender\b", re.DOTALL)
_CALL = re.compile(r"(?:Incoming|Outgoing|Missed) (?:voice |video )?call(?: \([^()\n]{1,60}\))?")

Json = dict[str, Any]


def matches(path: Path, head: bytes) -> bool:
    """Lines in signal-export's form, or its JSON, or messages that came in and went out."""
    if looks_like_json(head):
        is_desktop = _DESKTOP.search(head) and _BODY.search(head) and _SENT.search(head)
        return bool(
            is_desktop or (_EXPORTED.search(head) and b'"date"' in head and b'"quote"' in head)
        )
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \r\n")
    if not text.startswith("[") or not _LINE.match(text):
        return False
    # Phones with Swedish dates write WhatsApp's chats the same way, but with seconds and marks.
    return (
        _IOS_SECONDS.match(text) is None or path.suffix.lower() == ".md" or f"] {_OWNER}: " in text
    )


def read(path: Path) -> Iterator[Item]:
    """One conversation; one for each chat where the JSON holds several.

    Raises:
        UnreadableSource: too large, in an unknown character set, or broken JSON.
        OSError: it cannot be opened.
    """
    is_json = looks_like_json(_head(path))
    text = decode(load_bytes(path))
    if is_json:
        yield from _from_json(path, text)
    else:
        yield _from_lines(text, _title(path))


def is_page(head: bytes) -> bool:
    """The HTML that signal-export writes beside the text."""
    return _PAGE.search(head) is not None


def same_chat(path: Path) -> Path | None:
    """The file beside it that is to be read in its stead, for it holds the same chat."""
    for name in _SAME_CHAT[: _SAME_CHAT.index(path.name)] if path.name in _SAME_CHAT else ():
        other = path.with_name(name)
        try:
            if other.is_file() and matches(other, _head(other)):
                return other
        except OSError:  # what cannot be read stands for nothing
            continue
    return None


def is_said_twice(member: str, members: Collection[str]) -> bool:
    """Whether data.json beside it in an archive holds the same chat: signal-export writes all of them."""
    folder, slash, name = member.rpartition("/")
    beside = (f"{folder}{slash}{each}" for each in ("data.json", "chat.md"))
    return name in _SAME_CHAT[1:] and all(each in members for each in beside)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _title(path: Path) -> str:
    """signal-export makes a folder for each chat."""
    return path.parent.name if path.stem.lower() in ("chat", "data", "index") else path.stem


def _from_lines(text: str, title: str) -> Item:
    talk = Talk()
    entry: list[str] = []
    for line in [*text.split("\n"), ""]:
        if _LINE.match(line) and entry:
            _take_lines(talk, entry)
            entry = []
        entry.append(line)
    _take_lines(talk, entry)
    return talk.conversation(title)


def _take_lines(talk: Talk, lines: list[str]) -> None:
    found = _LINE.match(lines[0])
    if not found:
        return
    said = "\n".join([found["text"], *lines[1:]])
    words = "\n".join(line for line in _plain(said).split("\n") if not line.startswith("> "))
    _say(talk, found["speaker"], words, f"{found['day']}T{found['clock']}")


def _plain(text: str) -> str:
    """Without the last line's reactions, stickers and attachments."""
    text = text.rstrip()
    before, opens, _ = text.rpartition("\n(- ")
    if opens and text.endswith(" -)"):
        text = before
    return _LINK.sub("", _STICKER.sub("", text))


def _say(talk: Talk, speaker: str, words: str, at: str | None) -> None:
    words = words.strip()
    if words == "(This message was deleted)" or _CALL.fullmatch(words) or speaker == "No-Sender":
        talk.leave_out(SYSTEM)
    else:
        at = f"{at}:00" if at and len(at) == len("2024-01-01T10:00") else at
        talk.say(speaker, words, at, mine=speaker == _OWNER)


def _from_json(path: Path, text: str) -> Iterator[Item]:
    chats: dict[str, Talk] = {}
    for message in _values(path, text):
        if not isinstance(message, dict):
            continue
        chat = message.get("conversationName") or message.get("conversationId") or ""
        talk = chats.setdefault(str(chat), Talk())
        if "sender" in message:
            _take_exported(talk, message)
        else:
            _take_desktop(talk, message)
    for chat, talk in chats.items():
        yield talk.conversation(chat or _title(path))


def _values(path: Path, text: str) -> list[Any]:
    """An array, an object with `messages`, or an object a line."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise UnreadableSource("broken JSON: nested too deeply") from error
    except json.JSONDecodeError as error:
        try:
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            raise UnreadableSource(describe(path, error)) from error
    if isinstance(value, dict):
        value = value.get("messages", [value])
    return value if isinstance(value, list) else []


def _take_exported(talk: Talk, message: Json) -> None:
    if message.get("deleted") or message.get("call"):
        talk.leave_out(SYSTEM)
        return
    body = message.get("body")
    at = iso_date(message.get("date"))
    _say(talk, str(message.get("sender")), _plain(body) if isinstance(body, str) else "", at)


def _take_desktop(talk: Talk, message: Json) -> None:
    kind, body = message.get("type"), message.get("body")
    if kind not in ("incoming", "outgoing"):
        talk.leave_out(SYSTEM)
    elif not isinstance(body, str) or not body.strip():
        talk.leave_out(MEDIA)
    else:
        sent = message.get("sent_at") or message.get("timestamp") or message.get("received_at")
        at = iso_from_unix(sent / 1000) if isinstance(sent, int | float) else iso_date(sent)
        speaker = (
            message.get("sourceName") or message.get("source") or message.get("conversationName")
        )
        account = message.get("sourceServiceId") or message.get("source")
        talk.say(str(speaker or "unknown"), body, at, kind == "outgoing", account)
