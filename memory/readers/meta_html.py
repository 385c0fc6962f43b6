"""A chat in Meta's downloads as a page, `message_1.html`, which is what one gets unless told otherwise."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .plain_text import decode, load_bytes
from .talk import name
from .worded_dates import moment_in_words

# Meta's pages of posts, likes and all else have the same classes.
_NAME = re.compile(r".*message_\d+.*\.html?", re.IGNORECASE)
# A message, who says it, its words and its date: today, and until 2021.
_CLASSES = (("_a6-g", "_a6-h", "_a6-p", "_a6-o"), ("_2lej", "_2lek", "_2let", "_2lem"))
_SEARCHED_BYTES = 2**20  # a style sheet stands before the first
_BLOCKS = ("div", "br", "p", "li", "section")


class PageMessage(NamedTuple):
    speaker: str
    text: str
    moment: str | None


def is_page(path: Path) -> bool:
    """Whether it is called as a chat's page is, and has Meta's classes for a message."""
    if not _NAME.fullmatch(path.name):
        return False
    with path.open("rb") as file:
        start = file.read(_SEARCHED_BYTES)
    return any(all(each.encode() in start for each in classes) for classes in _CLASSES)


def page(path: Path) -> tuple[str, list[PageMessage]]:
    """The title of a chat's page and its messages, in the order of time.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    from lxml.html import fromstring

    tree = fromstring(decode(load_bytes(path)))
    messages = list(_messages(tree))
    moments = [message.moment for message in messages if message.moment]
    if moments and moments[0] > moments[-1]:
        messages.reverse()
    return name(tree.findtext(".//title")), messages


def _messages(tree: Any) -> Iterator[PageMessage]:
    for classes in _CLASSES:
        for block in tree.find_class(classes[0]):
            speakers, words, dates = map(block.find_class, classes[1:])
            if words and dates and not words[0].find_class(classes[0]):
                speaker = name(speakers[0].text_content()) if speakers else ""
                moment = moment_in_words(name(dates[-1].text_content()))
                yield PageMessage(speaker, _text(words[0]), moment)


def _text(words: Any) -> str:
    """What was written stands in the second of the boxes; what was sent, shared and thought of it follow."""
    for reactions in words.findall(".//ul"):
        reactions.drop_tree()
    boxes = list(words[0]) if len(words) else []
    said = boxes[1] if len(boxes) > 1 and {box.tag for box in boxes} == {"div"} else words
    for element in said.iter(*_BLOCKS):
        element.tail = "\n" + (element.tail or "")
    return re.sub(r"\s*\n\s*\n\s*", "\n", str(said.text_content())).strip()
