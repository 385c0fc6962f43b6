"""Whom a source is trusted as, and which passages are kept back.

Text of an untrusted source, and a passage that is kept back, can be searched and is labelled there; it is
neither studied nor rehearsed. A passage that is kept back stands in no prompt either.
"""

from . import contents
from .errors import LearnctlError
from .store import Record, Store, batches, marks

TIERS = ("own", "known", "untrusted")


def set_trust(store: Store, source_ids: list[int], tier: str) -> None:
    """Trust sources as `tier` from now on. What was learned from one that is trusted no longer is
    unlearned by the next consolidation: its samples go, and its versions are marked stale.

    Raises:
        LearnctlError: there is no such tier.
    """
    if tier not in TIERS:
        raise LearnctlError(f"trust must be one of {', '.join(TIERS)}, not {tier}")
    with store.db.atomic():
        for source_id in source_ids:
            store.db.execute("UPDATE sources SET trust = ? WHERE id = ?", [tier, source_id])
            if tier == "untrusted":
                _unlearn(store, source_id)


def _unlearn(store: Store, source_id: int) -> None:
    held = store.rows("SELECT DISTINCT chunk_id FROM origins WHERE source_id = ?", source_id)
    distrusted = {row["chunk_id"] for row in held}
    # By their numbers: SQLite reads the view `origins` from end to end where it is joined with itself.
    for some in batches(sorted(distrusted)):
        distrusted -= {
            row["chunk_id"]
            for row in store.rows(
                "SELECT o.chunk_id FROM origins o JOIN sources s ON s.id = o.source_id"
                f" WHERE o.chunk_id IN ({marks(some)}) AND s.trust != 'untrusted'",
                *some,
            )
        }
    contents.unlearn(store, sorted(distrusted))


def kept_back(store: Store, source_ids: list[int] | None = None) -> list[Record]:
    """Every passage that is kept back, of some sources or of all: chunk, reason, source, text."""
    among = "1" if source_ids is None else f"o.source_id IN ({marks(source_ids)})"
    return store.rows(
        "SELECT c.id AS chunk, c.quarantine AS reason, s.path AS source, c.text"
        " FROM chunks c JOIN origins o ON o.chunk_id = c.id JOIN sources s ON s.id = o.source_id"
        f" WHERE c.quarantine IS NOT NULL AND {among} GROUP BY c.id ORDER BY c.id",
        *(source_ids or ()),
    )


def let_in(store: Store, chunk_ids: list[int]) -> int:
    """Let passages be studied and used in prompts. Returns how many were kept back until now."""
    n_let_in = 0
    with store.db.atomic():
        for chunk_id in chunk_ids:
            done = store.db.execute(
                "UPDATE chunks SET quarantine = NULL WHERE id = ? AND quarantine IS NOT NULL",
                [chunk_id],
            )
            n_let_in += done.rowcount
    return n_let_in
