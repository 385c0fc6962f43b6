"""The text in a typedstream, the old form in which macOS writes objects into a database."""

_CLASS = b"NSString"
_STRING = b"\x84\x01+"  # a new type, one character long: a string of bytes
_WIDE_LENGTHS = {0x81: 2, 0x82: 4}


def text_of(stream: bytes) -> str:
    """The string of an NSAttributedString; empty where there is none."""
    named = stream.find(_CLASS)
    begins = stream.find(_STRING, named) if named >= 0 else -1
    if begins < 0:
        return ""
    place = begins + len(_STRING)
    length = stream[place] if place < len(stream) else 0
    place += 1
    if length in _WIDE_LENGTHS:
        width = _WIDE_LENGTHS[length]
        length = int.from_bytes(stream[place : place + width], "little")
        place += width
    return stream[place : place + length].decode("utf-8", errors="replace")
