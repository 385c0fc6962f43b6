"""What is called by its beginning, because nobody gave it a title: notes, and chats of many programs.

Such a title is made of a text without secrets, for half a secret is not recognised, and goes with the text.
"""

from collections.abc import Iterable

_LENGTH = 60


def title_of(text: str) -> str:
    """The beginning of a text, cut at a word where it is long."""
    line = " ".join(text.split())
    if len(line) <= _LENGTH:
        return line
    return (line[: _LENGTH + 1].rpartition(" ")[0] or line[:_LENGTH]) + "…"


def left_of(title: str, gone: Iterable[str], left: Iterable[str]) -> str:
    """A title, or, where it is the beginning of what is gone, that of the first that is left."""
    if any(_is_beginning(title, text) for text in gone):
        return next(map(title_of, left), "")
    return title


def _is_beginning(title: str, text: str) -> bool:
    line = " ".join(text.split())
    return line.startswith(title[:-1]) if title.endswith("…") else line == title
