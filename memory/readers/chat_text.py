"""What the readers of chats with assistants share: words without what only a model would read."""

import re

from ..records import Message
from .plain_text import clean

# Where a model thinks aloud, in the order (opening, closing).
_THOUGHTS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<antThinking>", "</antThinking>"),
    ('<details type="reasoning"', "</details>"),
    ('<details type="code_interpreter"', "</details>"),
    ('<details type="tool_calls"', "</details>"),
)
_ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "claude": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "agent": "assistant",
}


SEVERAL_PEOPLE = "chats of more than one account, and who asks in any of them is taken for you: export your own alone"


class Accounts:
    """Told whose each chat of a file is; a server's database, and a team's export, hold everybody's."""

    def __init__(self) -> None:
        self._first = ""
        self._is_said = False

    def notes(self, account: object) -> tuple[str, ...]:
        """What is to be said with a chat, once: that it is not the first account's."""
        account = as_text(account)
        self._first = self._first or account
        if self._is_said or account in ("", self._first):
            return ()
        self._is_said = True
        return (SEVERAL_PEOPLE,)


def role_of(name: object) -> str | None:
    """`user` or `assistant`, whatever a program calls them; None for systems, tools and others."""
    return _ROLES.get(name.strip().lower()) if isinstance(name, str) else None


def as_text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def message(role: str | None, text: object, created_at: str | None = None) -> Message | None:
    """A message, if somebody said something."""
    said = as_text(text)
    if role == "assistant":
        said = without_thoughts(said)
    return Message(role, said, created_at) if role and said else None


def without_thoughts(text: str) -> str:
    """An answer without what its model thought aloud."""
    for opening, closing in _THOUGHTS:
        text = _without(text, opening, closing)
    return text.strip()


def _without(text: str, opening: str, closing: str) -> str:
    start = text.find(opening)
    if start < 0:
        return text
    kept: list[str] = []
    place = 0
    while start >= 0:
        end = text.find(closing, start)
        if end < 0:
            break
        kept.append(text[place:start])
        place = end + len(closing)
        start = text.find(opening, place)
    return "".join([*kept, text[place:]])


def title_of(written: object, messages: tuple[Message, ...], otherwise: str) -> str:
    """The title that was given; none where a user's first words are what people know the chat by."""
    is_asked = any(message.role == "user" for message in messages)
    return re.sub(r"\s+", " ", as_text(written)) or ("" if is_asked else otherwise)
