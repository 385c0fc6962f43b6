"""What a reader hands over: documents made of sections, conversations made of messages.

These are plain values without identity; the store gives them one.
"""

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


@dataclass(frozen=True)
class Message:
    role: str  # "user" or "assistant"
    text: str
    created_at: str | None = None  # ISO 8601, UTC


@dataclass(frozen=True)
class Conversation:
    title: str
    messages: tuple[Message, ...] = field(default=())
    external_id: str | None = None
    started_at: str | None = None  # ISO 8601, UTC


Item = Document | Conversation
