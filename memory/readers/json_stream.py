"""JSON read piece by piece: the keys it begins with, and its values one at a time, also in a zip."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

from ..errors import UnreadableSource
from .archive import DAMAGE, DAMAGED, ZIP_MAGIC, files_in, is_one_export, open_member, open_zip
from .binary import HEAD_BYTES
from .json_faults import describe, looks_like_json

Keys = frozenset[str]
Json = dict[str, Any]

_LARGEST_MEMBER_BYTES = 16 * 2**30
_MOST_MEMBERS = 2000


@lru_cache(maxsize=8)
def keys(head: bytes) -> Keys:
    """The paths of all keys in the beginning of some JSON; `item` stands for any place in an array.

    `[{"a": {"b": 1}}]` has `item`, `item.a` and `item.a.b`. Of anything else it is empty.
    """
    import ijson

    found: set[str] = set()
    if looks_like_json(head):
        try:
            for prefix, event, name in ijson.parse(BytesIO(head.removeprefix(b"\xef\xbb\xbf"))):
                if event == "map_key":
                    found.add(f"{prefix}.{name}" if prefix else name)
        except (ijson.JSONError, UnicodeDecodeError):  # it was cut off, or is several values
            pass
    return frozenset(found)


def holds(path: Path, head: bytes, names: re.Pattern[str], known: Callable[[Keys], bool]) -> bool:
    """Whether a JSON file is of a form, or a zip is an export with such files under one of `names`."""
    if not head.startswith(ZIP_MAGIC):
        return known(keys(head))
    with open_zip(path) as archive:
        files = files_in(archive)
        own = [name for name in files if names.fullmatch(name)]
        return all(is_one_export(files, _folder(name)) for name in own) and any(
            known(_member_keys(archive, name)) for name in own
        )


def _folder(name: str) -> str:
    before, slash, _ = name.rpartition("/")
    return before + slash


def values(path: Path, prefixes: Iterable[str], known: Callable[[Keys], bool]) -> Iterator[Any]:
    """The values at the first of `prefixes` that the file has, or each file of that form in a zip.

    Raises:
        UnreadableSource: broken JSON or zip. Some values may have come before.
        OSError: it cannot be opened.
    """
    from ijson import JSONError

    with path.open("rb") as file:
        is_zip = file.read(4).startswith(ZIP_MAGIC)
        file.seek(0)
        try:
            yield from _zipped(path, prefixes, known) if is_zip else _values(file, prefixes)
        except JSONError as error:
            if is_zip:
                reason = f"broken JSON in the zip: {str(error).splitlines()[0]}"
            else:
                reason = describe(path, error)
            raise UnreadableSource(reason) from error
        except UnicodeDecodeError as error:
            raise UnreadableSource("broken JSON: half of a character in it") from error


def _zipped(path: Path, prefixes: Iterable[str], known: Callable[[Keys], bool]) -> Iterator[Any]:
    with open_zip(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".json"))
        for name in names[:_MOST_MEMBERS]:
            if not known(_member_keys(archive, name)):
                continue
            try:
                with open_member(archive, name, _LARGEST_MEMBER_BYTES) as member:
                    yield from _values(member, prefixes)
            except DAMAGE as error:
                raise UnreadableSource(DAMAGED) from error


def _member_keys(archive: ZipFile, name: str) -> Keys:
    try:
        with open_member(archive, name, _LARGEST_MEMBER_BYTES) as member:
            return keys(member.read(HEAD_BYTES))
    except DAMAGE as error:
        raise UnreadableSource(DAMAGED) from error


def _values(file: IO[bytes], prefixes: Iterable[str]) -> Iterator[Any]:
    import ijson

    start = _Rewound(file)
    begins = keys(start.head)
    in_array = start.head.startswith(b"[")
    fitting = (
        prefix
        for prefix in prefixes
        if (prefix.startswith("item") == in_array) and _is_there(prefix, begins)
    )
    prefix = next(fitting, "item" if in_array else "")
    # Several values may follow each other: one conversation a line.
    yield from ijson.items(start, prefix, use_float=True, multiple_values=True)


def _is_there(prefix: str, begins: Keys) -> bool:
    """Whether what stands before the last `.item` of a prefix is one of the keys."""
    holder = prefix.removesuffix("item").removesuffix(".")
    return not holder or holder in begins


# Half of a pair of escapes, as programs write that cut texts by 16-bit units. No JSON parser takes it.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\(?:(?P<whole>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
# What may go on behind the end of a piece: an escape, or the first of a pair.
_UNFINISHED = re.compile(
    rb"\\+(?:u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u[0-9a-fA-F]{0,3})?)?|u[0-9a-fA-F]{0,3})?\Z"
)
_TAIL_BYTES = 64
_PIECE_BYTES = 2**16


class _Rewound:
    """A stream without byte order mark, whose beginning was looked at, and without halves of characters.

    Members of a zip cannot be wound back cheaply.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
        self._pieces = chain([self.head], iter(lambda: file.read(_PIECE_BYTES), b""))
        self._tail = b""

    def read(self, size: int = -1) -> bytes:
        if not size:
            return b""
        for piece in self._pieces:
            data = self._tail + piece
            unfinished = _UNFINISHED.search(data[-_TAIL_BYTES:])
            end = len(data) - (len(unfinished[0]) if unfinished else 0)
            self._tail = data[end:]
            if end:
                return _whole(data[:end])
        data, self._tail = self._tail, b""
        return _whole(data)


def _whole(data: bytes) -> bytes:
    return _ESCAPE.sub(_mended, data) if _HALF.search(data) else data


def _mended(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["half"] else escape[0]
