"""reStructuredText, Sphinx's dialect included: headings by their underlines, markup and code go.

docutils would refuse the roles and directives that Sphinx adds. The syntax:
https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html
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

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*")
_FIELD = re.compile(r":([^:\s][^:]{0,60}):(?:\s+(.*)|\s*)")
_DIRECTIVE = re.compile(r"\.\.\s+(?:\|[^|]{1,80}\|\s+)?([A-Za-z][\w:+.-]{0,60})::(?:\s+(.*))?")
_FOOTNOTE = re.compile(r"\.\.\s+\[[^\[\]]{1,60}\]\s+(.*)")
_ITEM = re.compile(r"(?:[-*+•]|\(?(?:(?P<number>\d{1,4})|#|[A-Za-z])[.)])\s+(?P<text>.*)")
_SIMPLE_RULE = re.compile(r"=+(?: +=+)+ *|-+(?: +-+)+ *")
_GRID_RULE = re.compile(r"\+(?:[-=]+\+)+ *")
# Directives whose content is prose; the argument of some is a title, of others the first words.
_PROSE = frozenset(
    [
        "note",
        "warning",
        "tip",
        "hint",
        "important",
        "caution",
        "danger",
        "error",
        "attention",
        "seealso",
        "versionadded",
        "versionchanged",
        "deprecated",
        "deprecated-removed",
        "versionremoved",
        "epigraph",
        "highlights",
        "pull-quote",
        "container",
        "compound",
        "only",
        "glossary",
        "class",
        "table",
        "centered",
        "tabs",
        "tab",
    ]
)
_TITLED = frozenset(["admonition", "topic", "sidebar", "rubric", "dropdown", "card"])
_NO_WORDS_IN_ARGUMENT = frozenset(
    [
        "versionadded",
        "versionchanged",
        "deprecated",
        "deprecated-removed",
        "versionremoved",
        "only",
        "class",
        "container",
        "compound",
        "glossary",
        "tabs",
    ]
)
_ROLE = re.compile(r":[\w:+.-]{1,40}:`([^`]{1,500})`|`([^`]{1,500})`:[\w:+.-]{1,40}:")
_TARGET = re.compile(r"\s*<[^<>]*>$")
_LITERAL = re.compile(r"``([^\n]{1,500}?)``")
_LINK = re.compile(r"`([^`]{1,500})`(?:__?)?")
_STRONG = re.compile(r"\*\*(?=\S)([^*]{1,500})\*\*")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=\S)([^*]{1,500})\*(?![\w*])")
_REFERENCE = re.compile(r"(?<![\w`])([A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*)__?(?!\w)")
_NOTE_MARK = re.compile(r"\s?\[(?:\d+|#\w*|\*)\]_")
_DEEPEST = 20


def matches(path: Path, head: bytes) -> bool:
    """It cannot be told from text by its content, so the name says it."""
    return path.suffix.lower() in (".rst", ".rest")


def read(path: Path) -> Iterator[Item]:
    """One document; author and date from the field list at its top.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    walk = _Walk()
    walk.take(decode(load_bytes(path)).expandtabs(8).split("\n"))
    yield Document(
        title=walk.facts.get("title") or walk.builder.first_title or path.stem,
        sections=walk.builder.sections(),
        author=walk.facts.get("author") or walk.facts.get("authors"),
        date=iso_date(walk.facts.get("date") or walk.facts.get("created")),
    )


class _Walk:
    def __init__(self) -> None:
        self.builder = SectionBuilder()
        self.facts: dict[str, str] = {}
        self._styles: list[str] = []  # adornments, outermost first
        self._numbers = ListNumbers()

    def take(self, lines: list[str], depth: int = 0) -> None:
        """Takes a stretch of lines; the content of a directive is one of its own."""
        position = 0
        while position < len(lines):
            position = self._take_block(lines, position, depth)

    def _take_block(self, lines: list[str], position: int, depth: int) -> int:
        """Takes what begins at a line; gives the position after it."""
        line = lines[position]
        if not line.strip():
            self.builder.end_list()
            return position + 1
        n_lines = 0 if depth else self._take_heading(lines, position)
        if n_lines:
            return position + n_lines
        if line.startswith("..") and line[2:3] in ("", " "):
            return self._take_explicit(lines, position, depth)
        if _GRID_RULE.fullmatch(line.strip()) or _SIMPLE_RULE.fullmatch(line.strip()):
            return self._take_table(lines, position)
        if line.startswith(">>> "):
            return _next_blank(lines, position)
        if _ADORNMENT.fullmatch(line):
            return position + 1
        return self._take_text(lines, position, depth)

    def _take_heading(self, lines: list[str], position: int) -> int:
        first, second, third = [*lines[position : position + 3], "", ""][:3]
        over = _ADORNMENT.fullmatch(first)
        if over and second.strip() and third.rstrip() == first.rstrip():
            self._heading(over[1] * 2, second)
            return 3
        under = _ADORNMENT.fullmatch(second)
        is_title = (
            not first.startswith(" ") and not over and not _GRID_RULE.fullmatch(first.strip())
        )
        if under and is_title and len(second.rstrip()) * 3 >= len(first.rstrip()) * 2:
            self._heading(under[1], first)
            return 2
        return 0

    def _heading(self, style: str, text: str) -> None:
        if style not in self._styles:
            self._styles.append(style)
        self.builder.heading(self._styles.index(style) + 1, inline(text))

    def _take_explicit(self, lines: list[str], position: int, depth: int) -> int:
        """A directive, a footnote, a target or a comment, with all that is indented under it."""
        directive = _DIRECTIVE.fullmatch(lines[position])
        footnote = _FOOTNOTE.fullmatch(lines[position])
        body, end = _indented(lines, position + 1)
        if footnote:
            self.take([footnote[1], *body] if depth < _DEEPEST else [], depth + 1)
        elif directive:
            self._take_directive(directive[1].lower(), directive[2] or "", body, depth)
        return end

    def _take_directive(self, name: str, argument: str, body: list[str], depth: int) -> None:
        while body and _FIELD.fullmatch(body[0].strip()):
            body = body[1:]
        if name in ("list-table", "csv-table"):
            self._take_listed_rows(name, argument, body)
            return
        # Descriptions of functions and classes, as in `py:function`, are prose under a signature.
        is_signature = name.partition(":")[2] in _SIGNED or name in _SIGNED
        if name not in _PROSE | _TITLED and not is_signature:
            return
        if name in _TITLED or is_signature:
            self.builder.block(inline(argument))
        elif name not in _NO_WORDS_IN_ARGUMENT:
            body = [argument, *body]
        if depth < _DEEPEST:
            self.take(body, depth + 1)
        self.builder.end_list()

    def _take_listed_rows(self, name: str, caption: str, body: list[str]) -> None:
        self.builder.block(inline(caption))
        rows: list[list[str]] = []
        if name == "csv-table":
            import csv

            rows = [[inline(cell) for cell in row] for row in csv.reader(filter(str.strip, body))]
        for line in body if name == "list-table" else []:
            text = line.strip()
            if text.startswith("* -"):
                rows.append([])
                text = text[2:]
            if rows and text.startswith("-"):
                rows[-1].append(text[1:].strip())
            elif rows and rows[-1] and text:
                rows[-1][-1] += " " + text
        self._put_rows([[inline(cell) for cell in row] for row in rows], has_head=True)

    def _take_table(self, lines: list[str], position: int) -> int:
        end = position
        is_grid = lines[position].lstrip().startswith("+")
        while end < len(lines) and (
            lines[end].strip() or (not is_grid and not _closes(lines, end))
        ):
            end += 1
        rows = _grid_rows(lines[position:end]) if is_grid else _simple_rows(lines[position:end])
        heads = [line for line in lines[position:end] if re.match(r"\s*[+=]?=", line)]
        self._put_rows(rows, has_head=len(heads) >= (1 if is_grid else 3))
        return max(end, position + 1)

    def _put_rows(self, rows: list[list[str]], has_head: bool) -> None:
        self.builder.end_list()
        columns = rows[0] if has_head and len(rows) > 1 else []
        for cells in rows[1:] if columns else rows:
            self.builder.line(row_line(columns, cells))
        self.builder.end_list()

    def _take_text(self, lines: list[str], position: int, depth: int) -> int:
        """A paragraph, an item of a list, or a field; `::` at its end announces code."""
        start = lines[position].strip()
        end = position + 1
        indent = _indent(lines[position])
        while end < len(lines) and lines[end].strip() and not _begins_anew(lines, end, indent):
            end += 1
        text = " ".join(line.strip() for line in lines[position:end])
        field = _FIELD.fullmatch(text)
        if start.startswith("| "):
            for line in lines[position:end]:
                self.builder.line(inline(line.strip().removeprefix("|").strip()))
            return end
        if field and not depth and not self.builder.has_text():
            self.facts.setdefault(field[1].lower(), inline(field[2] or ""))
            return end
        is_code_next = text.endswith("::")
        text = text.removesuffix("::").rstrip() + (":" if is_code_next and text != "::" else "")
        item = _ITEM.fullmatch(text)
        if item and item["number"]:
            is_next = self._numbers.counts(int(item["number"]), item["text"], indent)
            item = item if is_next else None
        if item:
            self.builder.line(inline(item["text"]))
        elif field:
            self.builder.line(f"{field[1]}: {inline(field[2] or '')}")
        else:
            self.builder.block(inline(text))
        return _after_code(lines, end, indent) if is_code_next else end


_SIGNED = frozenset(
    [
        "function",
        "method",
        "class",
        "attribute",
        "data",
        "exception",
        "module-attribute",
        "staticmethod",
        "classmethod",
        "property",
        "opcode",
        "option",
        "envvar",
        "describe",
        "confval",
        "setting",
        "macro",
        "type",
        "var",
        "member",
        "object",
        "decorator",
        "cmdoption",
        "program",
        "describe",
    ]
)


def inline(text: str) -> str:
    """What a reader sees: the text of roles and links, no marks."""
    text = _ROLE.sub(lambda found: _role_text(found[1] or found[2]), text)
    text = _LITERAL.sub(r"\1", text)
    text = _LINK.sub(lambda found: _TARGET.sub("", found[1]), text)
    text = _NOTE_MARK.sub("", _STRONG.sub(r"\1", text))
    text = _REFERENCE.sub(r"\1", _EMPHASIS.sub(r"\1", text))
    return " ".join(re.sub(r"\\(.)", r"\1", text.replace("\\ ", "")).split())


def _role_text(text: str) -> str:
    shown = _TARGET.sub("", text) or text.strip("<>")
    return shown.rpartition(".")[2] if shown.startswith("~") else shown.removeprefix("!")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _next_blank(lines: list[str], position: int) -> int:
    while position < len(lines) and lines[position].strip():
        position += 1
    return position


def _indented(lines: list[str], position: int) -> tuple[list[str], int]:
    """The indented lines from a position on, moved to the left, and the position after them."""
    end = position
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" ")):
        end += 1
    found = lines[position:end]
    least = min((_indent(line) for line in found if line.strip()), default=0)
    return [line[least:] for line in found], end


def _after_code(lines: list[str], position: int, indent: int) -> int:
    end = position
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    return end


def _begins_anew(lines: list[str], position: int, indent: int) -> bool:
    line = lines[position].strip()
    if _indent(lines[position]) <= indent and (_ITEM.fullmatch(line) or _FIELD.fullmatch(line)):
        return True
    return _indent(lines[position]) < indent


def _closes(lines: list[str], position: int) -> bool:
    """Whether a blank line inside a simple table is the end of it: its last rule stands before."""
    return position > 0 and bool(_SIMPLE_RULE.fullmatch(lines[position - 1].strip()))


def _simple_rows(lines: list[str]) -> list[list[str]]:
    """Cells stand under the stretches of the first rule."""
    spans = [found.span() for found in re.finditer(r"[=-]+", lines[0])]
    starts = [start for start, _ in spans]
    ends: list[int | None] = [*starts[1:], None]
    rows: list[list[str]] = []
    for line in lines:
        if not line.strip() or _SIMPLE_RULE.fullmatch(line.strip()):
            continue
        cells = [inline(line[start:end]) for start, end in zip(starts, ends, strict=True)]
        if rows and not cells[0]:
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    return rows


def _grid_rows(lines: list[str]) -> list[list[str]]:
    """Lines between two rules are one row."""
    rows: list[list[str]] = []
    is_new = True
    for line in map(str.strip, lines):
        if line.startswith("+"):
            is_new = True
            continue
        cells = [inline(cell) for cell in line.strip("|").split("|")]
        if is_new or not rows or len(cells) != len(rows[-1]):
            rows.append(cells)
        else:
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], cells, strict=True)]
        is_new = False
    return rows
