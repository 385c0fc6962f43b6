"""HTML taken as it stands, block by block: chapters of books and bodies of mails.

Pages of the web go through html.py, which has to find their main text first.
"""

import re
from typing import Any

from ..errors import UnreadableSource
from .plain_text import clean
from .sections import SectionBuilder
from .tables import Cell, Merged, number_merged, row_line

_HEADING = re.compile(r"h[1-6]")
_UNSEEN = frozenset(
    [
        "button",
        "head",
        "math",
        "nav",
        "noscript",
        "rp",  # how the letters before are read, and the brackets around that
        "rt",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def parse_blocks(markup: str) -> Any:
    """The root of HTML or XHTML, however wild.

    Raises:
        UnreadableSource: nothing in it is markup.
    """
    from lxml import etree

    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError) as error:
        raise UnreadableSource("markup that cannot be parsed") from error
    if root is None:
        raise UnreadableSource("no text in it")
    return root


def take_blocks(root: Any, builder: SectionBuilder) -> None:
    """Headings, paragraphs, list items and rows in reading order."""
    from lxml import etree

    walk = _Walk(builder)
    steps = etree.iterwalk(root, events=("start", "end"))
    for event, element in steps:
        if event == "start":
            if _is_unseen(element):
                walk.text(element.tail)
                element.tail = None
                steps.skip_subtree()
            else:
                walk.begin(element)
                walk.text(element.text)
        elif not _is_unseen(element):
            walk.end(element)
            walk.text(element.tail)
    walk.flush()


def _is_unseen(element: Any) -> bool:
    if not isinstance(element.tag, str) or element.tag in _UNSEEN:
        return True
    return element.get("hidden") is not None or bool(_HIDDEN.search(element.get("style") or ""))


class _Walk:
    def __init__(self, builder: SectionBuilder) -> None:
        self._builder = builder
        self._parts: list[str] = []
        self._kinds: list[str] = []  # what text belongs to, innermost last
        self._columns: list[str] = []
        self._merged = Merged()
        self._cells: list[Cell] | None = None

    def text(self, text: str | None) -> None:
        if text:
            is_set = self._kinds and self._kinds[-1] == "pre"
            self._parts.append(text if is_set else re.sub(r"\s+", " ", text))

    def begin(self, element: Any) -> None:
        tag = element.tag
        if tag == "br":
            self._parts.append("\n")
        if tag in ("thead", "tbody", "tfoot"):  # no cell reaches over their ends
            self._merged = Merged()
        if tag not in _BLOCKS:
            return
        self.flush()
        if tag == "table":
            self._columns = []
            self._merged = Merged()
            self._kinds.append("data" if _is_data(element) else "layout")
        elif tag == "tr" and self._kinds and self._kinds[-1] == "data":
            self._cells = []
        elif tag in ("ul", "ol"):
            self._builder.end_list()
        elif tag in ("li", "pre") or _HEADING.fullmatch(tag):
            self._kinds.append(tag)

    def end(self, element: Any) -> None:
        tag = element.tag
        if tag not in _BLOCKS:
            return
        if self._cells is not None and tag in ("td", "th"):
            text = " ".join(self._taken().split())
            n_columns = number_merged(element.get("colspan"))
            self._cells.append(Cell(text, n_columns, number_merged(element.get("rowspan"))))
            return
        self.flush()
        if tag == "tr" and self._cells is not None:
            self._take_row(all(cell.tag == "th" for cell in element))
        elif self._kinds and (tag in ("li", "pre", "table") or _HEADING.fullmatch(tag)):
            self._kinds.pop()
        if tag in ("table", "ul", "ol"):
            self._builder.end_list()

    def flush(self) -> None:
        """Hand over the text since the last block; in a row it waits for the cell's end."""
        if self._cells is not None:
            self._parts.append(" ")
            return
        text = self._taken()
        kind = self._kinds[-1] if self._kinds else ""
        if not text:
            return
        if _HEADING.fullmatch(kind):
            self._builder.heading(int(kind[1]), text)
        elif kind == "li":
            self._builder.line(text)
        else:
            self._builder.block(text)

    def _taken(self) -> str:
        lines = (line.strip() for line in clean("".join(self._parts)).split("\n"))
        self._parts = []
        return "\n".join(line for line in lines if line)

    def _take_row(self, is_head: bool) -> None:
        cells = self._cells or []
        self._cells = None
        names_columns = is_head and not self._columns and len(cells) > 1
        texts = self._merged.row(cells, names_columns)
        if names_columns:
            self._columns = texts
        else:
            self._builder.line(row_line(self._columns, texts))


def _is_data(table: Any) -> bool:
    """A table of data holds short texts; what holds tables or paragraphs is layout."""
    if table.find(".//table") is not None:
        return False
    return table.find(".//th") is not None or not any(
        cell.find(f".//{tag}") is not None
        for cell in table.iter("td")
        for tag in ("p", "div", "ul", "ol", "h1", "h2", "h3", "h4")
    )
