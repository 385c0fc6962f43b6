"""What a reader hands over: documents made of sections, conversations made of messages.

These are plain values without identity; the store gives them one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """A stretch of text under one heading path, such as `Handbook › Travel` (empty at the top)."""

    heading: str
    text: str


@dataclass(frozen=True)
class Document:
    title: str
    sections: tuple[Section, ...]
    author: str | None = None
    date: str | None = None  # ISO 8601
    is_letter: bool = False  # "I" in it is its author


@dataclass(frozen=True)
class Message:
    """`speaker` is the name a chat between people gives; an assistant's chat needs none.

    A reader says "user" only where the format itself marks the owner of the export; `people` makes
    the owner's other messages theirs when their names are known.
    """

    role: str  # "user", "assistant", or "person": somebody else, or nobody knows yet
    text: str
    created_at: str | None = None  # ISO 8601; UTC where the file says the zone
    speaker: str | None = None


@dataclass(frozen=True)
class Conversation:
    """Without a title it is called by the first words of its user (`titles`)."""

    title: str
    messages: tuple[Message, ...] = field(default=())
    external_id: str | None = None
    started_at: str | None = None  # ISO 8601, UTC
    alternatives: tuple[Message, ...] = field(
        default=()
    )  # answers made again, not part of the talk
    left_out: Mapping[str, int] = field(default_factory=dict)  # what is no talk, by its kind
    notes: tuple[str, ...] = ()  # what could not be settled, said to the person


Item = Document | Conversation
