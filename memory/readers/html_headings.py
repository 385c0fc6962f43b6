"""Where a page's headings stand, told by the words that follow them."""

from collections.abc import Iterator
from typing import Any

HEADING_LEVELS = {f"h{level}": level for level in range(1, 7)}
_OPENING_LETTERS = 30
_SHORTEST_OPENING = 12
_UNSEEN = ("script", "style", "template", "noscript")


def opening(text: str) -> str:
    """The first letters of a text, by which the same text is known again; empty if too few."""
    letters = "".join(filter(str.isalnum, text[: 4 * _OPENING_LETTERS])).lower()[:_OPENING_LETTERS]
    return letters if len(letters) >= _SHORTEST_OPENING else ""


def headings_by_opening(page: Any) -> dict[str, list[tuple[int, str]]]:
    """Headings as (level, text), outermost first, by the opening of what follows them."""
    found: dict[str, list[tuple[int, str]]] = {}
    waiting: list[tuple[int, str]] = []
    after = ""
    for piece in _pieces(page):
        if isinstance(piece, str):
            after += piece if waiting else ""
            if len(after) < 3 * _OPENING_LETTERS:
                continue
        elif not after.strip():
            waiting.append(piece)
            continue
        if waiting and opening(after):
            found.setdefault(opening(after), waiting)
        waiting, after = ([] if isinstance(piece, str) else [piece]), ""
    if waiting and opening(after):
        found.setdefault(opening(after), waiting)
    return found


def _pieces(page: Any) -> Iterator[tuple[int, str] | str]:
    """Headings whole and the text between them, in reading order."""
    stack: list[Any] = [page]
    while stack:
        piece = stack.pop()
        if isinstance(piece, str):
            yield piece
            continue
        stack.append(piece.tail or "")
        if piece.tag in HEADING_LEVELS:
            yield HEADING_LEVELS[piece.tag], " ".join("".join(piece.itertext()).split())
        elif isinstance(piece.tag, str) and piece.tag not in _UNSEEN:  # comments have none
            stack.extend(reversed(piece))
            stack.append(piece.text or "")
