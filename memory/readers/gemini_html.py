"""Google Takeout's `MyActivity.html` of Gemini Apps, which is what Takeout gives unless told otherwise."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .plain_text import decode, load_bytes
from .worded_dates import moment_in_words

PRODUCT = r"(?<![A-Za-z])(?:Gemini|Bard)(?![A-Za-z])"
_TITLE = re.compile(rb'class="mdl-typography--title">[^<]{0,60}' + PRODUCT.encode())
_LONGEST_DATE = 60
_COUNTED = re.compile(
    r"\n(?:Attached )?\d+ (?:attach|file|generated)[^\n]{0,40}(?:\n- [^\n]*)*\s*$"
)


class Activity(NamedTuple):
    """A prompt as it stands there, its moment, and its answers in HTML."""

    written: str
    moment: str | None
    answers: tuple[str, ...]


def is_page(path: Path, head: bytes) -> bool:
    """A page of activities, with Gemini among them; a long style sheet may stand before the first."""
    if not head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or b"mdl-" not in head:
        return False
    with path.open("rb") as file:
        before = b""
        for block in iter(lambda: file.read(2**20), b""):
            if _TITLE.search(before + block):
                return True
            before = block[-200:]
    return False


def activities(path: Path) -> Iterator[Activity]:
    """Those with Gemini.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    from lxml.html import fromstring

    for activity in fromstring(decode(load_bytes(path))).find_class("outer-cell"):
        titles = activity.find_class("mdl-typography--title")
        cells = activity.find_class("content-cell")
        if titles and cells and re.search(PRODUCT, titles[0].text_content()):
            yield _activity(cells[0])


def _activity(cell: Any) -> Activity:
    """What stands before the line with the date was asked, what comes after it was answered."""
    from lxml import html

    asked, answered, moment = [cell.text or ""], [], None
    for child in cell:
        tail, child.tail = child.tail or "", None
        if moment:
            answered += [html.tostring(child, encoding="unicode"), tail]
            continue
        asked.append("\n" if child.tag == "br" else child.text_content())
        is_date = child.tag == "br" and len(tail.strip()) <= _LONGEST_DATE
        moment = moment_in_words(tail) if is_date else None
        if not moment:
            asked.append(tail)
    return Activity(_COUNTED.sub("", "".join(asked)), moment, ("".join(answered),))
