"""What a source may teach: its facts, the voice of the person who wrote it, or both; and who of those who write is the owner."""

from collections.abc import Iterable

from . import contents, people
from .errors import LearnctlError
from .lineage import studied_chunks
from .names import name_of
from .store import LISTED, Store, to_json

LEARN = ("facts", "voice", "both")


def set_names(store: Store, mine: Iterable[str] = (), not_mine: Iterable[str] = ()) -> None:
    """Say which names are the owner's, and which are not. Letters that change hands by that are studied again."""
    mine, not_mine = list(mine), list(not_mine)
    known = set(map(name_of, people.known(store)))
    if known.issuperset(map(name_of, mine)) and known.isdisjoint(map(name_of, not_mine)):
        return  # said again: all that can be studied need not be looked at
    with store.db.atomic():
        before = _hands(store)
        people.remember(store, mine)
        people.disown(store, not_mine)
        changed = [number for number, hand in _hands(store).items() if before.get(number) != hand]
        if changed:
            contents.unlearn(store, changed)


def _hands(store: Store) -> dict[int, tuple[str | None, bool]]:
    """Of what can be studied: whose it is, as far as that changes what is made of it."""
    return {
        chunk["id"]: (chunk["writer"], chunk["is_anothers"] and chunk["learn"] != "facts")
        for chunk in studied_chunks(store)
    }


def set_learn(store: Store, source_ids: list[int], what: str) -> int:
    """Say what some sources may teach. How many of them changed.

    What was made of a changed source to train on goes, so that it is studied again; versions that learned
    from it are marked stale, and the next consolidation trains without what it may no longer teach.

    Raises:
        LearnctlError: `what` is none of `LEARN`.
    """
    if what not in LEARN:
        raise LearnctlError(f"cannot learn `{what}`", hint=f"one of: {', '.join(LEARN)}")
    changed = [
        row["id"]
        for row in store.rows(
            f"SELECT id FROM sources WHERE learn != ? AND id IN {LISTED}",
            what,
            to_json(source_ids),
        )
    ]
    if not changed:
        return 0
    with store.db.atomic():
        listed = to_json(changed)
        chunk_ids = [
            row["chunk_id"]
            for row in store.rows(
                f"SELECT DISTINCT chunk_id FROM origins WHERE source_id IN {LISTED}", listed
            )
        ]
        contents.unlearn(store, chunk_ids)
        store.db.execute(f"UPDATE sources SET learn = ? WHERE id IN {LISTED}", [what, listed])
    return len(changed)
