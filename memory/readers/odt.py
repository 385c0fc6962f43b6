"""OpenDocument texts, as LibreOffice writes them.

The form is OASIS OpenDocument 1.3: https://docs.oasis-open.org/office/OpenDocument/v1.3/
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..invisible import FEWEST_HIDDEN_WORDS, MARK
from ..records import Document, Item
from .archive import ZIP_MAGIC, member_names, open_zip
from .dates import iso_date
from .plain_text import clean
from .sections import SectionBuilder
from .tables import Cell, number_merged, table_lines
from .zip_xml import DC, property_text, xml_part

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NAMES = "{urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE = _NAMES + "text:1.0}", _NAMES + "table:1.0}"
_META, _OFFICE = _NAMES + "meta:1.0}", _NAMES + "office:1.0}"
_STYLE = _NAMES + "style:1.0}"
_MANIFEST = _NAMES + "manifest:1.0}"
_MIMETYPE = b"application/vnd.oasis.opendocument.text"
# What was deleted, what others remarked, and lists that repeat the headings.
_UNSEEN = {
    _TEXT + name
    for name in (
        "tracked-changes",
        "table-of-content",
        "alphabetical-index",
        "sequence-decls",
        "variable-decls",
        "note-citation",
    )
} | {_OFFICE + "annotation", _OFFICE + "forms"}
_MOST_SPACES = 100


def matches(path: Path, head: bytes) -> bool:
    """A zip that says so in its first member, or has a content and the name."""
    if not head.startswith(ZIP_MAGIC):
        return False
    if b"mimetype" + _MIMETYPE in head[:200]:
        return b"mimetype" + _MIMETYPE + b"-master" not in head[:200]
    return path.suffix.lower() in (".odt", ".ott") and "content.xml" in member_names(path)


def read(path: Path) -> Iterator[Item]:
    """One document; its headings make the sections.

    Raises:
        UnreadableSource: the zip or its XML is broken, hostile, too large or encrypted.
        OSError: it cannot be opened.
    """
    builder = SectionBuilder()
    with open_zip(path) as archive:
        _refuse_encrypted(archive)
        meta = xml_part(archive, "meta.xml")
        content = xml_part(archive, "content.xml")
    body = content.find(f"{_OFFICE}body/{_OFFICE}text") if content is not None else None
    if body is None:
        raise UnreadableSource("an OpenDocument file without a text")
    title = _walk(body, _title_styles(content), _hidden_styles(content), builder)
    author = property_text(meta, _META + "initial-creator") or property_text(meta, DC + "creator")
    date = property_text(meta, _META + "creation-date") or property_text(meta, DC + "date")
    yield Document(
        title=property_text(meta, DC + "title") or title or builder.first_title or path.stem,
        sections=builder.sections(),
        author=author,
        date=iso_date(date),
    )


def _refuse_encrypted(archive: ZipFile) -> None:
    manifest = xml_part(archive, "META-INF/manifest.xml")
    if manifest is not None and manifest.find(f".//{_MANIFEST}encryption-data") is not None:
        raise UnreadableSource("an OpenDocument file protected by a password")


def _title_styles(content: "Element | None") -> set[str]:
    """The style Title, and what a writer changed about it."""
    styles = content.iter(_STYLE + "style") if content is not None else ()
    changed = {
        style.get(_STYLE + "name", "")
        for style in styles
        if style.get(_STYLE + "parent-style-name") == "Title"
    }
    return {"Title", *changed}


def _hidden_styles(content: "Element | None") -> set[str]:
    styles = content.iter(_STYLE + "style") if content is not None else ()
    return {
        style.get(_STYLE + "name", "")
        for style in styles
        if any(part.get(_TEXT + "display") == "none" for part in style)
    }


def _walk(
    body: "Element", title_styles: set[str], hidden_styles: set[str], builder: SectionBuilder
) -> str:
    """Takes headings, paragraphs, lists and tables in order; gives the line in the style Title."""
    title = ""
    stack: list[tuple[Element, bool]] = [(body, False)]
    while stack:
        element, in_list = stack.pop()
        if element.tag in _UNSEEN:
            continue
        if element.tag == _TEXT + "h":
            builder.heading(_level(element), _text(element, hidden_styles))
        elif element.tag == _TEXT + "p":
            text = _text(element, hidden_styles)
            if element.get(_TEXT + "style-name") in title_styles:
                title = title or " ".join(text.split())
            elif in_list:
                builder.line(text)
            else:
                builder.block(text)
        elif element.tag == _TABLE + "table":
            _take_table(element, hidden_styles, builder)
        else:
            is_list = element.tag == _TEXT + "list"
            if is_list and not in_list:
                builder.end_list()
            stack.extend((child, in_list or is_list) for child in reversed(element))
    return title


def _level(heading: "Element") -> int:
    level = heading.get(_TEXT + "outline-level", "1")
    return int(level) if level.isdecimal() and len(level) < 3 else 1


def _text(element: "Element", hidden_styles: set[str]) -> str:
    """What is shown of a paragraph; footnotes stand behind the place they are set at. What nobody sees is marked,
    if it is more than a word or two."""
    parts: list[str] = []
    n_hidden_words = 0
    stack: list[Element | str] = [element]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            parts += [part] if part else []
            continue
        if part is not element:
            stack.append(" ".join((part.tail or "").split("\n")))
        if part.tag in _UNSEEN:
            continue
        if part.get(_TEXT + "style-name") in hidden_styles:
            parts.append(MARK)
            n_hidden_words += len("".join(part.itertext()).split())
        if part.tag == _TEXT + "s":
            count = part.get(_TEXT + "c", "1")
            parts.append(" " * min(int(count) if count.isdecimal() else 1, _MOST_SPACES))
        elif part.tag == _TEXT + "tab":
            parts.append(" ")
        elif part.tag == _TEXT + "line-break":
            parts.append("\n")
        elif part.tag == _TEXT + "note":
            parts.append(" (")
            stack.append(")")
        elif part.tag == _TEXT + "p" and parts and not parts[-1].endswith("("):
            parts.append(" ")
        stack.extend(reversed(part))
        stack.append(" ".join((part.text or "").split("\n")))
    text = clean("".join(parts))
    if n_hidden_words < FEWEST_HIDDEN_WORDS:
        text = text.replace(MARK, "")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _take_table(table: "Element", hidden_styles: set[str], builder: SectionBuilder) -> None:
    builder.end_list()
    rows = [
        [
            Cell(
                " ".join(_text(cell, hidden_styles).split()),
                number_merged(cell.get(_TABLE + "number-columns-spanned")),
                number_merged(cell.get(_TABLE + "number-rows-spanned")),
            )
            for cell in row
            if cell.tag == _TABLE + "table-cell"
        ]
        for row in _rows(table)
    ]
    for line in table_lines(rows):
        builder.line(line)
    builder.end_list()


def _rows(table: "Element") -> Iterator["Element"]:
    """Rows of the table itself: a table in a cell is that cell's text."""
    stack = [table]
    while stack:
        element = stack.pop()
        if element.tag == _TABLE + "table-row":
            yield element
        else:
            stack.extend(reversed(element))
