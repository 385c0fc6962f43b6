"""The text in RTF: a walk over its control words, groups and letters.

The form: RTF 1.9.1, https://interoperability.blob.core.windows.net/files/Archive_References/%5bMSFT-RTF%5d.pdf
"""

import re
from dataclasses import dataclass, replace

from ..records import Section
from .dates import iso_date
from .plain_text import clean
from .sections import SectionBuilder
from .tables import row_line

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?"
    r"|\\'(?P<hex>[0-9A-Fa-f]{2})|\\(?P<sign>[^A-Za-z])|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)"
)
# Groups whose text is no part of what a person reads.
_UNSEEN = frozenset(
    [
        "colortbl",
        "listtable",
        "listoverridetable",
        "rsidtbl",
        "generator",
        "pict",
        "object",
        "objdata",
        "themedata",
        "colorschememapping",
        "datastore",
        "latentstyles",
        "xmlnstbl",
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
        "fldinst",
        "listtext",
        "pntext",
        "pntxtb",
        "pntxta",
        "annotation",
        "atnid",
        "atnauthor",
        "atndate",
        "atnicn",
        "atnref",
        "bkmkstart",
        "bkmkend",
        "filetbl",
        "revtbl",
        "nonshppict",
        "sp",
        "sn",
        "sv",
        "shpinst",
        "do",
        "operator",
        "company",
        "category",
        "keywords",
        "doccomm",
        "vern",
        "comment",
        "manager",
        "hlinkbase",
        "revtim",
        "printim",
        "buptim",
        "userprops",
        "mhtmltag",
        "htmltag",
        "tc",
        "xe",
        "private",
        "mmathPr",
        "wgrffmtfilter",
    ]
)
_SIGNS = {
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "tab": " ",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "line": "\n",
    "softline": "\n",
}
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_LONGEST_FACT = 1000


@dataclass(frozen=True)
class _State:
    """What a group inherits from the one around it."""

    place: str = "body"  # or "unseen", "fonts", "styles", "title", "author", "creatim"
    n_skipped: int = 1  # letters that stand for programs without Unicode, after each \\u
    font: int = -1
    style: int = -1
    outline: int = -1
    is_hidden: bool = False


class _Text:
    """Takes tokens in order."""

    def __init__(self) -> None:
        self.builder = SectionBuilder()
        self.title: str | None = None
        self.author: str | None = None
        self.date: str | None = None
        self._state = _State()
        self._stack: list[_State] = []
        self._parts: list[str] = []
        self._bytes = bytearray()
        self._skips = 0
        self._charset = "cp1252"
        self._fonts: dict[int, str] = {}
        self._levels: dict[int, int] = {}
        self._facts: dict[str, str] = {}
        self._cells: list[str] = []
        self._columns: list[str] = []
        self._n_rows = 0
        self._in_row = False
        self._is_list = False
        self._ignorable = False

    def sections(self) -> tuple[Section, ...]:
        return self.builder.sections()

    def take(self, data: str) -> None:
        position = 0
        while found := _TOKEN.search(data, position):
            position = found.end()
            if found["text"] is not None:
                self._take_text(found["text"])
            elif found["word"] is not None:
                number = int(found["number"]) if found["number"] else None
                if found["word"] == "bin" and number and number > 0:
                    position += number
                self._take_word(found["word"], number)
            elif found["hex"] is not None:
                self._take_text(chr(int(found["hex"], 16)))
            elif found["brace"] is not None:
                self._take_brace(found["brace"])
            else:
                self._take_sign(found["sign"])
        self._in_row = False
        self._end_row()
        self._end_paragraph()
        self._end_table()
        self._keep_facts()

    def _take_text(self, text: str) -> None:
        self._ignorable = False
        if self._skips:
            n_skipped = min(self._skips, len(text))
            self._skips -= n_skipped
            text = text[n_skipped:]
        state = self._state
        if state.place == "body":
            if not state.is_hidden:
                self._bytes += text.encode("latin-1", "replace")
        elif state.place == "styles" and state.style >= 0:
            heading = _HEADING.match(text.strip())
            if heading:
                self._levels[state.style] = int(heading[1])
        elif state.place in ("title", "author"):
            self._add_fact(
                state.place, text.encode("latin-1", "replace").decode(self._charset, "replace")
            )

    def _take_sign(self, sign: str) -> None:
        if sign == "*":
            self._ignorable = True
        elif sign in "\\{}":
            self._take_text(sign)
        elif sign == "~":
            self._add(" ")
        elif sign == "_":
            self._add("-")
        elif sign in "\r\n":
            self._end_paragraph()

    def _take_brace(self, brace: str) -> None:
        self._settle()
        self._skips = 0
        self._ignorable = False
        if brace == "{":
            self._stack.append(self._state)
        elif self._stack:
            style, outline = self._state.style, self._state.outline
            before = self._stack.pop()
            in_body = before.place == self._state.place == "body"
            # Word puts the style of a paragraph outside the groups, others inside.
            self._state = replace(before, style=style, outline=outline) if in_body else before

    def _take_word(self, word: str, number: int | None) -> None:
        ignorable, self._ignorable = self._ignorable, False
        if self._state.place == "unseen":
            return
        if word in _UNSEEN or (ignorable and word not in ("shptxt", "fldrslt")):
            self._settle()
            self._state = replace(self._state, place="unseen")
        elif word in ("fonttbl", "stylesheet", "info", "title", "author", "creatim"):
            self._settle()
            place = {"fonttbl": "fonts", "stylesheet": "styles"}.get(word, word)
            self._state = replace(self._state, place=place, style=-1)
        elif self._state.place == "creatim" and word in ("yr", "mo", "dy"):
            self._facts[word] = f"{number or 0:02d}"
        elif word in _SIGNS:
            self._add(_SIGNS[word])
        elif word in ("par", "sect", "page", "column"):
            self._end_paragraph()
        elif word == "cell":
            self._end_cell()
        elif word == "row":
            self._end_row()
        elif word == "u":
            self._add(chr((number or 0) % 0x10000))
            self._skips = self._state.n_skipped
        else:
            self._take_property(word, number)

    def _take_property(self, word: str, number: int | None) -> None:
        state = self._state
        value = 0 if number is None else number
        if word == "uc":
            self._state = replace(state, n_skipped=min(max(value, 0), 8))
        elif word == "f":
            self._settle()
            self._state = replace(state, font=value)
        elif word == "fcharset" and state.place == "fonts":
            self._fonts[state.font] = _CHARSETS.get(value, "")
        elif word == "ansicpg":
            self._charset = _known_charset(f"cp{value}") or self._charset
        elif word == "mac":
            self._charset = "mac_roman"
        elif word == "s":
            self._state = replace(state, style=value)
        elif word == "outlinelevel":
            self._state = replace(state, outline=value)
        elif word == "pard":
            self._settle()
            self._is_list = self._in_row = False
            self._state = replace(state, style=-1, outline=-1)
        elif word == "plain":
            self._settle()
            self._state = replace(state, is_hidden=False)
        elif word in ("v", "deleted"):
            self._settle()
            self._state = replace(state, is_hidden=number != 0)
        elif word == "intbl":
            self._in_row = True
        elif word in ("ls", "pnlvlblt", "pnlvlbody"):
            self._is_list = True

    def _add(self, text: str) -> None:
        if self._state.place == "body" and not self._state.is_hidden:
            self._settle()
            self._parts.append(text)
        elif self._state.place in ("title", "author"):
            self._add_fact(self._state.place, text)

    def _add_fact(self, name: str, text: str) -> None:
        self._facts[name] = (self._facts.get(name, "") + text)[:_LONGEST_FACT]

    def _settle(self) -> None:
        """Bytes become letters before the character set changes."""
        if self._bytes:
            charset = self._fonts.get(self._state.font) or self._charset
            self._parts.append(self._bytes.decode(charset, "replace"))
            self._bytes.clear()

    def _taken(self) -> str:
        self._settle()
        # Two halves of a letter beyond the first plane may have come one by one.
        text = "".join(self._parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self._parts = []
        lines = (" ".join(line.split()) for line in clean(text).split("\n"))
        return "\n".join(line for line in lines if line)

    def _end_paragraph(self) -> None:
        if self._state.place != "body":
            return
        if self._cells or self._in_row:
            self._add(" ")
            return
        text = self._taken()
        level = self._levels.get(self._state.style, 0)
        if not level and 0 <= self._state.outline < 9:
            level = self._state.outline + 1
        if not text:
            return
        self._end_table()
        if level:
            self.builder.heading(level, text)
        elif self._is_list:
            self.builder.line(text)
        else:
            self.builder.block(text)

    def _end_cell(self) -> None:
        if self._state.place == "body":
            self._cells.append(" ".join(self._taken().split()))

    def _end_row(self) -> None:
        cells, self._cells = self._cells, []
        if not any(cells):
            return
        if not self._n_rows:
            self.builder.end_list()
        self._n_rows += 1
        if self._n_rows == 1 and len(cells) > 1:
            self._columns = cells
        else:
            self.builder.line(row_line(self._columns, cells))

    def _end_table(self) -> None:
        if self._n_rows == 1 and self._columns:  # names without a row under them are the row
            self.builder.line(row_line([], self._columns))
        if self._n_rows:
            self.builder.end_list()
        self._columns, self._n_rows = [], 0

    def _keep_facts(self) -> None:
        facts = {name: " ".join(clean(value).split()) for name, value in self._facts.items()}
        self.title = facts.get("title") or None
        self.author = facts.get("author") or None
        self.date = iso_date("-".join(facts.get(name, "") for name in ("yr", "mo", "dy")))


def rtf_sections(data: bytes) -> _Text:
    """The text of RTF with its title, author and date; never raises, for RTF has no errors."""
    text = _Text()
    text.take(data.decode("latin-1"))
    return text


def _known_charset(name: str) -> str:
    try:
        b"a".decode(name)
    except LookupError:
        return "utf-8" if name == "cp65001" else ""
    return name
