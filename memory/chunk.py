"""From documents and messages to chunks: short stretches of text that stand on their own.

A chunk is at most `MOST_WORDS` long, never crosses a heading, and breaks between paragraphs, else
between sentences. What a user says in a chat is split into what they *told* and what they *asked*;
what the assistant replied is kept for search and never studied.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .records import Document, Message
from .sentences import sentences
from .unspaced import is_unspaced, n_words

MOST_WORDS = 150
# A word of so many characters counts as two, and so on.
WORD_CHARACTERS = 24

_QUESTION_MARKS = ("?", "？", "؟")
_REQUEST = re.compile(
    r"(?i)(?:please|write|explain|summari[sz]e|list|give|tell me|show|make|create|help|translate|suggest"
    r"|find|compare|draft|fix|rewrite|continue)\b"
)


@dataclass(frozen=True)
class Chunk:
    kind: str  # text, told, asked, reply, said
    text: str
    heading: str = ""


def document_chunks(document: Document) -> Iterator[Chunk]:
    for section in document.sections:
        for text in _pieces(section.text):
            yield Chunk("text", text, section.heading)


def message_chunks(message: Message) -> Iterator[Chunk]:
    if message.role != "user":
        kind = "reply" if message.role == "assistant" else "said"
        for text in _pieces(message.text):
            yield Chunk(kind, text)
        return
    told: list[str] = []
    asked: list[str] = []
    for sentence in sentences(message.text):
        is_request = sentence.endswith(_QUESTION_MARKS) or _REQUEST.match(sentence)
        (asked if is_request else told).append(sentence)
    for kind, found in (("told", told), ("asked", asked)):
        for text in _pieces(" ".join(found)):
            yield Chunk(kind, text)


_Sized = tuple[str, int]  # a text and its `_size`


def _pieces(text: str) -> Iterator[str]:
    """Paragraphs put together, or taken apart, to at most `MOST_WORDS` words."""
    return (piece for piece, _ in _packed(_parts(text), "\n"))


def _packed(parts: Iterable[_Sized], joint: str) -> Iterator[_Sized]:
    held: list[str] = []
    size = 0
    for part, more in parts:
        if held and size + more > MOST_WORDS:
            yield joint.join(held), size
            held, size = [], 0
        held.append(part)
        size += more
    if held:
        yield joint.join(held), size


def _parts(text: str) -> Iterator[_Sized]:
    for paragraph in re.split(r"\n\s*\n", text):
        lines = "\n".join(line.strip() for line in paragraph.splitlines() if line.strip())
        size = _size(lines)
        if size <= MOST_WORDS:
            if lines:
                yield lines, size
            continue
        for sentence in sentences(lines):
            yield from _packed(_words(sentence), " ")


def _words(sentence: str) -> Iterator[_Sized]:
    """The words; one that would fill a chunk alone, such as encoded data, in stretches."""
    size = _size(sentence)
    if size <= MOST_WORDS:
        if size:  # nearly always, and much faster
            yield " ".join(sentence.split()), size
        return
    for word in sentence.split():
        longest = MOST_WORDS * len(word) // _size(word)
        for start in range(0, len(word), longest):
            stretch = word[start : start + longest]
            yield stretch, _size(stretch)


def _size(text: str) -> int:
    """The number of words; long ones count more, and so do those of scripts without spaces."""
    words = text.split()
    if not text.isascii() and is_unspaced(text):
        return sum(max(n_words(word), 1 + len(word) // WORD_CHARACTERS) for word in words)
    if max(map(len, words), default=0) < WORD_CHARACTERS:  # nearly always, and much faster
        return len(words)
    return sum(1 + len(word) // WORD_CHARACTERS for word in words)
