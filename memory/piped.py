"""Text that is piped in: kept in a file of its own for a moment, and known by a name.

The same name again is the same source, which then holds what was piped in last.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from .brief_folder import BriefFolder
from .limits import MEGABYTE
from .sizes import LARGEST_EXPORT_MB
from .walk import Entry, Found, Refused, file_entry

_PIECE_BYTES = 2**20


def source_of(name: str) -> str:
    """What the store calls it."""
    return f"stdin:{name}"


@contextmanager
def piped(stream: IO[bytes], name: str) -> Iterator[Entry]:
    """What is to be done with what comes through a pipe, while the context lasts."""
    folder = BriefFolder()
    try:
        # A document without a title takes it from its file's name.
        path = folder.path / (re.sub(r"[/\0]", "-", name).strip(". ")[:100] or "stdin")
        with path.open("wb") as file:
            left = LARGEST_EXPORT_MB * MEGABYTE
            while (piece := stream.read(_PIECE_BYTES)) and left >= 0:
                left -= len(piece)
                file.write(piece)
        if left < 0:
            yield Refused(Path(source_of(name)), f"larger than {LARGEST_EXPORT_MB:,} MB")
            return
        entry = file_entry(path, path.parent)
        if isinstance(entry, Found):
            yield replace(entry, known_as=source_of(name))
        else:
            yield replace(entry, path=Path(source_of(name)))
    finally:
        folder.remove()
