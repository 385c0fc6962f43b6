"""Which speakers in chats between people are the owner of the store.

Few formats mark who exported a chat, so the owner says their names once and the store remembers
them. Messages of these speakers are the user's from then on; the speaker's name stays with them.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from .names import name_of
from .records import Conversation, Item, Message
from .redact import Redactor
from .store import Store

_SETTING = "me"


def known(store: Store) -> list[str]:
    """The owner's names, as they were given."""
    return [str(name) for name in json.loads(store.setting(_SETTING, "[]"))]


def remember(store: Store, names: Iterable[str]) -> None:
    """Add names; what was taken in before changes when it is taken in again."""
    kept = {name_of(name): name for name in known(store)}
    for name in filter(name_of, names):
        kept.setdefault(name_of(name), " ".join(name.split()))
    _keep(store, sorted(kept.values()))


def disown(store: Store, names: Iterable[str]) -> None:
    """Take names back."""
    wrong = set(map(name_of, names))
    kept = [name for name in known(store) if name_of(name) not in wrong]
    _keep(store, kept)


def _keep(store: Store, names: list[str]) -> None:
    if names != known(store):  # a full disk is no matter where there is nothing to write
        store.set_setting(_SETTING, json.dumps(names))


def with_owner(item: Item, me: Collection[str]) -> Item:
    """The item with the owner's messages as the user's; `me` holds folded names."""
    if not me or not isinstance(item, Conversation):
        return item
    return replace(item, messages=tuple(_owned(message, me) for message in item.messages))


def _owned(message: Message, me: Collection[str]) -> Message:
    is_mine = message.role == "person" and message.speaker and name_of(message.speaker) in me
    return replace(message, role="user") if is_mine else message


def is_outdated(store: Store, source_id: int, me: Collection[str]) -> bool:
    """Whether a source was taken in with other names known than now."""
    redacted = Redactor.of(store)  # as they were when they were stored
    mine = {*me, *(name_of(redacted(name)) for name in me)}
    spoke = store.rows(
        "SELECT DISTINCT m.role, m.speaker FROM messages m JOIN source_conversations sc"
        " ON sc.conversation_id = m.conversation_id WHERE sc.source_id = ? AND m.speaker IS NOT NULL"
        " AND m.role IN ('user', 'person')",
        source_id,
    )
    return any((name_of(row["speaker"]) in mine) != (row["role"] == "user") for row in spoke)


def strangers(conversation: Conversation) -> Counter[str]:
    """The speakers of a chat between people in which nobody is the owner, with their messages."""
    if any(message.role == "user" for message in conversation.messages):
        return Counter()
    return Counter(
        message.speaker
        for message in conversation.messages
        if message.role == "person" and message.speaker
    )


def called_by(title: str, speakers: Iterable[str]) -> str | None:
    """The one of two speakers whose name is the chat's: programs call it by the other one's."""
    names = list(speakers)
    named = [name for name in names if name_of(name) == name_of(title)]
    return named[0] if len(names) == 2 and len(named) == 1 else None


def guess(chats: list[Counter[str]], others: Collection[str] = ()) -> str | None:
    """The one name that all of several chats have in common, or who is left in one.

    Args:
        others: those by whom chats of two are called.
    """
    if not chats or (len(chats) < 2 and not others):
        return None
    common = set(chats[0]).intersection(*chats[1:]).difference(others)
    return common.pop() if len(common) == 1 else None
