"""HTML: the main text of a page, through trafilatura, with the headings that it stands under."""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..invisible import FEWEST_HIDDEN_WORDS, MARK
from ..records import Document, Item
from .dates import iso_date
from .html_headings import HEADING_LEVELS, headings_by_opening, opening
from .plain_text import clean, decode, load_bytes
from .sections import SectionBuilder
from .tables import row_line

_SNIFFED_BYTES = 4096
_OPENINGS = ("<!doctype html", "<html", "<head>", "<head ", "<body>", "<body ")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{2,20})", re.IGNORECASE)
_PASSED_OVER = ("code", "del", "graphic", "head", "pre", "script", "style", "template", "title")
_HIDDEN = re.compile(
    r"(?i)display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden"
    r"|(?:font-size|opacity)\s{0,3}:\s{0,3}0(?![.\d]*[1-9])"
)
_AUTHOR_NAMES = ("author", "dc.creator", "dcterms.creator", "article:author")
_DATE_NAMES = ("article:published_time", "date", "dc.date", "dcterms.date", "dcterms.created")


def matches(path: Path, head: bytes) -> bool:
    """It opens as a page does, after comments and an XML declaration; or its name says so."""
    text = head[:_SNIFFED_BYTES].decode("utf-8", errors="ignore").lstrip("\ufeff \t\r\n").lower()
    while text.startswith(("<!--", "<?xml")):
        _, found, text = text.partition("-->" if text.startswith("<!--") else "?>")
        text = text.lstrip()
        if not found:
            break
    return text.startswith(_OPENINGS) or path.suffix.lower() in (".html", ".htm", ".xhtml")


def read(path: Path) -> Iterator[Item]:
    """One document; menus, footers and code are left out.

    Raises:
        UnreadableSource: too large, in an unknown character set, or no HTML that can be parsed.
        OSError: it cannot be opened.
    """
    page = _parsed(load_bytes(path))
    builder = SectionBuilder()
    # Whatever a parser of wild HTML stumbles over belongs to the file, not to the program.
    try:
        _Walk(builder, headings_by_opening(page)).take(_main_text(page))
    except (ValueError, TypeError, AttributeError, RecursionError, AssertionError) as error:
        raise UnreadableSource("not HTML that can be taken apart") from error
    title = " ".join(clean(page.findtext(".//title") or "").split())
    yield Document(
        title=title or builder.first_title or path.stem,
        sections=builder.sections(),
        author=_meta(page, _AUTHOR_NAMES),
        date=iso_date(_meta(page, _DATE_NAMES)),
    )


def _parsed(data: bytes) -> Any:
    from trafilatura import load_html

    declared = _CHARSET.search(data[:_SNIFFED_BYTES])
    markup = decode(data, declared[1].decode() if declared else None)
    page = load_html(markup)
    if page is None:  # trafilatura mistrusts a piece of a page
        page = load_html(f"<html><body>{markup}</body></html>")
    if page is None:
        raise UnreadableSource("no text in the HTML")
    _drop_readings(page)
    for element in page.iter():
        if element.get("hidden") is not None or _HIDDEN.search(element.get("style") or ""):
            _mark(element)
    return page


def _drop_readings(page: Any) -> None:
    """How letters are read stands beside them, and would stand in the middle of a sentence."""
    from lxml import etree

    etree.strip_elements(page, "rt", "rp", with_tail=False)
    etree.strip_tags(page, "ruby", "rb")


def _mark(element: Any) -> None:
    """Mark the words of an element that no reader of the page sees, and let them be read."""
    if len("".join(element.itertext()).split()) < FEWEST_HIDDEN_WORDS:
        return
    for part in element.iter():
        for name in ("hidden", "style"):
            part.attrib.pop(name, None)
        if part.text and part.text.strip():
            part.text = MARK + part.text.lstrip()


def _main_text(page: Any) -> Any:
    """trafilatura's tree of the main text; the whole page as it is where it finds none."""
    from trafilatura import bare_extraction

    found: Any = bare_extraction(deepcopy(page), favor_recall=True, include_comments=False)
    if found is not None and found.body is not None and "".join(found.body.itertext()).strip():
        return found.body
    return page


def _meta(page: Any, names: tuple[str, ...]) -> str | None:
    for meta in page.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").lower()
        value = " ".join(clean(meta.get("content") or "").split())
        if name in names and value and not value.startswith("http"):
            return value
    return None


class _Walk:
    """Takes trafilatura's elements in order into sections."""

    def __init__(self, builder: SectionBuilder, headings: dict[str, list[tuple[int, str]]]) -> None:
        self._builder = builder
        self._headings = headings
        self._shown: set[str] = set()

    def take(self, element: Any) -> None:
        for child in element:
            if child.tag in HEADING_LEVELS:
                self._take_heading(HEADING_LEVELS[child.tag], _text(child))
            elif child.tag == "head" and element.tag != "html":
                self._take_heading(HEADING_LEVELS.get(child.get("rend", ""), 2), _text(child))
            elif child.tag == "list":
                self._builder.end_list()
                self._take_list(child)
            elif child.tag == "table":
                self._builder.end_list()
                self._take_table(child)
            elif child.tag == "p":
                self._take_block(_text(child))
            elif child.tag not in _PASSED_OVER and isinstance(child.tag, str):
                self._take_block(clean(child.text or ""))
                self.take(child)
            self._take_block(clean(child.tail or ""))

    def _take_heading(self, level: int, text: str) -> None:
        text = text.strip(" ¶#§")
        self._shown.add(text)
        self._builder.heading(level, text)

    def _take_block(self, text: str) -> None:
        text = "\n".join(line for line in (x.strip() for x in text.split("\n")) if line)
        if text:
            self._restore_headings(text)
            self._builder.block(text)

    def _restore_headings(self, text: str) -> None:
        """trafilatura drops all headings of some pages; what follows them finds them again."""
        for level, heading in self._headings.pop(opening(text), []):
            if heading not in self._shown:
                self._take_heading(level, heading)

    def _take_list(self, element: Any) -> None:
        for item in element.iter("item"):
            text = " ".join(_text(item).split())
            self._restore_headings(text)
            self._builder.line(text)

    def _take_table(self, table: Any) -> None:
        columns: list[str] = []
        for position, row in enumerate(table.iter("row")):
            cells = [" ".join(_text(cell).split()) for cell in row.iter("cell")]
            is_head = all(cell.get("role") == "head" for cell in row.iter("cell"))
            if position == 0 and is_head and len(cells) > 1:
                columns = cells
            else:
                self._builder.line(row_line(columns, cells))


def _text(element: Any) -> str:
    """The element's own text: line breaks kept, nested lists and struck-out text left out."""
    parts = [" ".join((element.text or "").split("\n"))]
    for child in element:
        if child.tag == "lb":
            parts.append("\n")
        elif child.tag not in ("list", "del", "graphic", "table"):
            parts.append(_text(child))
        parts.append(" ".join((child.tail or "").split("\n")))
    return clean("".join(parts))
