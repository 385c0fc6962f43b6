"""Rich text, as Word, WordPad and TextEdit write it."""

from collections.abc import Iterator
from pathlib import Path

from ..records import Document, Item
from .plain_text import load_bytes
from .rtf_text import rtf_sections

_MAGIC = b"{\\rtf"


def matches(path: Path, head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(_MAGIC)


def read(path: Path) -> Iterator[Item]:
    """One document; heading styles make the sections.

    Raises:
        UnreadableSource: too large.
        OSError: it cannot be opened.
    """
    text = rtf_sections(load_bytes(path))
    yield Document(
        title=text.title or text.builder.first_title or path.stem,
        sections=text.sections(),
        author=text.author,
        date=text.date,
    )
