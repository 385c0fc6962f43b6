"""An answer as it comes: Markdown on a terminal, the text itself everywhere else.

Blocks that are finished are printed once and stay; only the last one is drawn again with every piece, so
that an answer may be longer than the screen.
"""

import re
import sys
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from .output import console, is_terminal, plain

if TYPE_CHECKING:
    from rich.console import Console

_FENCE = re.compile(r" {0,3}(```|~~~)")


def show_stream(pieces: Generator[str, None, None]) -> None:
    """Show an answer piece by piece; what has come is shown also where it is stopped."""
    where = console()
    with closing(pieces):
        if where.is_terminal and not where.is_dumb_terminal and is_terminal(sys.stdout):
            _show_markdown(where, pieces)
            return
        try:
            for piece in pieces:
                print(plain(piece), end="", flush=True)
        finally:
            print(flush=True)


def finished(text: str) -> int:
    """How much of a text consists of blocks that nothing to come belongs to."""
    end = place = 0
    fence = ""
    after_blank = False
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if after_blank and not fence and not line[0].isspace():
            end = place
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        after_blank = not line.strip()
        place += len(line)
    return end


def _show_markdown(where: "Console", pieces: Generator[str, None, None]) -> None:
    from rich.live import Live
    from rich.text import Text

    text = ""
    n_blocks = 0

    def put(block: str) -> None:
        nonlocal n_blocks
        if block.strip():
            if n_blocks:
                where.print()
            where.print(_markdown(block))
            n_blocks += 1

    live = Live(
        Text("…", style="dim"),
        console=where,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    try:
        with live:
            live.refresh()
            for piece in pieces:
                text += plain(piece)
                end = finished(text)
                if end:
                    live.update(Text(""), refresh=True)
                    put(text[:end])
                    text = text[end:]
                live.update(_Tail(text, spaced=n_blocks > 0), refresh=True)
    finally:
        put(text)


class _Tail:
    """The end of a block that is still coming, as much as the screen holds."""

    def __init__(self, text: str, spaced: bool) -> None:
        self.text = text
        self.spaced = spaced

    def __rich_console__(self, where: Any, options: Any) -> Any:
        from rich.segment import Segment

        lines = where.render_lines(_markdown(self.text), options, pad=False)
        if self.spaced:
            lines.insert(0, [])
        for line in lines[-max(1, where.height - 2) :]:
            yield from line
            yield Segment.line()


def _markdown(text: str) -> Any:
    from rich.markdown import Markdown

    # No hyperlinks: where a link leads is to be seen.
    return Markdown(text, hyperlinks=False)
