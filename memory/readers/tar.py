"""Tars, plain or compressed, told by their first block."""

import bz2
import lzma
import zlib
from pathlib import Path

_BLOCK_BYTES = 512
_READ_BYTES = 2**20  # the whole first block of bzip2, which cannot be unpacked in part
_LZMA_MEMORY_BYTES = 2**27


def is_tar(path: Path) -> bool:
    """Whether a tar begins here; of a compressed one no more than a block is unpacked."""
    with path.open("rb") as file:
        head = file.read(_BLOCK_BYTES)
        if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
            head = _first_block(head + file.read(_READ_BYTES))
    return head[257:262] == b"ustar"


def _first_block(data: bytes) -> bytes:
    try:
        if data.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(data, _BLOCK_BYTES)
        if data.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(data, _BLOCK_BYTES)
        unpacker = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY_BYTES)
        return unpacker.decompress(data, _BLOCK_BYTES)
    except (zlib.error, lzma.LZMAError, OSError, ValueError):
        return b""
