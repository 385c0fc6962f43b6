"""Bytes to text that a database can hold, and hard-wrapped lines back to paragraphs."""

import re
from itertools import pairwise
from pathlib import Path

from ..errors import UnreadableSource
from ..glance import finder
from . import charsets

LARGEST_TEXT_BYTES = 64 * 2**20
_MARKS = (  # the longer first: UTF-32's mark begins with UTF-16's
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
# As browsers do: those who name the smaller set write the larger one.
_LARGER_SETS = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
}
# Their bytes are ASCII too, so that only the declaration tells them.
_SEVEN_BIT_SETS = re.compile(r"iso-2022-\w{2}(?:-\w{1,4})?|utf-7|hz(?:-gb-2312)?")
# What Python calls encodings besides those of text; two of them take quadratic time.
_NO_CHARACTER_SETS = re.compile(r"idna|punycode|undefined|(?:raw.)?unicode.escape")
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f\ud800-\udfff\ufeff\u200e\u200f]")
_LINE_END = re.compile(r"\r\n?|[\x0c\x85\u2028\u2029]")
# Those of both that are ASCII.
_controls = finder("".join(map(chr, {*range(32), 127} - {*b"\t\n"})))
_SHORTEST_WIDE_BYTES = 8
_LONG_LINE = 40
_WIDEST = 120
_FEWEST_BREAKS = 4
_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪·–—]|\(?\d{1,3}[.)]|\(?[A-Za-z]\))\s")


def load_bytes(path: Path) -> bytes:
    """The whole file.

    Raises:
        UnreadableSource: it is larger than any text a person wrote.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST_TEXT_BYTES + 1)
    if len(data) > LARGEST_TEXT_BYTES:
        raise UnreadableSource(f"larger than {LARGEST_TEXT_BYTES // 2**20} MB of text")
    return data


def decode(data: bytes, declared: str | None = None) -> str:
    """Text of `data`, cleaned; raises as `decode_untouched` does."""
    return clean(decode_untouched(data, declared))


def decode_untouched(data: bytes, declared: str | None = None) -> str:
    """Text of `data` with every mark in it.

    Its byte order mark decides, else UTF-8 if it is that, else what it declares, else what fits.

    Raises:
        UnreadableSource: no character set fits.
    """
    declared = (declared or "").strip().lower()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if _SEVEN_BIT_SETS.fullmatch(declared):
        encoding = encoding or declared
    encoding = encoding or wide_encoding(data[:4096]) or "utf-8"
    if not declared or _NO_CHARACTER_SETS.fullmatch(declared):
        declared = "utf-8"
    for name in dict.fromkeys((encoding, "utf-8", _LARGER_SETS.get(declared, declared))):
        try:
            return data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    likeliest = charsets.likeliest(data)
    if not likeliest:
        raise UnreadableSource("text in an unknown character set")
    return data.decode(likeliest, errors="replace")


def wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a byte order mark shows by its zero bytes standing on one side only."""
    head = head[: len(head) // 2 * 2]
    even, odd = head[0::2], head[1::2]
    if len(head) < _SHORTEST_WIDE_BYTES:
        return None
    for name, letters, zeros in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
        if zeros.count(0) * 5 > len(zeros) * 4 and min(letters) >= ord("\t"):
            return name
    return None


def has_mark(head: bytes) -> bool:
    return any(head.startswith(mark) for mark, _ in _MARKS)


def clean(text: str) -> str:
    """Without control characters, lone surrogates and invisible marks; line ends are `\\n`."""
    if text.isascii() and not _controls(text):  # nearly always, and much faster
        return text
    return _UNWANTED.sub("", _LINE_END.sub("\n", text))


def reflow(text: str) -> str:
    """Lines that were broken only because they were full are joined; other line ends stay.

    A break is forced where the next word would not have fitted into the width of the text.
    """
    blocks = [block.split("\n") for block in re.split(r"\n[ \t]*\n\s*", text)]
    width = _wrap_width(blocks)
    return "\n\n".join(_joined(block, width) for block in blocks if any(map(str.strip, block)))


def _wrap_width(blocks: list[list[str]]) -> int | None:
    """The width that the text was wrapped at; None when its breaks were set by hand.

    Short lines say nothing: lists and addresses stand between the paragraphs of wrapped texts too.
    """
    breaks = [
        (line, following)
        for block in blocks
        for line, following in pairwise(block)
        if len(line.rstrip()) >= _LONG_LINE
    ]
    if len(breaks) < _FEWEST_BREAKS:
        return None
    lengths = sorted(len(line.rstrip()) for line, _ in breaks)
    width = lengths[len(lengths) * 8 // 10]
    forced = sum(_is_forced(line, following, width) for line, following in breaks)
    return width if width <= _WIDEST and forced * 2 > len(breaks) else None


def _is_forced(line: str, following: str, width: int) -> bool:
    words = following.split(maxsplit=1)
    if not words or _LIST_ITEM.match(following):
        return False
    return len(line.rstrip()) + 1 + len(words[0]) > width


def _is_cut(line: str, following: str) -> bool:
    """A long line without an end, and the next one begins small: one sentence in any text."""
    is_long = len(line.rstrip()) >= _LONG_LINE
    return is_long and line.rstrip()[-1] not in ".!?:;" and following.lstrip()[:1].islower()


def _joined(block: list[str], width: int | None) -> str:
    out = [block[0].strip()]
    for line, following in pairwise(block):
        forced = width is not None and _is_forced(line, following, width)
        if following.strip() and (forced or _is_cut(line, following)):
            out[-1] += " " + following.strip()
        else:
            out.append(following.strip())
    return "\n".join(line for line in out if line)
