"""Telegram Desktop's export: JSON of one chat or of the whole account, HTML; and dumps of its API.

https://core.telegram.org/import-export
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..records import Item
from . import telegram_html
from .dates import iso_date, iso_from_unix
from .json_faults import looks_like_json
from .json_places import header, items
from .talk import MEDIA, SYSTEM, Talk, name

_ACCOUNT = re.compile(rb'"chats"\s*:\s*\{|"about"\s*:\s*"[^"]{0,200}Telegram')
_MESSAGES = re.compile(rb'"messages"\s*:\s*\[')
# Meta's reactions have an `actor` too.
_MESSAGE = re.compile(rb'"date_unixtime"\s*:|"from_id"\s*:|"actor_id"\s*:|"text_entities"\s*:')
_DUMP = re.compile(rb'"message\.id"\s*:')
_TELEGRAM_TYPE = re.compile(
    rb'"type"\s*:\s*"(?:personal_chat|bot_chat|saved_messages|(?:private|public)_(?:super)?(?:group|channel))"'
)

Json = dict[str, Any]


def matches(path: Path, head: bytes) -> bool:
    """A page of a chat, or JSON with messages in Telegram's fields, or with an account's chats."""
    if not looks_like_json(head):
        return telegram_html.is_page(head)
    if _MESSAGES.search(head) and (_MESSAGE.search(head) or _TELEGRAM_TYPE.search(head)):
        return True
    return bool(_ACCOUNT.search(head) or _DUMP.search(head))


def read(path: Path) -> Iterator[Item]:
    """A conversation for each chat; one chat is streamed, an account's come one by one.

    Raises:
        UnreadableSource: broken JSON, or a page that is none. Some conversations may have come before.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(64 * 1024)
    if not looks_like_json(head):
        yield telegram_html.read_page(path)
    elif _DUMP.search(head):
        yield _chat({"name": path.stem}, sorted(items(path, "item"), key=_written_at))
    elif _ACCOUNT.search(head):
        owner = header(path, "chats").get("personal_information.user_id")
        for place in ("chats.list.item", "left_chats.list.item"):
            for chat in items(path, place):
                if isinstance(chat, dict) and isinstance(chat.get("messages"), list):
                    yield _chat(chat, chat["messages"], owner)
    else:
        yield _chat(
            {"name": path.parent.name} | header(path, "messages"), items(path, "messages.item")
        )


def _written_at(message: Any) -> str:
    return str(message.get("date")) if isinstance(message, dict) else ""


def _chat(about: Json, messages: Iterable[Any], owner: object = None) -> Item:
    talk = Talk()
    for message in messages:
        if isinstance(message, dict):
            _take(talk, message, owner)
    title = about.get("name")
    if not title and about.get("type") == "saved_messages":
        title = "Saved messages"
    number = about.get("id")
    return talk.conversation(str(title or ""), str(number) if number is not None else None)


def _take(talk: Talk, message: Json, owner: object) -> None:
    if message.get("type", "message") != "message":
        talk.leave_out(SYSTEM)
        return
    text = _text(message.get("text"))
    if not text.strip():
        talk.leave_out(MEDIA)
        return
    account = message.get("from_id") or message.get("sender_id")
    speaker = message.get("from") or account
    if "forwarded_from" in message and message["forwarded_from"] != speaker:
        # Whoever passes words on has not said them, nor, perhaps, at that time.
        talk.say(name(message["forwarded_from"]), text, _moment(message))
        return
    mine = owner is not None and account in (owner, f"user{owner}")
    talk.say(str(speaker or "Deleted account"), text, _moment(message), mine, account)


def _text(value: object) -> str:
    """A text, or its pieces: plain ones as strings, links and bold ones as objects."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    pieces = (piece.get("text") if isinstance(piece, dict) else piece for piece in value)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _moment(message: Json) -> str | None:
    seconds = message.get("date_unixtime")
    if isinstance(seconds, str) and re.fullmatch(r"\d{1,12}", seconds):
        seconds = int(seconds)
    return iso_from_unix(seconds) or iso_date(message.get("date"))
