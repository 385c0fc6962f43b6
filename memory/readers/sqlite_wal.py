"""A SQLite file together with what its write-ahead log holds and it does not yet.

SQLite itself would write beside the file to see both. The form is that of
https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

import struct
import sys
from array import array
from collections.abc import Iterator

_MAGIC = {0x377F0682: "little", 0x377F0683: "big"}
_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_SUMMED_BYTES = 24  # of the header; of a frame's, eight
_READS_WITHOUT_LOG = b"\x01\x01"


def with_log(database: bytes, log: bytes) -> bytearray:
    """The database as its last whole transaction left it, in a form that knows of no log."""
    pages: dict[int, bytes] = {}
    n_pages = 0
    open_pages: dict[int, bytes] = {}
    page_bytes = 0
    for number, size_after, page in _frames(log):
        page_bytes = len(page)
        open_pages[number] = page
        if size_after:  # the end of a transaction
            pages |= open_pages
            open_pages = {}
            n_pages = size_after
    data = bytearray(database)
    if n_pages:
        # Never larger than the two files are: a log may claim any size.
        whole = min(n_pages * page_bytes, len(database) + len(log))
        data = data[:whole].ljust(whole, b"\x00")
        for number, page in pages.items():
            if 0 < number * page_bytes <= whole:
                data[(number - 1) * page_bytes : number * page_bytes] = page
    data[18:20] = _READS_WITHOUT_LOG
    return data


def _frames(log: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, size of the database afterwards or 0, and content of each page up to the first fault."""
    if len(log) < _HEADER.size:
        return
    magic, _, page_bytes, _, *salts, first, second = _HEADER.unpack_from(log)
    order = _MAGIC.get(magic)
    if order is None or not 512 <= page_bytes <= 65536 or page_bytes & (page_bytes - 1):
        return
    sums = _summed(log[:_SUMMED_BYTES], order, (0, 0))
    if sums != (first, second):
        return
    for start in range(_HEADER.size, len(log) - page_bytes - _FRAME.size + 1, page_bytes + 24):
        number, size_after, *own_salts, first, second = _FRAME.unpack_from(log, start)
        page = log[start + _FRAME.size : start + _FRAME.size + page_bytes]
        sums = _summed(log[start : start + 8] + page, order, sums)
        if own_salts != salts or sums != (first, second):
            return
        yield number, size_after, page


def _summed(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    words = array("I", data)
    if order != sys.byteorder:
        words.byteswap()
    first, second = sums
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
