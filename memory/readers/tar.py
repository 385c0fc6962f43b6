"""Tars, plain or compressed, and single files that are compressed, told by their first block."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from .binary import binary_kind

_BLOCK_BYTES = 512
_READ_BYTES = 2**20  # the whole first block of bzip2, which cannot be unpacked in part
_LZMA_MEMORY_BYTES = 2**27


OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


def opener(path: Path) -> Callable[[Path], IO[bytes]] | None:
    """What reads a compressed file; None for another one."""
    with path.open("rb") as file:
        head = file.read(6)
    return next((found for magic, found in OPENERS.items() if head.startswith(magic)), None)


def is_compressed_text(path: Path) -> bool:
    """Whether it is called `note.md.gz` or the like, and what is in it may be text."""
    if path.suffix.lower() not in (".gz", ".bz2", ".xz") or not opener(path):
        return False
    with path.open("rb") as file:
        head = _first_block(file.read(_READ_BYTES))
    return bool(head) and binary_kind(head) is None


def is_tar(path: Path) -> bool:
    """Whether a tar begins here; of a compressed one no more than a block is unpacked."""
    with path.open("rb") as file:
        head = file.read(_BLOCK_BYTES)
        if head.startswith(tuple(OPENERS)):
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
