"""Gathers what people said in one chat, and counts what is no talk."""

from collections import Counter, defaultdict
from dataclasses import replace
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
        self._accounts: defaultdict[str, set[str]] = defaultdict(set)  # by shown name
        self._account_of: dict[int, str] = {}  # by message

    def say(
        self,
        speaker: str | None,
        text: str,
        at: str | None,
        mine: bool = False,
        account: object = None,
    ) -> None:
        """A message; one without words is left out as media.

        Args:
            mine: the format itself says that the owner of the export wrote it.
            account: what the format knows the speaker by, whatever name is shown.
        """
        # What is printable holds nothing that would have to be cleaned away.
        text = (text if text.isprintable() else clean(text)).strip()
        if not text:
            self.leave_out(MEDIA)
        elif mine:
            self._messages.append(Message("user", text, at))
        else:
            shown = name(speaker) or "unknown"
            if account:
                self._accounts[shown.casefold()].add(str(account))
                self._account_of[len(self._messages)] = str(account)
            self._messages.append(Message("person", text, at, shown))

    def leave_out(self, kind: str) -> None:
        self._left_out[kind] += 1

    def note(self, text: str) -> None:
        """What could not be settled."""
        self._notes.append(text)

    def conversation(self, title: str, external_id: str | None = None) -> Conversation:
        """All that was taken in; people of one name are told apart, since one may be the owner."""
        self._tell_namesakes_apart()
        return Conversation(
            title=name(title) or "Untitled chat",
            messages=tuple(self._messages),
            external_id=name(external_id) or None,
            started_at=next((m.created_at for m in self._messages if m.created_at), None),
            left_out=dict(self._left_out),
            notes=tuple(self._notes),
        )

    def _tell_namesakes_apart(self) -> None:
        shared = {shown for shown, accounts in self._accounts.items() if len(accounts) > 1}
        if not shared:
            return
        for place, message in enumerate(self._messages):
            if message.speaker and message.speaker.casefold() in shared:
                account = self._account_of.get(place, "unknown account")
                known_as = name(f"{message.speaker} ({account})")
                self._messages[place] = replace(message, speaker=known_as)
        for shown in sorted(shared):
            n = len(self._accounts[shown])
            self.note(f"{n} accounts are called {shown}: each is named with its number in it")


def name(value: object) -> str:
    """A shown name on one line; empty where there is none."""
    return _on_one_line(value) if isinstance(value, str) else ""


@lru_cache(maxsize=4096)
def _on_one_line(text: str) -> str:
    return " ".join(clean(text).split())
