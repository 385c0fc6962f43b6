"""Rows of tables as lines that can be read alone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

_NUMBER = re.compile(r"[-+(]{0,2}[$€£¥]?\s?\d[\d.,'\s]*\s?(?:%|[$€£¥])?\)?")
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ].*)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_MERGED = 1000
# Of one table: a page of a few kilobytes could say the same over and over in megabytes.
_MOST_SAID_AGAIN = 100_000


@dataclass(frozen=True)
class Cell:
    """A cell, and over how many columns and rows it reaches; or one that goes on with what stands above it."""

    text: str
    n_columns: int = 1
    n_rows: int = 1
    goes_on: bool = False


class Merged:
    """Told the rows of a table as they come; puts each text into its column.

    What names columns names all that it reaches over. Any other text is said once in its row, and again in the
    rows below that it reaches over, where these say something of their own.
    """

    def __init__(self) -> None:
        self._above: list[str] = []  # what goes on in the row below
        self._n_below: dict[int, int] = {}  # by column, for how many rows more
        self._n_said_again = 0  # characters

    def row(self, cells: list[Cell], is_head: bool) -> list[str]:
        """The texts by column; `is_head` where they name what stands below."""
        row: list[str] = []
        for cell in cells:
            self._go_on(row)
            for place in range(max(1, min(cell.n_columns, _MOST_MERGED - len(row)))):
                if len(row) < _MOST_MERGED:
                    self._n_below[len(row)] = cell.n_rows - 1
                text = self._text_above(len(row)) if cell.goes_on else cell.text
                row.append(text if is_head or not place else "")
        self._go_on(row)
        self._above = [] if is_head else row
        return row if any(cell.text for cell in cells) else []

    def _go_on(self, row: list[str]) -> None:
        while n_below := self._n_below.pop(len(row), 0):
            if n_below > 1:
                self._n_below[len(row)] = n_below - 1
            row.append(self._text_above(len(row)))

    def _text_above(self, column: int) -> str:
        text = self._above[column] if column < len(self._above) else ""
        self._n_said_again += len(text)
        return text if self._n_said_again <= _MOST_SAID_AGAIN else ""


def number_merged(written: str | None) -> int:
    """How many columns or rows a file says that a cell reaches over."""
    if written and written.isascii() and written.isdecimal():
        return min(max(int(written[:9]), 1), _MOST_MERGED)
    return 1


def table_lines(rows: list[list[Cell]]) -> Iterator[str]:
    """The rows, the first one taken as names of the columns where it has more than one cell."""
    merged = Merged()
    has_head = len(rows) > 1 and len(rows[0]) > 1
    columns = merged.row(rows[0], is_head=True) if has_head else []
    for cells in rows[1:] if has_head else rows:
        yield row_line(columns, merged.row(cells, is_head=False))


def row_line(columns: list[str], cells: list[str]) -> str:
    """`Name: Ann; Age: 41` for the row `Ann, 41` under the columns `Name, Age`."""
    named = [
        f"{columns[i]}: {cell}" if i < len(columns) and columns[i] else cell
        for i, cell in enumerate(cells)
        if cell
    ]
    return "; ".join(named)


def sheet_lines(rows: Iterable[list[str]]) -> Iterator[str]:
    """The rows of a sheet, the first full one taken as names of the columns where it looks so.

    A cell alone in its row above that is a caption and stays a line of its own.
    """
    filled = (row for row in map(_tidy, rows) if row)
    captions = []
    for row in filled:
        if sum(map(bool, row)) > 1:
            break
        captions.append("".join(row))
    else:
        yield from captions
        return
    yield from captions
    columns = [name.rstrip(" :") for name in row] if _names_columns(row) else []
    following = next(filled, None)
    if not columns or following is None:
        yield row_line([], row)
    for cells in chain([following] if following else [], filled):
        yield row_line(columns, cells)


def _tidy(row: list[str]) -> list[str]:
    cells = [" ".join(cell.split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _names_columns(row: list[str]) -> bool:
    """Names are words; years may stand among them."""
    filled = [cell for cell in row if cell]
    years = [cell for cell in filled if _YEAR.fullmatch(cell)]
    others = [cell for cell in filled if not _YEAR.fullmatch(cell)]
    if years and not others and row[0]:
        return False
    return not any(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell) for cell in others)
