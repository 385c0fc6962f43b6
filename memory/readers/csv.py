"""Tables as text, their cells parted by commas, semicolons, tabs or bars."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Document, Item, Section
from .plain_text import LARGEST_TEXT_BYTES, decode, load_bytes
from .tables import sheet_lines

_DELIMITERS = ",;\t|"
_SAMPLE_LETTERS = 64 * 1024
_SAMPLE_ROWS = 100
_SEPARATOR_LINE = re.compile(r"sep=(.)\n", re.IGNORECASE)
_MOST_LINES_IN_A_CELL = 1000


def matches(path: Path, head: bytes) -> bool:
    """Prose has commas too, so the name says it."""
    return path.suffix.lower() in (".csv", ".tsv", ".tab")


def read(path: Path) -> Iterator[Item]:
    """One document of one section, a paragraph for each row.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    text = decode(load_bytes(path)).lstrip("\n")
    said = _SEPARATOR_LINE.match(text)
    text = text[said.end() :] if said else text
    delimiter = said[1] if said else _delimiter(text)
    yield Document(path.stem, (Section("", "\n\n".join(sheet_lines(_rows(text, delimiter)))),))


def _delimiter(text: str) -> str:
    """The sign that parts most rows into the same number of cells; empty for a single column."""
    sample = text[:_SAMPLE_LETTERS]
    if len(text) > len(sample):
        sample = sample.rpartition("\n")[0] or sample
    best, best_score = "", (0.5, 1)
    for delimiter in _DELIMITERS:
        rows = [row for row in _rows(sample, delimiter) if any(row)][:_SAMPLE_ROWS]
        width, n_rows = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        score = (n_rows / max(len(rows), 1), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(text: str, delimiter: str) -> list[list[str]]:
    if not delimiter:
        return [[line] for line in text.split("\n")]
    csv.field_size_limit(LARGEST_TEXT_BYTES)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise UnreadableSource(f"no table that can be read: {error}") from error
    if any(cell.count("\n") > _MOST_LINES_IN_A_CELL for row in rows for cell in row):
        return [line.split(delimiter) for line in text.split("\n")]  # a quote was never closed
    return rows
