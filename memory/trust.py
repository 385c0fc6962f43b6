"""Whom a source is trusted as, and which passages are kept back.

Text of an untrusted source, and a passage that is kept back, can be searched and is labelled there; it is
neither studied nor rehearsed. A passage that is kept back stands in no prompt either.
"""

from . import contents
from .errors import LearnctlError
from .store import LISTED, Record, Store, batches, marks, to_json
from .suspicion import first_reason

TIERS = ("own", "known", "untrusted")


def set_trust(store: Store, source_ids: list[int], tier: str) -> int:
    """Trust sources as `tier` from now on; how many more passages are kept back.

    What was learned from one that is trusted no longer is unlearned by the next consolidation: its samples
    go, and its versions are marked stale. What was only spoken of in a source of one's own is an order in one
    that is not, and kept back, unless another source of one's own says it too.

    Raises:
        LearnctlError: there is no such tier.
    """
    if tier not in TIERS:
        raise LearnctlError(f"trust must be one of {', '.join(TIERS)}, not {tier}")
    n_kept_back = 0
    with store.db.atomic():
        for source_id in source_ids:
            before = store.value("SELECT trust FROM sources WHERE id = ?", source_id)
            if before == tier:
                continue
            store.db.execute("UPDATE sources SET trust = ? WHERE id = ?", [tier, source_id])
            if before == "own":
                n_kept_back += _look_again(store, source_id)
            if tier == "untrusted":
                contents.unlearn(store, _only_held_by(store, source_id, "= 'untrusted'"))
    return n_kept_back


def _look_again(store: Store, source_id: int) -> int:
    """Keep back what is an order now that the source is no longer its owner's; how many passages."""
    suspected: dict[int, str] = {}
    for some in batches(_only_held_by(store, source_id, "!= 'own'")):
        for row in store.rows(
            "SELECT c.id, c.text, o.title, o.heading, o.speaker FROM chunks c"
            " JOIN origins o ON o.chunk_id = c.id"
            f" WHERE c.id IN ({marks(some)}) AND c.quarantine IS NULL",
            *some,
        ):
            above = (row["title"], *row["heading"].split(" › "), row["speaker"])
            if reason := first_reason((row["text"], *above), is_own=False):
                suspected[row["id"]] = reason
    for chunk_id, reason in suspected.items():
        store.db.execute("UPDATE chunks SET quarantine = ? WHERE id = ?", [reason, chunk_id])
    contents.unlearn(store, sorted(suspected))
    return len(suspected)


def _only_held_by(store: Store, source_id: int, tiers: str) -> list[int]:
    """The chunks of a source that only sources of some tiers hold."""
    held = store.rows("SELECT DISTINCT chunk_id FROM origins WHERE source_id = ?", source_id)
    found = {row["chunk_id"] for row in held}
    # By their numbers: SQLite reads the view `origins` from end to end where it is joined with itself.
    for some in batches(sorted(found)):
        found -= {
            row["chunk_id"]
            for row in store.rows(
                "SELECT o.chunk_id FROM origins o JOIN sources s ON s.id = o.source_id"
                f" WHERE o.chunk_id IN ({marks(some)}) AND NOT s.trust {tiers}",
                *some,
            )
        }
    return sorted(found)


def kept_back(store: Store, source_ids: list[int] | None = None) -> list[Record]:
    """Every passage that is kept back, of some sources or of all: chunk, reason, source, text."""
    among = "1" if source_ids is None else f"o.source_id IN {LISTED}"
    return store.rows(
        "SELECT c.id AS chunk, c.quarantine AS reason, s.path AS source, c.text"
        " FROM chunks c JOIN origins o ON o.chunk_id = c.id JOIN sources s ON s.id = o.source_id"
        f" WHERE c.quarantine IS NOT NULL AND {among} GROUP BY c.id ORDER BY c.id",
        *(() if source_ids is None else [to_json(source_ids)]),
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
