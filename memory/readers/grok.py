"""Grok's exports: `prod-grok-backend.json` of an account and the zip around it, and one chat as
grok.com loads it; `grok-chat-item.js` of an archive of X.

In the account's export each response names its parent: edits and second tries branch off.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .chat_text import as_text, message, role_of, title_of
from .chat_tree import Node, talk_and_alternatives
from .dates import utc_moment
from .json_faults import describe
from .json_stream import Json, Keys, holds, values

_EXPORT_FILE = re.compile(r"(?:.*/)?prod-grok-backend\.json")
_X_ARCHIVE = b"window.YTD.grok_chat_item.part"
_PREFIXES = ("conversations.item", "item", "")
# Citation cards: markup that grok.com draws, with at most a few arguments inside.
_CARD = re.compile(r"<grok:render\b[^<>]{0,500}>.{0,2000}?</grok:render>", re.DOTALL)


def matches(path: Path, head: bytes) -> bool:
    """JSON with conversations and their responses, a zip with such a file, or an archive of X."""
    return head.startswith(_X_ARCHIVE) or holds(path, head, _EXPORT_FILE, _is_known)


def _is_known(keys: Keys) -> bool:
    return any(
        f"{prefix}{name}" in keys
        for prefix in ("conversations.item.", "item.", "")
        for name in ("responses.item.response", "responses.item.sender")
    )


def read(path: Path) -> Iterator[Item]:
    """The conversations, one by one.

    Raises:
        UnreadableSource: broken JSON or zip, or no conversation in it. Some may have come before.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        is_of_x = file.read(len(_X_ARCHIVE)) == _X_ARCHIVE
    n_known = 0
    for conversation in _of_x(path) if is_of_x else _of_grok(path):
        n_known += 1
        yield conversation
    if not n_known:
        raise UnreadableSource("no conversation with Grok in it")


def _of_grok(path: Path) -> Iterator[Conversation]:
    for found in values(path, _PREFIXES, _is_known):
        if not isinstance(found, dict) or not isinstance(found.get("responses"), list):
            continue
        about = found.get("conversation")
        yield _conversation(about if isinstance(about, dict) else found, found["responses"])


def _conversation(about: Json, responses: list[Any]) -> Conversation:
    raws = [_inner(response) for response in responses]
    nodes = [
        Node(_id(raw) or f"#{place}", _parent(raw), _message(raw), _moment(raw) or "")
        for place, raw in enumerate(raws)
        if not raw.get("is_control") and not raw.get("isControl")
    ]
    ids = {node.id for node in nodes}
    if any(node.parent in ids for node in nodes):
        leaf = about.get("leaf_response_id") or about.get("leafResponseId")
        messages, alternatives = talk_and_alternatives(nodes, leaf)
    else:
        nodes.sort(key=lambda node: node.moment)
        messages, alternatives = tuple(node.message for node in nodes if node.message), ()
    return Conversation(
        title=title_of(about.get("title"), messages, "Untitled conversation"),
        messages=messages,
        external_id=as_text(about.get("conversation_id") or about.get("conversationId")) or None,
        started_at=_moment(about),
        alternatives=alternatives,
    )


def _inner(response: object) -> Json:
    inner = response.get("response", response) if isinstance(response, dict) else None
    return inner if isinstance(inner, dict) else {}


def _id(raw: Json) -> str:
    return as_text(raw.get("response_id") or raw.get("responseId") or raw.get("_id"))


def _parent(raw: Json) -> str | None:
    return as_text(raw.get("parent_response_id") or raw.get("parentResponseId")) or None


def _moment(raw: Json) -> str | None:
    return utc_moment(_plain(raw.get("create_time", raw.get("createTime"))))


def _plain(moment: Any) -> Any:
    """A date as MongoDB writes it: `{"$date": {"$numberLong": "1750534101194"}}`, or a text inside."""
    if isinstance(moment, dict):
        moment = moment.get("$date")
    if isinstance(moment, dict):
        number = as_text(moment.get("$numberLong"))
        moment = int(number) if re.fullmatch(r"\d{1,18}", number) else None
    return moment


def _message(raw: Json) -> Message | None:
    text = _CARD.sub("", as_text(raw.get("message")))
    return message(role_of(raw.get("sender")), text, _moment(raw))


def _of_x(path: Path) -> Iterator[Conversation]:
    """The archive lists messages, each with the number of its chat; newest first."""
    from .plain_text import load_bytes

    chats: dict[str, list[Json]] = {}
    for item in _listed(path, load_bytes(path)):
        raw = item.get("grokChatItem") if isinstance(item, dict) else None
        if isinstance(raw, dict):
            chats.setdefault(as_text(raw.get("chatId")), []).append(raw)
    for number, raws in chats.items():
        raws.sort(key=lambda raw: as_text(raw.get("createdAt")))
        messages = tuple(filter(None, map(_message_of_x, raws)))
        yield Conversation(
            title=title_of(None, messages, "Untitled conversation"),
            messages=messages,
            external_id=number or None,
            started_at=utc_moment(raws[0].get("createdAt")),
        )


def _listed(path: Path, data: bytes) -> list[Any]:
    import json

    try:
        found = json.loads(data[data.index(b"=") + 1 :])
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(describe(path, error)) from error
    return found if isinstance(found, list) else []


def _message_of_x(raw: Json) -> Message | None:
    sender = raw.get("sender")
    name = sender.get("originalName") or sender.get("name") if isinstance(sender, dict) else sender
    return message(role_of(name), raw.get("message"), utc_moment(raw.get("createdAt")))
