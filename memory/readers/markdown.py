"""Markdown to prose: headings make the sections, markup goes, code blocks stay out."""

import html
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from ..list_numbers import ListNumbers
from ..records import Document, Item
from .dates import iso_date
from .plain_text import decode, load_bytes
from .sections import SectionBuilder
from .tables import row_line

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(
    r"\A\s*(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL
)
# Dashes are rules, too: the first line that is no comment names something, as every other does that goes on with none.
_NAME = r"[^\s#*>|`<-][^\n]{0,60}?(?::(?=\s|\Z)|=)"
_NAMED = re.compile(rf"(?:#.*\n\s*)*{_NAME}")
_OF_FACTS = re.compile(rf"\s|\Z|#|-(?:\s|\Z)|[\]}}]|{_NAME}")
_PAIR = re.compile(
    r"(title|date|created|author|authors|created[ _-]?at|date[ _-]?created|published)\s*[:=]\s*(.*)",
    re.IGNORECASE,
)
_FOLDED = re.compile(r"[>|][-+\d]{0,2}")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_DROPPED_HTML = re.compile(r"(?is)<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1>|\Z)")
# Letters, and beside them how they are read; code that names such tags has other marks between them.
_RUBY = re.compile(r"(?i)<ruby>((?:[^<`]|<(?!/?ruby\b))*+)</ruby>")
_READING = re.compile(r"(?i)<(rt|rp)>[^<>]*(?:</\1>)?|</?rb>")
_TAG = re.compile(r"<[^<>]*>")
_WIKI_EMBED = re.compile(r"!\[\[[^\[\]]*\]\]")
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_FOOTNOTE_REFERENCE = re.compile(r"\[\^[^\[\]\s]{1,40}\]:?")
_WRITTEN_WORD = re.compile(r"[^\w\s]{0,3}[^\W_]+(?:['’-][^\W_]+)*[^\w\s]{0,3}")
_QUOTES = "\"'”“’»)*_"
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_TASK = re.compile(r"^\[[ xX]\]\s+")


def matches(path: Path, head: bytes) -> bool:
    """Markdown cannot be told from text by its content, so the name says it."""
    return path.suffix.lower() in (".md", ".markdown", ".mdown", ".mkd")


def read(path: Path) -> Iterator[Item]:
    """One document; title, date and author from the front matter where there is one.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    facts, body = _split_front_matter(decode(load_bytes(path)))
    builder = to_sections(body)
    yield Document(
        title=facts.get("title") or builder.first_title or path.stem,
        sections=builder.sections(),
        author=facts.get("author"),
        date=iso_date(facts.get("date")),
    )


def _split_front_matter(text: str) -> tuple[dict[str, str], str]:
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, text
    facts: dict[str, str] = {}
    lines = found[2].split("\n")
    is_yaml = _NAMED.match(found[2]) and all(map(_OF_FACTS.match, lines))
    if found[1] == "---" and not is_yaml:
        return {}, text
    for position, line in enumerate(lines):
        pair = _PAIR.fullmatch(line)
        if pair:
            name = pair[1].lower().removesuffix("s")
            name = name if name in ("title", "author") else "date"
            if name not in facts:
                below = takewhile(lambda x: x.startswith((" ", "\t", "- ")), lines[position + 1 :])
                facts[name] = _value(pair[2].strip(), [x.strip() for x in below])
    return {name: value for name, value in facts.items() if value}, text[found.end() :]


def _value(written: str, below: list[str]) -> str:
    """What is given as a value: on its line, or on those below it, in quotes or in brackets."""
    if _FOLDED.fullmatch(written):
        return " ".join(below)
    written = written or next(iter(below), "").removeprefix("- ")
    quote = written[:1]
    if quote in ("'", '"') and (end := written.rfind(quote)):
        written = written[1:end].replace(quote * 2, quote).replace("\\" + quote, quote)
        return _WIKI_LINK.sub(r"\1", written)
    written = _COMMENT.sub("", written)
    return re.sub(r"[\"'\[\]]", "", written).strip() if quote == "[" else written.strip()


def to_sections(body: str, builder: SectionBuilder | None = None) -> SectionBuilder:
    """The sections of Markdown without front matter, added to those in `builder`."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parser.block.ruler.at("reference", _reference, {"alt": []})
    walk = _TokenWalk(builder or SectionBuilder())
    for token in parser.parse(_RUBY.sub(lambda found: _READING.sub("", found[1]), body)):
        walk.take(token)
    return walk.builder


def _reference(state: "StateBlock", start: int, end: int, silent: bool) -> bool:
    """Where a link leads to, as CommonMark has it; a footnote of one word looks the same and is text."""
    from markdown_it.rules_block import reference

    if state.src.startswith("[^", state.bMarks[start] + state.tShift[start]):
        return False
    return reference(state, start, end, silent)


class _TokenWalk:
    """Keeps where in the document the walk over markdown-it's flat tokens is."""

    def __init__(self, builder: SectionBuilder) -> None:
        self.builder = builder
        self._heading_level = 0
        self._list_depth = 0
        self._numbers = ListNumbers()
        self._mark = ""  # of the item that begins, where it is part of the text
        self._columns: list[str] = []
        self._cells: list[str] | None = None

    def take(self, token: "Token") -> None:
        if token.type == "inline":
            self._take_text(inline_text(token))
        elif token.type == "code_block":
            for paragraph in filter(_is_prose, re.split(r"\n\s*\n", token.content)):
                self._take_text(" ".join(paragraph.split()))
        elif token.type == "html_block":
            self.builder.block(_without_tags(token.content))
        elif token.tag in ("ul", "ol"):
            self._list_depth += token.nesting
            if not self._list_depth:
                self.builder.end_list()
        elif token.type == "list_item_open":
            self._mark = f"{token.info}{token.markup} " if token.info else ""
        elif token.type == "list_item_close" and self._mark:  # code alone was in it
            self._mark_counts("")
            self._mark = ""
        elif token.type == "heading_open":
            self._heading_level = int(token.tag[1])
        elif token.tag in ("thead", "tr"):
            self._take_table_mark(token.type)

    def _mark_counts(self, text: str) -> bool:
        return self._numbers.counts(int(self._mark[:-2]), text, self._list_depth)

    def _take_text(self, text: str) -> None:
        if self._heading_level:
            self.builder.heading(self._heading_level, text)
            self._heading_level = 0
        elif self._cells is not None:
            self._cells.append(" ".join(text.split()))
        elif self._list_depth:
            if self._mark and self._mark_counts(text):
                self._mark = ""
            self.builder.line(self._mark + _TASK.sub("", text))
            self._mark = ""
        else:
            self.builder.block(text)

    def _take_table_mark(self, kind: str) -> None:
        if kind == "tr_open":
            self._cells = []
        elif kind == "tr_close":
            if self._columns:
                self.builder.line(row_line(self._columns, self._cells or []))
            else:
                self._columns = self._cells or []
            self._cells = None
        elif kind == "thead_open":
            self.builder.end_list()
            self._columns = []


def inline_text(token: "Token") -> str:
    """What a reader sees of an inline token: link texts and code spans, no images, no marks."""
    parts = []
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type == "softbreak":
            parts.append(" ")
        elif child.type == "hardbreak" or (child.type == "html_inline" and "<br" in child.content):
            parts.append("\n")
    text = _WIKI_EMBED.sub("", "".join(parts))
    return _FOOTNOTE_REFERENCE.sub("", _WIKI_LINK.sub(r"\1", text))


def _is_prose(text: str) -> bool:
    """Whether a paragraph is only set in, not code: nearly all are words, and it ends as a sentence."""
    words = text.split()
    n_written = sum(map(bool, map(_WRITTEN_WORD.fullmatch, words)))
    last = words[-1].rstrip(_QUOTES) if words else ""
    ends = last.endswith(_SENTENCE_ENDS) and any(map(str.isalnum, last))  # "build ." does not
    return ends and n_written >= 0.8 * len(words)


def _without_tags(markup: str) -> str:
    text = html.unescape(_TAG.sub(" ", _DROPPED_HTML.sub("", markup)))
    return "\n".join(line for line in (" ".join(x.split()) for x in text.split("\n")) if line)
