"""Mails that Outlook saved as .msg.

The form is [MS-OXMSG]: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxmsg
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Item
from .mail import mail_document
from .mail_html import html_text
from .ole import OLE_MAGIC, open_ole
from .plain_text import LARGEST_TEXT_BYTES, clean, decode
from .rtf_compressed import decompress
from .rtf_text import rtf_sections

_PROPERTIES = "__properties_version1.0"
_HEADER_BYTES = 32
_UNICODE, _BYTES, _BINARY, _INTEGER, _TIME = 0x001F, 0x001E, 0x0102, 0x0003, 0x0040
_SUBJECT, _BODY, _HTML, _RTF = 0x0037, 0x1000, 0x1013, 0x1009
_SENDERS = (0x0042, 0x0C1A)  # on whose behalf it was sent, and who did
_ADDRESSES = (0x5D02, 0x5D01, 0x0065, 0x0C1F)
_TIMES = (0x0039, 0x0E06, 0x3007)  # sent, delivered, made
_CODE_PAGES = (0x3FFD, 0x3FDE)
_NOT_A_MAIL = ("IPM.Contact", "IPM.DistList")
_CLASS = 0x001A


def matches(path: Path, head: bytes) -> bool:
    """A compound file with a message's properties at its top."""
    if not head.startswith(OLE_MAGIC):
        return False
    with open_ole(path) as container:
        return bool(container.exists(_PROPERTIES))


def read(path: Path) -> Iterator[Item]:
    """One document.

    Raises:
        UnreadableSource: damaged, or no mail.
        OSError: it cannot be opened.
    """
    with open_ole(path) as container:
        message = _Message(container)
        if message.text(_CLASS).startswith(_NOT_A_MAIL):
            raise UnreadableSource("an Outlook contact, not a mail")
        name = next(filter(None, map(message.text, _SENDERS)), "")
        address = next((x for x in map(message.text, _ADDRESSES) if "@" in x), "")
        yield mail_document(
            subject=" ".join(message.text(_SUBJECT).split()),
            writer=name or address,
            date=next(filter(None, map(message.time, _TIMES)), None),
            text=message.body(),
            title=path.stem,
        )


class _Message:
    def __init__(self, container: Any) -> None:
        self._container = container
        self._fixed: dict[tuple[int, int], bytes] = {}
        data = self._stream(_PROPERTIES)[_HEADER_BYTES:]
        for start in range(0, len(data) - 15, 16):
            kind, number = struct.unpack_from("<HH", data, start)
            self._fixed[number, kind] = data[start + 8 : start + 16]
        pages = (self._fixed.get((number, _INTEGER)) for number in _CODE_PAGES)
        self._charset = next((_charset(page) for page in pages if page), "cp1252")

    def body(self) -> str:
        """The plain text, else the HTML, else the rich text."""
        plain = self.text(_BODY)
        if plain.strip():
            return plain
        data = self._property(_HTML, _BINARY)
        markup = decode(data, self._charset) if data else self.text(_HTML)
        if markup.strip():
            return html_text(markup)
        packed = self._property(_RTF, _BINARY)
        if not packed:
            return ""
        sections = rtf_sections(decompress(packed)).sections()
        return "\n\n".join(section.text for section in sections)

    def text(self, number: int) -> str:
        data = self._property(number, _UNICODE)
        if data:
            return clean(data.decode("utf-16-le", "replace")).strip()
        data = self._property(number, _BYTES)
        return decode(data, self._charset).strip() if data else ""

    def time(self, number: int) -> str | None:
        """A time in tenths of microseconds since 1601."""
        value = self._fixed.get((number, _TIME))
        if value is None:
            return None
        try:
            moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(
                seconds=int.from_bytes(value, "little") // 10**7
            )
        except OverflowError:
            return None
        return moment.isoformat() if moment.year > 1970 else None

    def _property(self, number: int, kind: int) -> bytes:
        name = f"__substg1.0_{number:04X}{kind:04X}"
        return self._stream(name) if self._container.exists(name) else b""

    def _stream(self, name: str) -> bytes:
        if self._container.get_size(name) > LARGEST_TEXT_BYTES:
            raise UnreadableSource("a mail with more text than anybody wrote")
        try:
            data: bytes = self._container.openstream(name).read()
        except (OSError, ValueError, IndexError) as error:
            raise UnreadableSource("a damaged Outlook file") from error
        return data


def _charset(page: bytes) -> str:
    number = int.from_bytes(page[:4], "little")
    return {65001: "utf-8", 20127: "cp1252", 28591: "cp1252"}.get(number, f"cp{number}")
