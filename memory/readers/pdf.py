"""PDF: the text of its pages, re-flowed, without what repeats on them."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Document, Item, Section
from .dates import iso_from_pdf
from .plain_text import clean

MOST_CHARACTERS = 64 * 2**20
_MAY_COPY = 1 << 4  # bit 5 of the permissions in ISO 32000, table 22
_PAGE_NUMBER = re.compile(
    r"(?:page\s+)?[-–—|]?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*(?:(?:of|/)\s*\d{1,4})?\s*[-–—|]?",
    re.IGNORECASE,
)
_PAGE_OF = re.compile(r"page \d{1,4}(?: of \d{1,4})?", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_EDGE_LINES = 3
_BULLET = re.compile(r"(?:[-*•‣◦▪●○■–—]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
_MARK_ONLY = re.compile(r"[-*•‣◦▪●○■–—\uf000-\uf0ff]")
_UNTITLED = re.compile(
    r"\(?anonymous\)?|unknown|untitled.*|microsoft word - .*|"
    r".*\.(?:docx?|pdf|tex|dvi|odt|indd|xlsx?)",
    re.IGNORECASE,
)


def matches(path: Path, head: bytes) -> bool:
    """The mark may stand a little inside, as Acrobat allows."""
    return b"%PDF-" in head[:1024]


def read(path: Path) -> Iterator[Item]:
    """One document of one section.

    Raises:
        UnreadableSource: damaged, protected against copying, or pictures of pages.
        OSError: it cannot be opened.
    """
    from pypdfium2 import PdfDocument, PdfiumError

    path.open("rb").close()  # PDFium reports every file it cannot open as damaged
    try:
        pdf = PdfDocument(path)
    except PdfiumError as error:
        raise UnreadableSource(_fault(str(error))) from error
    try:
        _refuse_protected(pdf)
        pages = list(_pages(pdf))
        metadata = _metadata(pdf)
    except PdfiumError as error:
        raise UnreadableSource(_fault(str(error))) from error
    finally:
        pdf.close()
    text = reflow_pages(pages)
    if not text:
        raise UnreadableSource("no text in the PDF: probably pictures of scanned pages")
    yield Document(
        title=_named(metadata, "Title") or path.stem,
        sections=(Section("", text),),
        author=_named(metadata, "Author"),
        date=iso_from_pdf(metadata.get("CreationDate", "")),
    )


def _metadata(pdf: Any) -> dict[str, str]:
    found = {}
    for field in ("Title", "Author", "CreationDate"):
        # A title of broken UTF-16 is no reason to refuse the text.
        with suppress(UnicodeDecodeError):
            found[field] = pdf.get_metadata_value(field)
    return found


def _named(metadata: dict[str, str], field: str) -> str | None:
    """A field that a person filled in, not a program."""
    value = " ".join(clean(metadata.get(field, "")).split())
    return None if not value or _UNTITLED.fullmatch(value) else value


def _fault(message: str) -> str:
    inner = re.search(r"PDFium: (.*?)\.?\)", message)
    fault = inner[1] if inner else message
    if "password" in fault.lower():
        return "a PDF protected by a password"
    return f"not a readable PDF: {fault}"


def _refuse_protected(pdf: Any) -> None:
    from pypdfium2 import raw

    if raw.FPDF_GetSecurityHandlerRevision(pdf) < 0:  # not encrypted at all
        return
    if not raw.FPDF_GetDocPermissions(pdf) & _MAY_COPY:
        raise UnreadableSource("a PDF protected against copying")


def _pages(pdf: Any) -> Iterator[list[str]]:
    n_characters = 0
    for page in pdf:
        text_page = page.get_textpage()
        text = text_page.get_text_bounded()
        text_page.close()
        page.close()
        n_characters += len(text)
        if n_characters > MOST_CHARACTERS:
            raise UnreadableSource(f"a PDF with more than {MOST_CHARACTERS >> 20} million letters")
        # PDFium puts U+FFFE (or U+0002) where a word is hyphenated at a line's end.
        text = re.sub("[\ufffe\x02]\\s*", "\ufffe", text)
        lines = (" ".join(line.split()) for line in clean(text).split("\n"))
        yield [line for line in lines if line]


def reflow_pages(pages: list[list[str]]) -> str:
    """Pages of lines to paragraphs; headers, footers and page numbers go."""
    lines = _lines(pages, _repeated(pages)) or _lines(pages, set())  # pages may all be the same
    if not lines:
        return ""
    width = sorted(map(len, lines))[len(lines) * 9 // 10]
    out: list[str] = []
    for line, previous in zip(lines, ["", *lines], strict=False):
        if out and _continues(previous, line, width):
            out[-1] = _glued(out[-1], line)
        else:
            out.append(line)
    return "\n\n".join(part.replace("\ufffe", "") for part in out if not _MARK_ONLY.fullmatch(part))


def _lines(pages: list[list[str]], repeated: set[str]) -> list[str]:
    return [line for page in pages for line in _without_edges(page, repeated) if _is_content(line)]


def _is_content(line: str) -> bool:
    """Neither a rule drawn with signs nor a page's number that stands inside the page."""
    if _MARK_ONLY.fullmatch(line):
        return True
    return any(map(str.isalnum, line)) and not _PAGE_OF.fullmatch(line)


def _repeated(pages: list[list[str]]) -> set[str]:
    """Lines at the edges that stand on most pages, whatever the numbers in them."""
    if len(pages) < 3:
        return set()
    counts = Counter(shape for page in pages for shape in {_shape(x) for x in _edges(page)})
    return {shape for shape, n in counts.items() if n * 2 > len(pages)}


def _edges(page: list[str]) -> list[str]:
    return page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line)


def _without_edges(page: list[str], repeated: set[str]) -> list[str]:
    last = len(page) - _EDGE_LINES
    return [
        line
        for position, line in enumerate(page)
        if not (
            (position < _EDGE_LINES or position >= last)
            and (_shape(line) in repeated or _PAGE_NUMBER.fullmatch(line))
        )
    ]


def _continues(previous: str, line: str, width: int) -> bool:
    """Whether `line` goes on with the paragraph of the line before it."""
    if _MARK_ONLY.fullmatch(previous) or previous.endswith("\ufffe"):
        return True
    if _BULLET.match(line) or _MARK_ONLY.fullmatch(line):
        return False
    if line[0].islower() or line[0] in ",;.)" or previous.endswith(","):
        return True
    is_full = len(previous) > width * 0.75
    return is_full and width >= 30


def _glued(paragraph: str, line: str) -> str:
    if paragraph.endswith("\ufffe"):
        return paragraph[:-1] + line
    if re.search(r"[a-z]-$", paragraph) and line[0].islower():
        return paragraph[:-1] + line
    return f"{paragraph} {line}"
