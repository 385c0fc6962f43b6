"""Jupyter notebooks: what was written and the code in between; no outputs.

The form: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Document, Item
from .dates import iso_date
from .json_faults import describe, looks_like_json
from .markdown import to_sections
from .plain_text import clean, load_bytes
from .sections import SectionBuilder

_CELL = re.compile(rb'"cell_type"\s*:\s*"|"nbformat(?:_minor)?"\s*:\s*\d')


def matches(path: Path, head: bytes) -> bool:
    """JSON that holds cells; where the first cell is long, the name says it."""
    if not looks_like_json(head):
        return False
    return path.suffix.lower() == ".ipynb" or bool(_CELL.search(head))


def read(path: Path) -> Iterator[Item]:
    """One document; the headings of its Markdown make the sections.

    Raises:
        UnreadableSource: too large, broken JSON, or no notebook.
        OSError: it cannot be opened.
    """
    try:
        notebook = json.loads(load_bytes(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(describe(path, error)) from error
    cells = _cells(notebook)
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    builder = SectionBuilder()
    for cell in cells:
        _take(cell, builder)
    yield Document(
        title=_line(metadata.get("title")) or builder.first_title or path.stem,
        sections=builder.sections(),
        author=_authors(metadata.get("authors")),
        date=iso_date(metadata.get("date")),
    )


def _cells(notebook: Any) -> list[dict[str, Any]]:
    """The cells; before version 4 they stood in worksheets."""
    if not isinstance(notebook, dict):
        raise UnreadableSource("JSON without a notebook in it")
    sheets = notebook.get("worksheets")
    holders = [notebook, *(sheets if isinstance(sheets, list) else [])]
    lists = [holder.get("cells") for holder in holders if isinstance(holder, dict)]
    if not any(isinstance(cells, list) for cells in lists):
        raise UnreadableSource("JSON without a notebook in it")
    found = [cell for cells in lists if isinstance(cells, list) for cell in cells]
    return [cell for cell in found if isinstance(cell, dict)]


def _take(cell: dict[str, Any], builder: SectionBuilder) -> None:
    kind = cell.get("cell_type")
    source = _source(cell.get("source", cell.get("input")))
    if kind == "markdown":
        to_sections(source, builder)
    elif kind == "heading":
        level = cell.get("level")
        builder.heading(level if isinstance(level, int) else 1, source)
    elif kind == "code":
        builder.block(source)


def _source(written: object) -> str:
    parts = written if isinstance(written, list) else [written]
    return clean("".join(part for part in parts if isinstance(part, str)))


def _line(value: object) -> str:
    return " ".join(clean(value).split()) if isinstance(value, str) else ""


def _authors(value: object) -> str | None:
    people = value if isinstance(value, list) else [value]
    names = [_line(x.get("name") if isinstance(x, dict) else x) for x in people]
    return ", ".join(filter(None, names)) or None
