"""PowerPoint presentations: a section for each slide under its title, with the speaker's notes.

The form is ECMA-376, part 1, chapter 19.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Document, Item
from .archive import ZIP_MAGIC, member_names, open_zip
from .dates import iso_date
from .plain_text import clean
from .sections import SectionBuilder
from .tables import Cell, number_merged, table_lines
from .zip_xml import DC, DCTERMS, property_text, related_parts, relation_id, xml_part

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PRESENTATION = "ppt/presentation.xml"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TITLES = ("title", "ctrTitle")
_BOILERPLATE = ("dt", "ftr", "sldNum", "hdr", "sldImg")


def matches(path: Path, head: bytes) -> bool:
    """A zip with a presentation in it."""
    return head.startswith(ZIP_MAGIC) and PRESENTATION in member_names(path)


def read(path: Path) -> Iterator[Item]:
    """One document; hidden slides, footers and slide numbers are left out.

    Raises:
        UnreadableSource: the zip or its XML is broken, hostile or too large.
        OSError: it cannot be opened.
    """
    builder = SectionBuilder()
    with open_zip(path) as archive:
        core = xml_part(archive, "docProps/core.xml")
        for number, slide in enumerate(_slides(archive), 1):
            _take_slide(archive, slide, number, builder)
    yield Document(
        title=property_text(core, DC + "title") or builder.first_title or path.stem,
        sections=builder.sections(),
        author=property_text(core, DC + "creator"),
        date=iso_date(property_text(core, DCTERMS + "created")),
    )


def _slides(archive: ZipFile) -> list[str]:
    """The members that hold the slides, as they are shown."""
    root = xml_part(archive, PRESENTATION)
    if root is None or root.tag != _P + "presentation":
        raise UnreadableSource("a presentation of an unknown form: save it as .pptx anew")
    parts = related_parts(archive, PRESENTATION)
    ids = [relation_id(slide) for slide in root.iter(_P + "sldId")]
    return [parts[id_][1] for id_ in ids if id_ in parts]


def _take_slide(archive: ZipFile, part: str, number: int, builder: SectionBuilder) -> None:
    slide = xml_part(archive, part)
    if slide is None or slide.get("show") in ("0", "false"):
        return
    shapes = list(_shapes(slide))
    titles = [" ".join(_text(shape).split()) for shape in shapes if _placeholder(shape) in _TITLES]
    builder.heading(1, next(filter(None, titles), f"Slide {number}"))
    for shape in shapes:
        if _placeholder(shape) not in _TITLES:
            _take_shape(shape, builder)
    notes = [name for kind, name in related_parts(archive, part).values() if kind == "notesSlide"]
    for name in notes:
        root = xml_part(archive, name)
        for shape in _shapes(root) if root is not None else []:
            _take_shape(shape, builder)


def _shapes(root: "Element") -> Iterator["Element"]:
    """Shapes and tables in the order in which they lie, those of groups among them."""
    stack = [root]
    while stack:
        element = stack.pop()
        if element.tag in (_P + "sp", _P + "graphicFrame"):
            if _placeholder(element) not in _BOILERPLATE:
                yield element
        elif element.tag != _FALLBACK:
            stack.extend(reversed(element))


def _placeholder(shape: "Element") -> str:
    found = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return found.get("type", "body") if found is not None else ""


def _take_shape(shape: "Element", builder: SectionBuilder) -> None:
    builder.end_list()
    for table in shape.iter(_A + "tbl"):
        rows = [
            [
                Cell(
                    " ".join(_text(cell).split()),
                    number_merged(cell.get("gridSpan")),
                    goes_on=cell.get("vMerge") in ("1", "true"),
                )
                for cell in row.iter(_A + "tc")
                if cell.get("hMerge") not in ("1", "true")
            ]
            for row in table.iter(_A + "tr")
        ]
        for line in table_lines(rows):
            builder.line(line)
    if shape.tag == _P + "sp":
        for line in _text(shape).split("\n"):
            builder.line(line)
    builder.end_list()


def _text(shape: "Element") -> str:
    lines = []
    for paragraph in shape.iter(_A + "p"):
        parts = [
            "\n" if part.tag == _A + "br" else part.text or ""
            for part in paragraph.iter()
            if part.tag in (_A + "t", _A + "br")
        ]
        lines.append(" ".join(clean("".join(parts)).split()))
    return "\n".join(filter(None, lines))
