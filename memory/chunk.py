"""From documents and messages to chunks: short stretches of text that stand on their own.

A chunk is at most `MOST_WORDS` long, never crosses a heading, and breaks between paragraphs, else
between sentences. What a user says in a chat is split into what they *told* and what they *asked*;
what the assistant replied is kept for search and never studied.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .records import Document, Message
from .sentences import sentences

MOST_WORDS = 150

QUESTION_WORDS = (
    r"what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|would|will|"
    r"should|may|have|has"
)
REQUEST = re.compile(
    rf"(?i)(^(?:{QUESTION_WORDS})\b.*\?$)|\?$|^(?:please|write|explain|summari[sz]e|list|give|tell me|"
    r"show|make|create|help|translate|suggest|find|compare|draft|fix|rewrite|continue)\b"
)


@dataclass(frozen=True)
class Chunk:
    kind: str  # text, told, asked, reply
    text: str
    heading: str = ""


def document_chunks(document: Document) -> Iterator[Chunk]:
    for section in document.sections:
        for text in _pieces(section.text):
            yield Chunk("text", text, section.heading)


def message_chunks(message: Message) -> Iterator[Chunk]:
    if message.role == "assistant":
        for text in _pieces(message.text):
            yield Chunk("reply", text)
        return
    told = [s for s in sentences(message.text) if not REQUEST.search(s)]
    asked = [s for s in sentences(message.text) if REQUEST.search(s)]
    for kind, found in (("told", told), ("asked", asked)):
        for text in _pieces(" ".join(found)):
            yield Chunk(kind, text)


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs put together, or taken apart, to at most `MOST_WORDS` words."""
    held: list[str] = []
    n_words = 0
    for part in _parts(text):
        words = len(part.split())
        if held and n_words + words > MOST_WORDS:
            yield "\n".join(held)
            held, n_words = [], 0
        held.append(part)
        n_words += words
    if held:
        yield "\n".join(held)


def _parts(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        lines = "\n".join(line.strip() for line in paragraph.splitlines() if line.strip())
        if len(lines.split()) <= MOST_WORDS:
            if lines:
                yield lines
            continue
        for sentence in sentences(lines):
            words = sentence.split()
            for start in range(0, len(words), MOST_WORDS):
                yield " ".join(words[start : start + MOST_WORDS])
