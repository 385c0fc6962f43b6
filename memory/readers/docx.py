"""Word documents: the zip's XML read as it stands, with nothing unpacked to disk."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnreadableSource
from ..records import Document, Item
from .archive import ZIP_MAGIC, member_names, open_zip
from .dates import iso_date
from .plain_text import clean
from .sections import SectionBuilder
from .tables import row_line
from .zip_xml import DC, DCTERMS, property_text, xml_part

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BODY = "word/document.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)


def matches(path: Path, head: bytes) -> bool:
    """A zip with a Word body in it."""
    return head.startswith(ZIP_MAGIC) and BODY in member_names(path)


def read(path: Path) -> Iterator[Item]:
    """One document; Word's heading styles make the sections.

    Raises:
        UnreadableSource: the zip or its XML is broken, hostile or too large.
        OSError: it cannot be opened.
    """
    with open_zip(path) as archive:
        body = xml_part(archive, BODY)
        if body is None:
            raise UnreadableSource("a Word document without a body")
        levels = _heading_levels(xml_part(archive, "word/styles.xml"))
        core = xml_part(archive, "docProps/core.xml")
    builder = SectionBuilder()
    title_line = _walk(body, levels, builder)
    yield Document(
        title=property_text(core, DC + "title") or builder.first_title or title_line or path.stem,
        sections=builder.sections(),
        author=property_text(core, DC + "creator"),
        date=iso_date(property_text(core, DCTERMS + "created")),
    )


def _heading_levels(styles: "Element | None") -> dict[str, int]:
    """Level by style id; the built-in names are English in every language's Word. 0 is a title."""
    levels: dict[str, int] = {}
    for style in styles.iter(_W + "style") if styles is not None else []:
        name = style.find(_W + "name")
        written = name.get(_W + "val", "") if name is not None else ""
        found = _HEADING_NAME.fullmatch(written)
        style_id = style.get(_W + "styleId", "")
        if found:
            levels[style_id] = int(found[1])
        elif written.lower() == "title":
            levels[style_id] = 0
    return levels


def _walk(root: "Element", levels: dict[str, int], builder: SectionBuilder) -> str:
    """Takes paragraphs and tables in order; gives the line in the style Title, if any."""
    title = ""
    for block in _blocks(root):
        if block.tag == _W + "tbl":
            _take_table(block, builder)
            continue
        text = _text(block)
        style, is_item = _style(block)
        level = levels.get(style)
        if level == 0:
            title = title or text
        elif level:
            builder.heading(level, text)
        elif is_item:
            builder.line(text)
        else:
            builder.block(text)
    return title


def _blocks(root: "Element") -> Iterator["Element"]:
    """Paragraphs and outermost tables; a stack, since the nesting is the file's to choose."""
    stack = [root]
    while stack:
        element = stack.pop()
        if element.tag in (_W + "p", _W + "tbl"):
            yield element
        elif element.tag not in (_FALLBACK, _W + "del"):
            stack.extend(reversed(element))


def _style(paragraph: "Element") -> tuple[str, bool]:
    properties = paragraph.find(_W + "pPr")
    if properties is None:
        return "", False
    style = properties.find(_W + "pStyle")
    name = style.get(_W + "val", "") if style is not None else ""
    return name, properties.find(_W + "numPr") is not None or name.startswith("List")


def _text(element: "Element") -> str:
    """The text that is shown: not what was deleted, not what old programs would show instead."""
    parts: list[str] = []
    stack = [element]
    while stack:
        part = stack.pop()
        if part.tag == _W + "t":
            parts.append(part.text or "")
        elif part.tag == _W + "tab":
            parts.append(" ")
        elif part.tag in (_W + "br", _W + "cr"):
            parts.append("\n")
        elif part.tag == _W + "noBreakHyphen":
            parts.append("-")
        elif part.tag == _W + "pPr" or part.tag in (_FALLBACK, _W + "del"):
            continue
        if part.tag == _W + "p" and part is not element:
            parts.append("\n")
        stack.extend(reversed(part))
    lines = (" ".join(line.split()) for line in clean("".join(parts)).split("\n"))
    return "\n".join(line for line in lines if line)


def _take_table(table: "Element", builder: SectionBuilder) -> None:
    builder.end_list()
    rows = [
        [_cell(cell) for cell in _outermost(row, _W + "tc")] for row in _outermost(table, _W + "tr")
    ]
    columns = rows[0] if len(rows) > 1 and len(rows[0]) > 1 else []
    for cells in rows[1:] if columns else rows:
        builder.line(row_line(columns, cells))


def _cell(cell: "Element") -> str:
    return " ".join(_text(cell).split())


def _outermost(element: "Element", tag: str) -> Iterator["Element"]:
    """A table in a cell is that cell's text."""
    stack = list(reversed(element))
    while stack:
        part = stack.pop()
        if part.tag == tag:
            yield part
        else:
            stack.extend(reversed(part))
