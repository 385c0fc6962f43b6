"""Rows of tables as lines that can be read alone."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

_NUMBER = re.compile(r"[-+(]{0,2}[$€£¥]?\s?\d[\d.,'\s]*\s?(?:%|[$€£¥])?\)?")
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ].*)?")
_YEAR = re.compile(r"(?:19|20)\d\d")


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
