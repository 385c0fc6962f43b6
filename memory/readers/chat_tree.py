"""Chats that branch: every edit and every second try of an answer leaves the one before in the tree."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..records import Message


@dataclass(frozen=True)
class Node:
    """A place in the tree; `message` is None where nothing was said that a person would see."""

    id: str
    parent: str | None
    message: Message | None
    moment: float | str = ""  # only compared, and alike in one tree


Messages = tuple[Message, ...]


def talk_and_alternatives(nodes: Iterable[Node], current: object) -> tuple[Messages, Messages]:
    """What was last seen: the way from the root to `current`; and all else that was said.

    Without a current node, the newest end of a branch stands for it.
    """
    known = {node.id: node for node in nodes}
    if not isinstance(current, str) or current not in known:
        current = _newest_end(known)
    path: list[Node] = []
    seen: set[str] = set()
    while current is not None and current in known and current not in seen:
        seen.add(current)  # a damaged export may loop
        path.append(known[current])
        current = known[current].parent
    others = (node for node in known.values() if node.id not in seen)
    return _said(path[::-1]), _said(others)


def _newest_end(known: dict[str, Node]) -> str | None:
    parents = {node.parent for node in known.values()}
    ends = [node for node in known.values() if node.id not in parents]
    newest = max((node.moment for node in ends), default=None)
    return next((node.id for node in reversed(ends) if node.moment == newest), None)


def _said(nodes: Iterable[Node]) -> Messages:
    return tuple(node.message for node in nodes if node.message)
