"""Data on stdout, talk on stderr, colours only on a terminal that wants them."""

import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# Control characters could rewrite what the terminal shows; names and texts come from anywhere.
_CONTROLS = {code: "" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
# Wide enough that nothing is cut where the output goes into a file or a pipe.
_UNLIMITED = 100_000
# The width that a text which is folded is to have at least.
_FOLDED = 16


def show(text: str = "") -> None:
    """A line of data."""
    print(plain(text))


def show_json(value: Any) -> None:
    try:
        print(json.dumps(value, allow_nan=False))
    except ValueError:  # JSON has no word for what is no finite number
        from ..memory.store import finite

        print(json.dumps(finite(value)))


def say(text: str) -> None:
    """A line of talk."""
    sys.stdout.flush()
    print(text, file=sys.stderr)


def say_dimly(text: str) -> None:
    console(stderr=True).print(
        plain(text), style="dim", markup=False, highlight=False, soft_wrap=True
    )


def show_table(columns: Iterable[str], rows: Iterable[Iterable[Any]], fold: str) -> None:
    """A table without lines; numbers stand to the right, and the column `fold` takes what is left. Where the terminal is too narrow for that,
    the other texts are folded, too, before any of it is lost."""
    from rich.table import Table

    lines = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(lines) and all(isinstance(line[index], int | float) for line in lines)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column != fold)
    for line in lines:
        table.add_row(*(_cell(value) for value in line))
    where = console()
    if not where.is_terminal:
        where.width = _UNLIMITED
    _let_fold(table, lines, where.width)
    where.print(table, highlight=False)


def _let_fold(table: "Table", lines: list[list[Any]], room: int) -> None:
    """Let the widest texts of a table fold, one after another, until each column has some of the room."""
    widths = []
    for index, column in enumerate(table.columns):
        cells = [str(column.header), *(str(_cell(line[index])) for line in lines)]
        widest = max(max(map(len, cell.splitlines()), default=0) for cell in cells)
        widths.append(min(widest, _FOLDED) if not column.no_wrap else widest)
    for index in sorted(range(len(widths)), key=widths.__getitem__, reverse=True):
        if sum(widths) + 2 * len(widths) <= room:
            return
        column = table.columns[index]
        if column.no_wrap and column.justify == "left":
            column.no_wrap, widths[index] = False, min(widths[index], _FOLDED)


def console(stderr: bool = False) -> "Console":
    from rich.console import Console

    no_color = bool(os.environ.get("NO_COLOR"))
    return Console(stderr=stderr, color_system=None if no_color else "auto")


def plain(text: str) -> str:
    """A text without control characters."""
    return text.translate(_CONTROLS)


def beginning(text: str, length: int) -> str:
    """A text on one line, cut where it is too long for that."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def n_bytes(number: float) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f} bytes"


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def is_terminal(stream: Any) -> bool:
    return bool(stream is not None and stream.isatty())


def _cell(value: Any) -> Any:
    from rich.text import Text

    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        return f"{value:,}"
    return Text(plain("" if value is None else str(value)))
