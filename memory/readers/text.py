"""Plain text: whatever decodes and is nothing else."""

from collections.abc import Iterator
from pathlib import Path

from ..records import Document, Item, Section
from .plain_text import decode, load_bytes, reflow


def matches(path: Path, head: bytes) -> bool:
    """Every text: the other formats are asked first."""
    return True


def read(path: Path) -> Iterator[Item]:
    """One document of one section, titled by the file's name.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    yield Document(path.stem, (Section("", reflow(decode(load_bytes(path)))),))
