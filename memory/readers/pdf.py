"""PDF: the text of its pages, re-flowed under its headings, without what repeats on them."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UnreadableSource
from ..records import Document, Item
from .dates import iso_from_pdf
from .plain_text import clean
from .sections import SectionBuilder

MOST_CHARACTERS = 64 * 2**20
_MAY_COPY = 1 << 4  # bit 5 of the permissions in ISO 32000, table 22
_PAGE = r"(?:page|pagina|página|pág\.?|pag\.?|p\.|seite|s\.|strona|str\.?|strana|sida|side|sivu|стр\.?|страница|第)"
_OF = r"(?:of|/|de|di|van|von|sur|av|af|z|ze|из|з|頁?\s?共|页?\s?共)"
_PAGE_NUMBER = re.compile(
    rf"(?:{_PAGE}\s*)?[-–—|]?\s*(?:\d{{1,4}}|[ivxlc]{{1,6}})\s*(?:{_OF}\s*\d{{1,4}})?\s*[-–—|页頁]?",
    re.IGNORECASE,
)
_PAGE_OF = re.compile(rf"{_PAGE}\s?\d{{1,4}}(?:\s?{_OF}\s?\d{{1,4}})?\s?[页頁]?", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_EDGE_LINES = 3
_BULLET = re.compile(r"(?:[-*•‣◦▪●○■–—]|\(?\d{1,2}[.)]|\(?[a-z]\))\s")
_MARK_ONLY = re.compile(r"[-*•‣◦▪●○■–—\uf000-\uf0ff]")
_UNTITLED = re.compile(
    r"\(?anonymous\)?|unknown|untitled.*|microsoft word - .*|"
    r".*\.(?:docx?|pdf|tex|dvi|odt|indd|xlsx?)",
    re.IGNORECASE,
)
_MOST_BOOKMARKS = 10_000
_HEADING_RATIO = 1.15
_LONGEST_HEADING = 120
_FEWEST_LINES_PER_HEADING = 3
_DEEPEST = 3

Place = tuple[int, int]  # number of the page, position of the line on it


class Line(NamedTuple):
    text: str
    size: float  # of its letters, in points


class Bookmark(NamedTuple):
    level: int
    title: str
    page: int


def matches(path: Path, head: bytes) -> bool:
    """The mark may stand a little inside, as Acrobat allows."""
    return b"%PDF-" in head[:1024]


def read(path: Path) -> Iterator[Item]:
    """One document; its sections are those of its bookmarks, else those of its larger lines.

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
        bookmarks = list(_bookmarks(pdf))
        metadata = _metadata(pdf)
    except PdfiumError as error:
        raise UnreadableSource(_fault(str(error))) from error
    finally:
        pdf.close()
    builder = reflow_pages(pages, bookmarks)
    if not builder.has_text():
        raise UnreadableSource("no text in the PDF: probably pictures of scanned pages")
    yield Document(
        title=_named(metadata, "Title") or path.stem,
        sections=builder.sections(),
        author=_named(metadata, "Author"),
        date=iso_from_pdf(metadata.get("CreationDate", "")),
    )


def _bookmarks(pdf: Any) -> Iterator[Bookmark]:
    for found in islice(pdf.get_toc(), _MOST_BOOKMARKS):
        place = found.get_dest()
        page = place.get_index() if place is not None else None
        title = " ".join(clean(found.get_title()).split())
        if page is not None and title:
            yield Bookmark(found.level + 1, title, page)


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


def _pages(pdf: Any) -> Iterator[list[Line]]:
    n_characters = 0
    for page in pdf:
        text_page = page.get_textpage()
        text = text_page.get_text_bounded()
        n_characters += len(text)
        if n_characters > MOST_CHARACTERS:
            raise UnreadableSource(f"a PDF with more than {MOST_CHARACTERS >> 20} million letters")
        sizes = _sizes(text_page)
        text_page.close()
        page.close()
        # PDFium puts U+FFFE (or U+0002) where a word is hyphenated at a line's end.
        text = re.sub("[\ufffe\x02]\\s*", "\ufffe", text)
        lines = (" ".join(line.split()) for line in clean(text).split("\n"))
        yield [
            Line(line, sizes.get(_letters(line.partition("\ufffe")[0]), 0.0))
            for line in lines
            if line
        ]


def _sizes(text_page: Any) -> dict[str, float]:
    """The sizes of lines by their letters: positions count what lies off the page too."""
    sizes = {}
    position = 0
    for line in text_page.get_text_range().split("\n"):
        sizes[_letters(re.split("[\ufffe\x02]", line)[0])] = _size(
            text_page, position + len(line) // 2
        )
        position += len(line) + 1
    return sizes


def _size(text_page: Any, position: int) -> float:
    """How high the letters of a line are; 0 for text that stands upright on the page's edge."""
    from ctypes import byref

    from pypdfium2 import raw

    matrix = raw.FS_MATRIX()
    if not raw.FPDFText_GetMatrix(text_page, position, byref(matrix)):
        return 0.0
    if abs(matrix.b) > abs(matrix.a):
        return 0.0
    size: float = raw.FPDFText_GetFontSize(text_page, position) * abs(matrix.d)
    return round(size * 2) / 2


def reflow_pages(pages: list[list[Line]], bookmarks: list[Bookmark]) -> SectionBuilder:
    """Pages of lines to paragraphs under headings; headers, footers and page numbers go."""
    repeated = _repeated(pages)
    kept = [_without_edges(page, repeated) for page in pages]
    if not any(kept):  # pages may all be the same
        kept = [_without_edges(page, set()) for page in pages]
    kept = [[line for line in page if _is_content(line.text)] for page in kept]
    levels = _bookmarked(kept, bookmarks) or _larger(kept)
    lengths = sorted(len(line.text) for page in kept for line in page)
    width = lengths[len(lengths) * 9 // 10] if lengths else 0
    lines = [
        (levels.get((number, position)), line.text)
        for number, page in enumerate(kept)
        for position, line in enumerate(page)
    ]
    builder = SectionBuilder()
    for level, run in groupby(lines, key=itemgetter(0)):
        texts = [text for _, text in run]
        if level is not None:  # one heading may take two lines
            builder.heading(level, " ".join(texts))
            continue
        for paragraph in _paragraphs(texts, width):
            builder.block(paragraph)
    if lines and lines[-1][0] is not None:  # nothing stands under it, so it is no heading
        builder.block(lines[-1][1])
    return builder


def _bookmarked(pages: list[list[Line]], bookmarks: list[Bookmark]) -> dict[Place, int]:
    """The lines that bookmarks name on the pages they lead to."""
    levels: dict[Place, int] = {}
    for bookmark in bookmarks:
        lines = pages[bookmark.page] if 0 <= bookmark.page < len(pages) else []
        wanted = _letters(bookmark.title)
        for position, line in enumerate(lines):
            following = lines[position + 1].text if position + 1 < len(lines) else ""
            here = _letters(line.text)
            if not wanted or not here or (bookmark.page, position) in levels:
                continue
            if here.endswith(wanted) and len(here) <= len(wanted) + 8:
                levels[bookmark.page, position] = bookmark.level
                break
            if len(here) * 3 > len(wanted) and _letters(line.text + following) == wanted:
                levels[bookmark.page, position] = levels[bookmark.page, position + 1] = (
                    bookmark.level
                )
                break
    # A bookmark for the whole, as journals set, makes no sections.
    return levels if len(set(levels)) > 2 or len(bookmarks) > 1 else {}


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def _larger(pages: list[list[Line]]) -> dict[Place, int]:
    """Short lines in letters clearly larger than those of most of the text, the largest first."""
    letters: Counter[float] = Counter()
    for page in pages:
        for line in page:
            letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    large = {
        (number, position): line.size
        for number, page in enumerate(pages)
        for position, line in enumerate(page)
        if body and line.size >= body * _HEADING_RATIO and _is_heading(line.text)
    }
    n_lines = sum(map(len, pages))
    # A poster and slides are all large letters; a scan that was read by a program has any size.
    is_even = letters[body] * 5 >= letters.total() * 2
    if len(large) * _FEWEST_LINES_PER_HEADING > n_lines or not is_even:
        return {}
    sizes = sorted(set(large.values()), reverse=True)
    return {place: min(sizes.index(size), _DEEPEST - 1) + 1 for place, size in large.items()}


def _is_heading(text: str) -> bool:
    is_short = len(text) <= _LONGEST_HEADING and not text.endswith((".", ",", ";", "\ufffe"))
    return is_short and sum(map(str.isalpha, text)) >= 2


def _paragraphs(lines: list[str], width: int) -> Iterator[str]:
    out: list[str] = []
    for line, previous in zip(lines, ["", *lines], strict=False):
        if out and _continues(previous, line, width):
            out[-1] = _glued(out[-1], line)
        else:
            out.append(line)
    return (part.replace("\ufffe", "") for part in out if not _MARK_ONLY.fullmatch(part))


def _is_content(line: str) -> bool:
    """Neither a rule drawn with signs nor a page's number that stands inside the page."""
    if _MARK_ONLY.fullmatch(line):
        return True
    return any(map(str.isalnum, line)) and not _PAGE_OF.fullmatch(line)


def _repeated(pages: list[list[Line]]) -> set[str]:
    """Lines at the edges that stand on many pages, whatever the numbers in them.

    Left and right pages of a book have headers of their own, so that two pages in five are many.
    """
    counts = Counter(shape for page in pages for shape in {_shape(x.text) for x in _edges(page)})
    if len(pages) < 3:
        return set()
    return {shape for shape, n in counts.items() if n >= 2 and n * 5 >= len(pages) * 2}


def _edges(page: list[Line]) -> list[Line]:
    return page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _shape(line: str) -> str:
    return _DIGITS.sub("#", line)


def _without_edges(page: list[Line], repeated: set[str]) -> list[Line]:
    last = len(page) - _EDGE_LINES
    return [
        line
        for position, line in enumerate(page)
        if not (
            (position < _EDGE_LINES or position >= last)
            and (_shape(line.text) in repeated or _PAGE_NUMBER.fullmatch(line.text))
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
