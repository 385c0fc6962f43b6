"""Items as lines of JSON, for the way from the process that reads to the one that stores.

Plain text on purpose: nothing that comes from a process which met a hostile file is unpickled.
"""

import json
from dataclasses import is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from .records import Conversation, Document, Item

_KINDS: dict[str, type[Item]] = {"Document": Document, "Conversation": Conversation}


def to_line(name: str, value: Any) -> bytes:
    """One named value as one line; records may stand anywhere in it."""
    text = json.dumps({name: value}, default=vars, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def from_line(line: bytes) -> tuple[str, Any]:
    """The name and the value; an item comes back as the record it was.

    Raises:
        ValueError, TypeError: no such line.
    """
    ((name, value),) = json.loads(line.decode("utf-8", "surrogatepass")).items()
    return name, _built(_KINDS[name], value) if name in _KINDS else value


def item_to_line(item: Item) -> bytes:
    return to_line(type(item).__name__, item)


def _built(kind: Any, raw: dict[str, Any]) -> Any:
    for name, member in _tuples(kind).items():
        if name in raw:
            is_record = is_dataclass(member)
            raw[name] = tuple(_built(member, each) if is_record else each for each in raw[name])
    return kind(**raw)


@cache
def _tuples(kind: Any) -> dict[str, Any]:
    """The fields that hold tuples, with the kind of what is in them."""
    return {
        name: get_args(hint)[0]
        for name, hint in get_type_hints(kind).items()
        if get_origin(hint) is tuple
    }
