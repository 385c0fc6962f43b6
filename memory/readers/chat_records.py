"""Chats as records of one form: one a line, an array of them, or a single one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import UnreadableSource
from .json_stream import Keys, values

LONGEST_LINE_BYTES = 64 * 2**20
_MARK = b"\xef\xbb\xbf"


def records(path: Path, known: Callable[[Keys], bool]) -> Iterator[tuple[str, Any]]:
    """Each record, and the place it stands at, such as `line 3`.

    Raises:
        UnreadableSource: broken JSON, by its line. Some records may have come before.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        by_line = _is_by_line(file)
        file.seek(0)
        if by_line:
            for number, line in _numbered_lines(file):
                yield f"line {number}", _parsed(line, number)
            return
    for number, value in enumerate(values(path, ("item", ""), known), start=1):
        yield f"record {number}", value


def _is_by_line(file: IO[bytes]) -> bool:
    """Its first line that is not empty is whole, and no array of objects that end with it."""
    for line in iter(lambda: file.readline(LONGEST_LINE_BYTES), b""):
        first = line.removeprefix(_MARK).strip()
        if first:
            if first.startswith(b"["):
                return first.endswith(b"]") and bool(file.read(4096).strip())
            return first.endswith(b"}")
    return False


def _numbered_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if len(line) > LONGEST_LINE_BYTES:
            raise UnreadableSource(f"line {number} is longer than {LONGEST_LINE_BYTES >> 20} MB")
        if line.strip():
            yield number, line.rstrip()


def _parsed(line: bytes, number: int) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        reason = f"broken JSON: {error.msg} at line {number} column {error.colno}"
        raise UnreadableSource(reason) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadableSource(f"broken JSON at line {number}") from error
