"""One mail as it was sent: .eml files, the files of a maildir, Apple Mail's .emlx."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Item
from .mail import begins_as_mail, parse_mail

_LARGEST_MAIL_BYTES = 64 * 2**20
_EMLX_LENGTH = re.compile(rb"(\d{1,12}) *\r?\n")
_MBOX_LINE = re.compile(rb"From [^\n]{0,200}\n")
_NAMES = (".eml", ".emlx")


def matches(path: Path, head: bytes) -> bool:
    """Header lines that mail programs write; fewer will do where the name says what it is."""
    return begins_as_mail(_mail_itself(head), path.suffix.lower() in _NAMES)


def read(path: Path) -> Iterator[Item]:
    """One document. Of a mail with huge attachments only the beginning is read.

    Raises:
        UnreadableSource: it was thrown away.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        data = file.read(_LARGEST_MAIL_BYTES)
    found = list(parse_mail(_mail_itself(data), path.stem))
    if not found:
        raise UnreadableSource("a mail that was thrown away")
    yield from found


def _mail_itself(data: bytes) -> bytes:
    """Without what programs put around it: Apple Mail its length, others a mailbox's first line."""
    data = data.lstrip(b"\xef\xbb\xbf\r\n")
    length = _EMLX_LENGTH.match(data)
    if length:
        return data[length.end() :][: int(length[1])]
    line = _MBOX_LINE.match(data)
    return data[line.end() :] if line else data
