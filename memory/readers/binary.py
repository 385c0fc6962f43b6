"""Kinds of files that hold no text a reader here can take, told by their first bytes."""

from .ole import OLE_MAGIC
from .plain_text import has_mark, wide_encoding

HEAD_BYTES = 64 * 1024
COMPRESSED = "a compressed file"
DATABASE = "a database"
BINARY = "a binary file"
_MAGIC = (
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"BM", "an image"),
    (b"II*\x00", "an image"),
    (b"MM\x00*", "an image"),
    (b"\x00\x00\x01\x00", "an image"),
    (b"8BPS", "an image"),
    (b"ID3", "a sound recording"),
    (b"\xff\xfb", "a sound recording"),
    (b"\xff\xf3", "a sound recording"),
    (b"OggS", "a sound recording"),
    (b"fLaC", "a sound recording"),
    (b"MThd", "a sound recording"),
    (b"\x1aE\xdf\xa3", "a film"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xce\xfa\xed\xfe", "a program"),
    (b"\x00asm", "a program"),
    (b"\x1f\x8b", COMPRESSED),
    (b"BZh", COMPRESSED),
    (b"\xfd7zXZ", COMPRESSED),
    (b"7z\xbc\xaf", COMPRESSED),
    (b"Rar!", COMPRESSED),
    (b"(\xb5/\xfd", COMPRESSED),
    (b"SQLite format 3\x00", DATABASE),
    (b"GGUF", "a model's weights"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"// <!-- <mdb:mork", "an index of a mail program"),
)
_MAGIC_OF_LETTERS = (b"BM", b"MZ", b"ID3", b"BZh", b"GIF8", b"GGUF", b"8BPS")


def binary_kind(head: bytes) -> str | None:
    """What a file that begins with `head` is, such as `an image`; None for text, PDF, zip and OLE."""
    if head.startswith((b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", OLE_MAGIC)):
        return None
    has_zeros = b"\x00" in head and not has_mark(head) and wide_encoding(head[:4096]) is None
    for magic, kind in _MAGIC:
        # Two letters can begin a sentence: "BMW", "MZ". Only zero bytes prove them magic.
        if head.startswith(magic) and (magic not in _MAGIC_OF_LETTERS or has_zeros):
            return None if magic[:1] == b"\xff" and has_mark(head) else kind
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"AVI ", b"WEBP"):
        return "an image" if head[8:12] == b"WEBP" else "a recording"
    if head[4:8] == b"ftyp":
        return "a film or an image"
    if has_zeros and b"%PDF-" not in head[:1024]:
        return BINARY
    return None
