"""Markdown to prose: headings make the sections, markup goes, code blocks stay out."""

import html
import re
from collections.abc import Iterator
from itertools import pairwise
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

_FRONT_MATTER = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"^(title|date|created|author|authors)\s*[:=]\s*(.*)$", re.IGNORECASE)
_DROPPED_HTML = re.compile(r"(?is)<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1>|\Z)")
_TAG = re.compile(r"<[^<>]*>")
_WIKI_EMBED = re.compile(r"!\[\[[^\[\]]*\]\]")
_WIKI_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_FOOTNOTE_REFERENCE = re.compile(r"\[\^[^\[\]\s]{1,40}\]:?")
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
    for line, following in pairwise([*lines, ""]):
        pair = _PAIR.match(line)
        if pair:
            name = {"authors": "author", "created": "date"}.get(pair[1].lower(), pair[1].lower())
            value = pair[2].strip() or following.strip().removeprefix("- ")
            facts.setdefault(name, re.sub(r"[\"'\[\]]", "", value).strip())
    return {name: value for name, value in facts.items() if value}, text[found.end() :]


def to_sections(body: str, builder: SectionBuilder | None = None) -> SectionBuilder:
    """The sections of Markdown without front matter, added to those in `builder`."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parser.block.ruler.at("reference", _reference, {"alt": []})
    walk = _TokenWalk(builder or SectionBuilder())
    for token in parser.parse(body):
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
        self._lists: list[ListNumbers] = []  # that it is in, innermost last
        self._mark = ""  # of the item that begins, where it is part of the text
        self._columns: list[str] = []
        self._cells: list[str] | None = None

    def take(self, token: "Token") -> None:
        if token.type == "inline":
            self._take_text(inline_text(token))
        elif token.type == "html_block":
            self.builder.block(_without_tags(token.content))
        elif token.tag in ("ul", "ol"):
            if token.nesting > 0:
                self._lists.append(ListNumbers())
            else:
                self._lists.pop()
            if not self._lists:
                self.builder.end_list()
        elif token.type == "list_item_open":
            self._mark = f"{token.info}{token.markup} " if token.info else ""
        elif token.type == "heading_open":
            self._heading_level = int(token.tag[1])
        elif token.tag in ("thead", "tr"):
            self._take_table_mark(token.type)

    def _take_text(self, text: str) -> None:
        if self._heading_level:
            self.builder.heading(self._heading_level, text)
            self._heading_level = 0
        elif self._cells is not None:
            self._cells.append(" ".join(text.split()))
        elif self._lists:
            if self._mark and self._lists[-1].counts(int(self._mark[:-2]), text):
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


def _without_tags(markup: str) -> str:
    text = html.unescape(_TAG.sub(" ", _DROPPED_HTML.sub("", markup)))
    return "\n".join(line for line in (" ".join(x.split()) for x in text.split("\n")) if line)
