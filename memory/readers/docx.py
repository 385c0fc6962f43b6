"""Word documents: the zip's XML read as it stands, with nothing unpacked to disk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnreadableSource
from ..invisible import FEWEST_HIDDEN_WORDS, MARK
from ..records import Document, Item
from .archive import ZIP_MAGIC, member_names, open_zip
from .dates import iso_date
from .plain_text import clean
from .sections import SectionBuilder
from .tables import Cell, number_merged, table_lines
from .zip_xml import DC, DCTERMS, property_text, xml_part

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BODY = "word/document.xml"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)
_CONTENTS_NAME = re.compile(r"toc (?:\d|heading)", re.IGNORECASE)
_NOTES = ("footnote", "endnote")
_BEFORE_A_NOTE = " ("
_BODY_LEVEL = 9


def matches(path: Path, head: bytes) -> bool:
    """A zip with a Word body in it."""
    return head.startswith(ZIP_MAGIC) and BODY in member_names(path)


def read(path: Path) -> Iterator[Item]:
    """One document; Word's heading styles and outline levels make the sections.

    Raises:
        UnreadableSource: the zip or its XML is broken, hostile or too large.
        OSError: it cannot be opened.
    """
    with open_zip(path) as archive:
        body = xml_part(archive, BODY)
        if body is None:
            raise UnreadableSource("a Word document without a body")
        reader = _Reader(
            _styles(xml_part(archive, "word/styles.xml")),
            {kind: _notes(xml_part(archive, f"word/{kind}s.xml"), kind) for kind in _NOTES},
        )
        core = xml_part(archive, "docProps/core.xml")
    builder = SectionBuilder()
    title_line = reader.walk(body, builder)
    yield Document(
        title=property_text(core, DC + "title") or builder.first_title or title_line or path.stem,
        sections=builder.sections(),
        author=property_text(core, DC + "creator"),
        date=iso_date(property_text(core, DCTERMS + "created")),
    )


@dataclass(frozen=True)
class _Style:
    """What a style says of its paragraphs: a heading's level (0 is the title, None no heading), that they are
    of a table of contents, that nobody sees them."""

    level: int | None = None
    is_contents: bool = False
    is_hidden: bool = False


def _styles(root: "Element | None") -> dict[str, _Style]:
    """By style id; the built-in names are English in every language's Word."""
    styles: dict[str, _Style] = {}
    for style in root.iter(_W + "style") if root is not None else []:
        name = _value(style, "name")
        heading = _HEADING_NAME.fullmatch(name)
        level = int(heading[1]) if heading else _outline_level(style.find(_W + "pPr"))
        styles[style.get(_W + "styleId", "")] = _Style(
            0 if name.lower() == "title" else level,
            _CONTENTS_NAME.fullmatch(name) is not None,
            _says_hidden(style),
        )
    return styles


def _notes(root: "Element | None", kind: str) -> dict[str, "Element"]:
    """By id; some are no notes, but the lines above them."""
    return {
        note.get(_W + "id", ""): note
        for note in (root.iter(_W + kind) if root is not None else ())
        if note.get(_W + "type", "normal") == "normal"
    }


class _Reader:
    def __init__(self, styles: dict[str, _Style], notes: dict[str, dict[str, "Element"]]) -> None:
        self._styles = styles
        self._notes = notes

    def walk(self, root: "Element", builder: SectionBuilder) -> str:
        """Takes paragraphs and tables in order; gives the line in the style Title, if any."""
        title = ""
        for block in _blocks(root):
            if block.tag == _W + "tbl":
                self._take_table(block, builder)
                continue
            properties = block.find(_W + "pPr")
            style = self._style(properties, "pStyle")
            if style.is_contents:
                continue
            text = self._text(block)
            level = _outline_level(properties)
            level = style.level if level is None else level
            if level == 0:
                title = title or text
            elif level:
                builder.heading(level, text)
            elif _is_item(properties):
                builder.line(text)
            else:
                builder.block(text)
        return title

    def _style(self, properties: "Element | None", kind: str) -> _Style:
        return self._styles.get(_value(properties, kind), _Style())

    def _text(self, element: "Element") -> str:
        """The text that is shown, with notes behind the place they are set at: not what was deleted, not what old
        programs would show instead. What nobody sees is marked, if it is more than a word or two."""
        parts: list[str] = []
        n_hidden_words = 0
        stack: list[Element | str] = [element]
        while stack:
            part = stack.pop()
            if isinstance(part, str):
                parts.append(part)
                continue
            tag = part.tag.removeprefix(_W)
            if tag == "r" and self._is_hidden(part):
                parts.append(MARK)
                n_hidden_words += sum(len((t.text or "").split()) for t in part.iter(_W + "t"))
            if tag == "t":
                text = part.text or ""
                parts.append(text.lstrip() if parts[-1:] == [_BEFORE_A_NOTE] else text)
            elif tag == "tab":
                parts.append(" ")
            elif tag in ("br", "cr"):
                parts.append("\n")
            elif tag == "noBreakHyphen":
                parts.append("-")
            elif tag in ("pPr", "rPr", "del") or part.tag == _FALLBACK:
                continue
            elif note := self._notes.get(tag.removesuffix("Reference"), {}).pop(
                part.get(_W + "id", ""), None
            ):
                stack += (")", note, _BEFORE_A_NOTE)
            if tag == "p" and part is not element and parts[-1:] != [_BEFORE_A_NOTE]:
                parts.append("\n")
            stack.extend(reversed(part))
        text = clean("".join(parts))
        if n_hidden_words < FEWEST_HIDDEN_WORDS:
            text = text.replace(MARK, "")
        lines = (" ".join(line.split()) for line in text.split("\n"))
        return "\n".join(line for line in lines if line)

    def _is_hidden(self, run: "Element") -> bool:
        properties = run.find(_W + "rPr")
        return _says_hidden(run) or self._style(properties, "rStyle").is_hidden

    def _take_table(self, table: "Element", builder: SectionBuilder) -> None:
        builder.end_list()
        for line in table_lines([self._cells(row) for row in _outermost(table, _W + "tr")]):
            builder.line(line)

    def _cells(self, row: "Element") -> list[Cell]:
        n_before = _value(row.find(_W + "trPr"), "gridBefore")
        cells = [Cell("", number_merged(n_before))] if n_before else []
        for cell in _outermost(row, _W + "tc"):
            properties = cell.find(_W + "tcPr")
            merge = properties.find(_W + "vMerge") if properties is not None else None
            cells.append(
                Cell(
                    " ".join(self._text(cell).split()),
                    number_merged(_value(properties, "gridSpan")),
                    goes_on=merge is not None and merge.get(_W + "val", "continue") == "continue",
                )
            )
        return cells


def _value(element: "Element | None", name: str) -> str:
    found = element.find(_W + name) if element is not None else None
    return found.get(_W + "val", "") if found is not None else ""


def _outline_level(properties: "Element | None") -> int | None:
    """Of a heading, from 1; the ninth below it is Word's name for the body's text."""
    written = _value(properties, "outlineLvl")
    return int(written) + 1 if written.isdecimal() and int(written) < _BODY_LEVEL else None


def _is_item(properties: "Element | None") -> bool:
    if properties is None:
        return False
    return properties.find(_W + "numPr") is not None or _value(properties, "pStyle").startswith(
        "List"
    )


def _says_hidden(element: "Element") -> bool:
    vanish = element.find(f"{_W}rPr/{_W}vanish")
    return vanish is not None and vanish.get(_W + "val", "1") not in ("0", "false", "off")


def _blocks(root: "Element") -> Iterator["Element"]:
    """Paragraphs and outermost tables; a stack, since the nesting is the file's to choose."""
    stack = [root]
    while stack:
        element = stack.pop()
        if element.tag in (_W + "p", _W + "tbl"):
            yield element
        elif element.tag not in (_FALLBACK, _W + "del"):
            stack.extend(reversed(element))


def _outermost(element: "Element", tag: str) -> Iterator["Element"]:
    """A table in a cell is that cell's text."""
    stack = list(reversed(element))
    while stack:
        part = stack.pop()
        if part.tag == tag:
            yield part
        else:
            stack.extend(reversed(part))
