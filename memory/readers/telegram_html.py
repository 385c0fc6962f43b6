"""Telegram Desktop's HTML export: `messages.html`, and `messages2.html` and so on after it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Item
from .plain_text import decode, load_bytes
from .talk import MEDIA, SYSTEM, Talk, name

_PAGE = re.compile(rb'class="page_body chat_page"|class="message (?:default|service)')
_MOMENT = re.compile(
    r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)(?: (?:UTC|GMT)([+-])(\d\d):?(\d\d))?"
)


def is_page(head: bytes) -> bool:
    """Whether it is a page with Telegram's classes for a chat and its messages."""
    return bool(_PAGE.search(head)) and b"page_wrap" in head


def read_page(path: Path) -> Item:
    """The conversation on a page.

    Raises:
        UnreadableSource: too large, or no page that can be parsed.
        OSError: it cannot be opened.
    """
    from lxml.html import fromstring

    page = fromstring(decode(load_bytes(path)))
    messages = page.find_class("message")
    if not messages:
        raise UnreadableSource("a Telegram page without messages")
    talk = Talk()
    speaker = ""
    for message in messages:
        classes = message.get("class", "").split()
        if "service" in classes:
            talk.leave_out(SYSTEM)
            continue
        body = _child(message, "body")
        # A message that follows another of the same person does not name them again.
        speaker = _shown(_child(body, "from_name")) or speaker
        _take(talk, body, speaker)
    titles = page.find_class("page_header")
    return talk.conversation(_shown(titles[0]) if titles else path.parent.name)


def _take(talk: Talk, body: Any, speaker: str) -> None:
    forwarded = _child(body, "forwarded")
    inner = body if forwarded is None else forwarded
    text = _text(_child(inner, "text"))
    if not text:
        talk.leave_out(MEDIA)
        return
    if forwarded is not None:  # the words of somebody else, who may not be named
        speaker = _shown(_child(forwarded, "from_name"))
    date = _child(body, "date")
    talk.say(speaker, text, _moment(date.get("title", "")) if date is not None else None)


def _child(element: Any, kind: str) -> Any:
    """The first child of a class: what is quoted or forwarded has the same classes further down."""
    if element is None:
        return None
    return next((c for c in element if kind in (c.get("class") or "").split()), None)


def _shown(element: Any) -> str:
    if element is None:
        return ""
    # A forwarded message has its own date inside the name.
    own = [element.text or "", *(c.tail or "" for c in element)]
    return name("".join(own)) or name(element.text_content())


def _text(element: Any) -> str:
    if element is None:
        return ""
    for line_break in element.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    return str(element.text_content()).strip()


def _moment(title: str) -> str | None:
    found = _MOMENT.search(title)
    if not found:
        return None
    day, month, year, hour, minute, second = map(int, found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second)
        if found[7]:
            offset = timedelta(hours=int(found[8]), minutes=int(found[9]))
            zone = timezone(offset if found[7] == "+" else -offset)
            moment = moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat()
