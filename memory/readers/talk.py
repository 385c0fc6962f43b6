"""Gathers what people said in one chat, and counts what is no talk."""

from collections import Counter
from functools import lru_cache

from ..records import Conversation, Message
from .plain_text import clean

SYSTEM = "system"  # joined, left, changed the subject, encrypted, deleted
MEDIA = "media"  # pictures, recordings, files, stickers without a word
REACTION = "reaction"
BOT = "bot"


class Talk:
    """Takes messages in reading order, gives one conversation."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._left_out: Counter[str] = Counter()
        self._notes: list[str] = []

    def say(self, speaker: str | None, text: str, at: str | None, mine: bool = False) -> None:
        """A message; one without words is left out as media.

        Args:
            mine: the format itself says that the owner of the export wrote it.
        """
        # What is printable holds nothing that would have to be cleaned away.
        text = (text if text.isprintable() else clean(text)).strip()
        if not text:
            self.leave_out(MEDIA)
        elif mine:
            self._messages.append(Message("user", text, at))
        else:
            self._messages.append(Message("person", text, at, name(speaker) or "unknown"))

    def leave_out(self, kind: str) -> None:
        self._left_out[kind] += 1

    def note(self, text: str) -> None:
        """What could not be settled."""
        self._notes.append(text)

    def conversation(self, title: str, external_id: str | None = None) -> Conversation:
        """All that was taken in."""
        return Conversation(
            title=name(title) or "Untitled chat",
            messages=tuple(self._messages),
            external_id=name(external_id) or None,
            started_at=next((m.created_at for m in self._messages if m.created_at), None),
            left_out=dict(self._left_out),
            notes=tuple(self._notes),
        )


def name(value: object) -> str:
    """A shown name on one line; empty where there is none."""
    return _on_one_line(value) if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def _on_one_line(text: str) -> str:
    return " ".join(clean(text).split())
