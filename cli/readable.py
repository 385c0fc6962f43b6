"""Text as a person gives it: bytes that are no UTF-8 come as lone surrogates, which nothing can store or show."""

import re
from typing import Any

_UNDECODED = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """The text with a mark in the place of each such byte."""
    return _UNDECODED.sub("\ufffd", text)


def readable_values(values: dict[str, Any]) -> dict[str, Any]:
    """What a command was given, its texts made readable. Paths stay as they are: they name files."""
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    return list(map(_value, value)) if isinstance(value, list) else value
