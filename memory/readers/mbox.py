"""Mailboxes in one file, mail after mail, as Thunderbird, Google Takeout and Unix keep them.

Forms: https://www.loc.gov/preservation/digital/formats/fdd/fdd000383.shtml
"""

import re
from collections.abc import Iterator
from os import SEEK_END
from pathlib import Path
from typing import IO

from ..records import Item
from .mail import KNOWN_FIELDS, begins_as_mail, parse_mail

_FROM = b"From "
_FIELD = re.compile(rb"([!-9;-~]{1,76}):")
_QUOTED_FROM = re.compile(rb">+From ")
# With its date it parts two mails even where no empty line stands before it.
_DATED_FROM = re.compile(
    rb"From \S+ +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    rb" [ \d]?\d \d\d:\d\d.{0,20}\d{4}"
)
_CONTENT_LENGTH = re.compile(rb"(?i)content-length:[ \t]*(\d{1,12})\s*\Z")
_SEPARATOR_BYTES = 16
_LONGEST_LINE_BYTES = 2**20
_LARGEST_MAIL_BYTES = 64 * 2**20


def matches(path: Path, head: bytes) -> bool:
    """A line that begins with `From `, and then the header of a mail; an .eml is one mail."""
    if path.suffix.lower() == ".eml":
        return False
    first, _, rest = head.lstrip(b"\xef\xbb\xbf\r\n").partition(b"\n")
    return first.startswith(_FROM) and begins_as_mail(rest, is_named_so=True)


def read(path: Path) -> Iterator[Item]:
    """A document for each mail, one after the other, without those that were thrown away.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        for number, data in enumerate(_mails(file), 1):
            yield from parse_mail(data, f"{path.stem}, mail {number}")


def _mails(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of each mail; what goes beyond any mail's size is passed over."""
    lines: list[bytes] = []
    n_bytes = 0
    after_blank, in_header = True, True
    held = b""  # a line that parts two mails if a header follows it
    n_in_body, place, body_end = 0, 0, 0
    while line := file.readline(_LONGEST_LINE_BYTES):
        place += len(line)
        if held:
            if _begins_header(held, line):
                if lines:
                    yield b"".join(lines)
                lines, n_bytes, n_in_body, in_header = [], 0, 0, True
            else:
                lines.append(held)
            held = b""
        if in_header:
            if length := _CONTENT_LENGTH.match(line):
                n_in_body = int(length[1])
            elif not line.strip():
                in_header = not lines
                if n_in_body and _ends_a_mail(file, place + n_in_body):
                    body_end = place + n_in_body
        if place > body_end and (
            (after_blank and line.startswith(_FROM)) or _DATED_FROM.match(line)
        ):
            held = line
        elif n_bytes + len(line) <= _LARGEST_MAIL_BYTES:
            lines.append(line[1:] if _QUOTED_FROM.match(line) else line)
            n_bytes += len(line)
        after_blank = not line.strip()
    if any(part.strip() for part in lines):
        yield b"".join(lines)


def _begins_header(separator: bytes, line: bytes) -> bool:
    """Beside a date any field does; without, only one of a mail's, for "From there:" and "Note: …" may be text."""
    field = _FIELD.match(line)
    if not field or _DATED_FROM.match(separator):
        return field is not None
    name = field[1].lower()
    return name in KNOWN_FIELDS or name.startswith(b"x-")


def _ends_a_mail(file: IO[bytes], place: int) -> bool:
    """Whether the next mail begins there, or none does: a length that a program wrote once may be wrong by now."""
    here = file.tell()
    file.seek(0, SEEK_END)
    is_inside = place <= file.tell()
    file.seek(place)
    following = file.read(_SEPARATOR_BYTES)
    file.seek(here)
    return is_inside and (following.lstrip(b"\r\n") or _FROM).startswith(_FROM)
