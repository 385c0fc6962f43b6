"""The packed rich text of Outlook's mails.

The form is [MS-OXRTFCP]: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxrtfcp
"""

import struct

from ..errors import UnreadableSource

_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_RING = 4096
_LARGEST_BYTES = 16 * 2**20
_BEGINNING = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
    b"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
    b"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def decompress(data: bytes) -> bytes:
    """The rich text.

    Raises:
        UnreadableSource: it is of another form.
    """
    if len(data) < 16:
        raise UnreadableSource("damaged rich text in the mail")
    size, kind = struct.unpack_from("<4xII", data)
    if kind == _PLAIN:
        return data[16:]
    if kind != _PACKED or size > _LARGEST_BYTES:
        raise UnreadableSource("damaged rich text in the mail")
    ring = bytearray(_BEGINNING.ljust(_RING, b"\0"))
    write = len(_BEGINNING)
    out = bytearray()
    position = 16
    while position < len(data) and len(out) < size:
        flags = data[position]
        position += 1
        for bit in range(8):
            if flags >> bit & 1:
                if position + 2 > len(data):
                    return bytes(out)
                reference = data[position] << 8 | data[position + 1]
                position += 2
                start = reference >> 4
                if start == write:
                    return bytes(out)
                piece = [(start + i) % _RING for i in range((reference & 15) + 2)]
            else:
                if position >= len(data):
                    return bytes(out)
                ring[write] = data[position]
                piece = [write]
                position += 1
            for place in piece:
                ring[write] = ring[place]
                out.append(ring[place])
                write = (write + 1) % _RING
    return bytes(out)
