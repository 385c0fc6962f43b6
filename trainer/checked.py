"""How much of what a base wrote about a person's texts did not pass the checks, counted over all nights."""

import json
from dataclasses import dataclass

from ..memory.store import Store

KINDS = ("questions", "answers", "pairs", "notes")


@dataclass
class Checked:
    """How many were written, and how many of them were dropped."""

    written: int = 0
    dropped: int = 0


def count(store: Store, kind: str, found: Checked) -> None:
    """Add to what was counted of a kind, within a transaction that keeps what was written."""
    if not found.written:
        return
    so_far = counted(store).get(kind, Checked())
    total = [so_far.written + found.written, so_far.dropped + found.dropped]
    store.set_setting(f"{kind} written", json.dumps(total))


def counted(store: Store) -> dict[str, Checked]:
    """The kinds of which anything was written."""
    found = {kind: store.setting(f"{kind} written") for kind in KINDS}
    return {kind: Checked(*json.loads(text)) for kind, text in found.items() if text}
