"""Org files: headlines make the sections, drawers, code and keywords go.

The syntax: https://orgmode.org/worg/org-syntax.html
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ..list_numbers import ListNumbers
from ..records import Document, Item
from .dates import iso_date
from .plain_text import decode, load_bytes
from .sections import SectionBuilder
from .tables import row_line

_HEADLINE = re.compile(r"(\*+)\s+(.*)")
_STATE = re.compile(
    r"(?:TODO|DONE|NEXT|WAITING|WAIT|HOLD|STARTED|SOMEDAY|CANCELLED|CANCELED|INPROGRESS)\s+"
)
_PRIORITY = re.compile(r"\[#\w\]\s*")
_TAGS = re.compile(r"(?<=\s):[\w@#%:]+:$")
_COOKIE = re.compile(r"\[(?:\d*/\d*|\d*%)\]")
_KEYWORD = re.compile(r"\s*#\+(\w+):\s*(.*)")
_BEGIN = re.compile(r"\s*#\+begin_(\w+)", re.IGNORECASE)
_BLOCK_END = re.compile(r"\s*#\+end_(\w+)\s*", re.IGNORECASE)
_DROPPED_BLOCKS = ("src", "example", "export", "comment", "html", "latex", "ascii")
_DRAWER = re.compile(r"\s*:[\w-]+:\s*")
_DRAWER_END = re.compile(r"\s*:END:\s*", re.IGNORECASE)
_ITEM = re.compile(
    r"\s*(?:[-+]|(?P<number>\d{1,4})[.)]|\s\*)\s+(?P<begins>\[@\d+\]\s*)?(?:\[[ xX-]\]\s+)?(?P<text>.*)"
)
_NUMBERED = re.compile(r"\d{1,4}[.)]\s")
_TABLE_RULE = re.compile(r"\s*\|[-+|]+\s*")
_LINK = re.compile(r"\[\[([^\[\]]{1,2000})\](?:\[([^\[\]]{0,2000})\])?\]")
_FOOTNOTE = re.compile(r"\[fn:[^\[\]\s]{0,40}\]")
_TIMESTAMP = re.compile(r"[<\[](\d{4}-\d\d-\d\d)(?: [^\W\d]{1,12}\.?)?([^<>\[\]]{0,30})[>\]]")
_VERBATIM = re.compile(r"(?<![\w~=])([~=])(?=\S)([^\n~=]{1,300})(?<=\S)\1(?![\w~=])")
_EMPHASIS = re.compile(r"(?<![\w*/_+])([*/_+])(?=\S)([^\n*/_+]{1,300})(?<=\S)\1(?![\w*/_+])")
_FACTS = ("title", "author", "date")


def matches(path: Path, head: bytes) -> bool:
    """Org cannot be told from text by its content, so the name says it."""
    return path.suffix.lower() == ".org"


def read(path: Path) -> Iterator[Item]:
    """One document; title, author and date from the keywords where they are given.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    walk = _Walk()
    lines = decode(load_bytes(path)).split("\n")
    ended = _ended(lines)
    for position, line in enumerate(lines):
        walk.take(line, position in ended)
    walk.end_block()
    yield Document(
        title=walk.facts.get("title") or walk.builder.first_title or path.stem,
        sections=walk.builder.sections(),
        author=walk.facts.get("author"),
        date=iso_date(walk.facts.get("date")),
    )


def _ended(lines: list[str]) -> set[int]:
    """Where drawers and blocks begin that end before the next of their kind, drawers before the next headline.

    One that was forgotten to be ended must not take the rest of the file with it.
    """
    ended: set[int] = set()
    is_end_next: dict[str, bool] = {}  # by kind of block; ":" stands for drawers
    for position in range(len(lines) - 1, -1, -1):
        line = lines[position]
        begins, ends = _BEGIN.match(line), _BLOCK_END.fullmatch(line)
        kind = (begins or ends or [":", ":"])[1].lower()
        if _DRAWER_END.fullmatch(line) or ends:
            is_end_next[kind] = True
        elif _DRAWER.fullmatch(line) or begins or _HEADLINE.fullmatch(line):
            if is_end_next.get(kind):
                ended.add(position)
            is_end_next[kind] = False
    return ended


class _Walk:
    """Takes line after line."""

    def __init__(self) -> None:
        self.builder = SectionBuilder()
        self.facts: dict[str, str] = {}
        self._paragraph: list[str] = []
        self._is_item = False
        self._numbers = ListNumbers()
        self._until: re.Pattern[str] | None = None  # the line that ends what is left out
        self._rows: list[list[str]] = []
        self._has_rule = False

    def take(self, line: str, is_ended: bool) -> None:
        """A line, and whether the drawer or block that it may begin is ended."""
        if self._until:
            if self._until.fullmatch(line):
                self._until = None
            return
        headline = _HEADLINE.fullmatch(line)
        begins = _BEGIN.match(line)
        keyword = _KEYWORD.fullmatch(line)
        if headline:
            self.end_block()
            self.builder.heading(len(headline[1]), _plain(_headline_text(headline[2])))
        elif begins:
            self.end_block()
            if is_ended and begins[1].lower() in _DROPPED_BLOCKS:
                self._until = re.compile(rf"\s*#\+end_{begins[1]}\s*", re.IGNORECASE)
        elif keyword:
            name, value = keyword[1].lower(), _plain(keyword[2]).strip()
            if name in _FACTS and value:
                joined = f"{self.facts.get(name, '')} {value}".strip()
                self.facts[name] = joined if name == "title" else self.facts.get(name, value)
        elif _DRAWER.fullmatch(line):
            self.end_block()
            self._until = _DRAWER_END if is_ended else None
        elif not _is_left_out(line):
            self._take_text(line)

    def end_block(self) -> None:
        if self._rows:
            self._end_table()
        text = _plain(" ".join(" ".join(self._paragraph).split()))
        self._paragraph = []
        if not text:
            return
        if self._is_item:
            self.builder.line(text)
        else:
            self.builder.block(text)

    def _take_text(self, line: str) -> None:
        if not line.strip():
            self.end_block()
            self._is_item = False
            return
        if line.lstrip().startswith("|"):
            self._take_row(line)
            return
        item = _ITEM.fullmatch(line)
        if item and item["number"] and not self._counts(item):
            item = None
            # Such a line goes on with the one before, but not with another of its kind.
            if self._paragraph and _NUMBERED.match(self._paragraph[0]):
                self.end_block()
        if item or self._rows or (self._is_item and not line.startswith(" ")):
            self.end_block()
            self._is_item = item is not None
        self._paragraph.append(item["text"].replace(" :: ", ": ") if item else line.strip())

    def _counts(self, item: re.Match[str]) -> bool:
        number, depth = int(item["number"]), item.start("number")
        if item["begins"]:
            self._numbers.begin(number, depth)
        return self._numbers.counts(number, item["text"], depth)

    def _take_row(self, line: str) -> None:
        if not self._rows:
            self.end_block()
            self.builder.end_list()
        if _TABLE_RULE.fullmatch(line):
            self._has_rule = self._has_rule or len(self._rows) == 1
        else:
            cells = line.strip().strip("|").split("|")
            self._rows.append([_plain(cell.strip()) for cell in cells])

    def _end_table(self) -> None:
        columns = self._rows[0] if self._has_rule and len(self._rows) > 1 else []
        for cells in self._rows[1:] if columns else self._rows:
            self.builder.line(row_line(columns, cells))
        self.builder.end_list()
        self._rows, self._has_rule = [], False


def _is_left_out(line: str) -> bool:
    """Comments, other keywords, and lines of a fixed width, which hold code and output."""
    start = line.lstrip()
    return start.startswith(("#+", ": ")) or start in ("#", ":") or start.startswith("# ")


def _headline_text(text: str) -> str:
    text = _COOKIE.sub("", _TAGS.sub("", text.rstrip()))
    return _PRIORITY.sub("", _STATE.sub("", text, count=1), count=1)


def _plain(text: str) -> str:
    """What is shown: link texts, dates without brackets, no marks."""
    text = _FOOTNOTE.sub("", _LINK.sub(_link_text, text))
    text = _TIMESTAMP.sub(lambda found: found[1] + found[2].rstrip(), text)
    return _VERBATIM.sub(r"\2", _EMPHASIS.sub(r"\2", text))


def _link_text(link: re.Match[str]) -> str:
    if link[2] is not None:
        return link[2]
    is_picture = link[1].lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"))
    return "" if is_picture else link[1].removeprefix("file:").lstrip("*#")
