"""JSON that may be large, value by value."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from .json_faults import describe

_MARK = b"\xef\xbb\xbf"


def items(path: Path, prefix: str) -> Iterator[Any]:
    """The values under `prefix`, such as `messages.item`, in ijson's way of naming.

    Raises:
        UnreadableSource: broken JSON; some values may have come before.
        OSError: it cannot be opened.
    """
    import ijson

    with path.open("rb") as file:
        if file.read(len(_MARK)) != _MARK:
            file.seek(0)
        try:
            yield from ijson.items(file, prefix, use_float=True)
        except ijson.JSONError as error:
            raise UnreadableSource(describe(path, error)) from error


def header(path: Path, until: str) -> dict[str, Any]:
    """The plain values that stand before the key `until`, named by their place: `guild.name`.

    Raises: as `items`.
    """
    import ijson

    found: dict[str, Any] = {}
    with path.open("rb") as file:
        if file.read(len(_MARK)) != _MARK:
            file.seek(0)
        try:
            for prefix, event, value in ijson.parse(file, use_float=True):
                if prefix == until:
                    break
                if event in ("string", "number", "boolean"):
                    found[prefix] = value
        except ijson.JSONError as error:
            raise UnreadableSource(describe(path, error)) from error
    return found
