"""Excel workbooks: a section for each sheet, a line for each row, as the person sees the cells.

Of formulas there is the value that Excel worked out last. The form is ECMA-376, part 1, chapter 18:
https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Document, Item
from .archive import ZIP_MAGIC, member_names, open_zip
from .dates import iso_date
from .plain_text import LARGEST_TEXT_BYTES, clean
from .sections import SectionBuilder
from .tables import sheet_lines
from .zip_xml import (
    DC,
    DCTERMS,
    property_text,
    related_parts,
    relation_id,
    resolve,
    xml_elements,
    xml_part,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

WORKBOOK = "xl/workbook.xml"
_LARGEST_SHEET_BYTES = 2**30
_MOST_COLUMNS = 16_384
_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_BUILT_IN_PERCENTS = {9, 10}
# Not part of a number's form: text in quotes or after a backslash, colours, languages, fillers.
_FORM_NOISE = re.compile(r'"[^"]*"|\\.|\[[^\]hms]*\]|_.|\*.')


def matches(path: Path, head: bytes) -> bool:
    """A zip with a workbook in it."""
    return head.startswith(ZIP_MAGIC) and WORKBOOK in member_names(path)


def read(path: Path) -> Iterator[Item]:
    """One document; hidden sheets are left out.

    Raises:
        UnreadableSource: the zip or its XML is broken, hostile or too large.
        OSError: it cannot be opened.
    """
    builder = SectionBuilder()
    with open_zip(path) as archive:
        core = xml_part(archive, "docProps/core.xml")
        book = _Workbook(archive)
        n_letters = 0
        for name, part in book.sheets:
            builder.heading(1, clean(name))
            for line in sheet_lines(book.rows(part)):
                n_letters += len(line)
                if n_letters > LARGEST_TEXT_BYTES:
                    raise UnreadableSource("a workbook with more text than anybody wrote")
                builder.block(line)
    yield Document(
        title=property_text(core, DC + "title") or path.stem,
        sections=builder.sections(),
        author=property_text(core, DC + "creator"),
        date=iso_date(property_text(core, DCTERMS + "created")),
    )


class _Workbook:
    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        root = xml_part(archive, WORKBOOK)
        if root is None or root.tag != _S + "workbook":
            raise UnreadableSource("a workbook of an unknown form: save it as .xlsx anew")
        parts = related_parts(archive, WORKBOOK)
        self.sheets = [
            (sheet.get("name", ""), parts[relation_id(sheet)][1])
            for sheet in root.iter(_S + "sheet")
            if sheet.get("state", "visible") == "visible"
            and parts.get(relation_id(sheet), ("",))[0] == "worksheet"
        ]
        by_kind = dict(parts.values())
        self._shared = self._shared_strings(by_kind.get("sharedStrings", ""))
        self._forms = self._number_forms(by_kind.get("styles", resolve(WORKBOOK, "styles.xml")))
        settings = root.find(_S + "workbookPr")
        from_1904 = settings is not None and settings.get("date1904") in ("1", "true")
        self._epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)

    def rows(self, part: str) -> Iterator[list[str]]:
        for row in xml_elements(self._archive, part, _LARGEST_SHEET_BYTES, _S + "row"):
            cells: list[str] = []
            for cell in row.iter(_S + "c"):
                column = _column(cell.get("r", ""), len(cells))
                cells.extend([""] * (column - len(cells)))
                cells.append(clean(self._shown(cell)))
            yield cells

    def _shared_strings(self, part: str) -> list[str]:
        if part not in self._archive.namelist():
            return []
        strings = xml_elements(self._archive, part, _LARGEST_SHEET_BYTES, _S + "si")
        return [_written(string) for string in strings]

    def _number_forms(self, part: str) -> list[str]:
        """`date`, `percent` or nothing for each cell format."""
        styles = xml_part(self._archive, part)
        if styles is None:
            return []
        codes = {
            form.get("numFmtId"): form.get("formatCode", "") for form in styles.iter(_S + "numFmt")
        }
        formats = styles.find(_S + "cellXfs")
        ids = [format_.get("numFmtId", "0") for format_ in formats] if formats is not None else []
        return [_number_form(id_, codes.get(id_, "")) for id_ in ids]

    def _shown(self, cell: "Element") -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _written(cell)
        value = cell.findtext(_S + "v") or ""
        if kind == "s":
            position = int(value) if value.isdecimal() else len(self._shared)
            return self._shared[position] if position < len(self._shared) else ""
        if kind == "b":
            return "yes" if value == "1" else "no"
        if kind == "e":
            return ""
        style = cell.get("s", "0")
        known = style.isdecimal() and int(style) < len(self._forms)
        return (
            self._number(value, self._forms[int(style)] if known else "") if kind == "n" else value
        )

    def _number(self, value: str, form: str) -> str:
        try:
            number = float(value)
            if form == "date":
                return _moment(self._epoch, number)
        except (ValueError, OverflowError):
            return value
        if form == "percent":
            return f"{number * 100:.10g}%"
        return f"{number:.15g}" if abs(number) < 1e15 else value


def _written(string: "Element") -> str:
    """The text of a string without what is only there to say how it is spoken."""
    spoken = {text for run in string.iter(_S + "rPh") for text in run.iter(_S + "t")}
    return "".join(text.text or "" for text in string.iter(_S + "t") if text not in spoken)


def _column(reference: str, following: int) -> int:
    """27 for `AB7`; cells that do not say where they stand follow one another."""
    column = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1 if following < column <= _MOST_COLUMNS else following


def _number_form(id_: str, code: str) -> str:
    number = int(id_) if id_.isdecimal() else 0
    bare = _FORM_NOISE.sub("", code.partition(";")[0]).lower()
    if number in _BUILT_IN_DATES or (bare != "general" and re.search("[ymdhs]", bare)):
        return "date"
    return "percent" if number in _BUILT_IN_PERCENTS or "%" in bare else ""


def _moment(epoch: datetime, days: float) -> str:
    moment = epoch + timedelta(seconds=round(days * 86_400))
    if 0 <= days < 1:
        return moment.strftime("%H:%M:%S").removesuffix(":00")
    return moment.isoformat(" ").removesuffix(" 00:00:00").removesuffix(":00")
