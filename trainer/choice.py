"""What the next consolidation trains: from the base over everything, or on the version in service over what is new."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..memory.lineage import (
    ancestors,
    in_service,
    is_of_another_base,
    learned_chunks,
    new_chunks,
    studied_chunks,
)
from ..memory.priority import in_priority
from ..memory.store import Record, Store
from . import registry
from .options import Options
from .workload import fits_a_night

# A slow pass is due when what was learned since the last one is this share of all that is learned, and this much. What waits to be
# learned makes none due: a first ingest can take many nights.
SLOW_SHARE = 0.25
SLOW_TOKENS = 5000
# What somebody writes in every day has always changed since. So a slow pass that takes longer than a night waits until the last one is so
# old, and so long after it was overtaken by such a change; what is new is learned meanwhile.
SLOW_DAYS = 7
CHANGED = "a source it learned from has changed"
TOKENS_PER_WORD = 1.4


@dataclass(frozen=True)
class Choice:
    """What a night trains, and on what: from the base (slow), or on the version in service (fast)."""

    level: str
    parent: int
    replaces: int  # the version in service
    chunks: list[Record]
    reason: str


def choose(
    store: Store,
    options: Options,
    base_digest: str | None = None,
) -> Choice | None:
    """What the next consolidation would train. None where there is nothing to do.

    Args:
        base_digest: the base it would train on, where that is known.
    """
    version = in_service(store)
    fresh = new_chunks(store, base_digest, options.kinds.split(","))
    learned = learned_chunks(store, version)
    wanted = learned | {chunk["id"] for chunk in fresh}
    everything = [chunk for chunk in in_priority(studied_chunks(store)) if chunk["id"] in wanted]
    fresh = [chunk for chunk in everything if chunk["id"] not in learned]
    due = _slow_is_due(store, version, base_digest)
    if not everything or not (fresh or due):
        return None
    due = due or _slow_is_worth_it(store, version, learned, everything)
    if due and not (fresh and _can_wait(store, options, version, base_digest, due, learned)):
        return Choice("slow", 0, version, everything, due)
    if options.fast != "anew":
        return Choice("fast", version, version, fresh, "what is new, on the version in service")
    slow = _slow_below(store, version)
    held = learned_chunks(store, slow)
    since = [chunk for chunk in everything if chunk["id"] not in held]
    return Choice("fast", slow, version, since, "what came since the slow level")


def tokens_of(chunks: list[Record]) -> int:
    """About how many tokens some chunks have."""
    n_words = sum(int(chunk["n_words"]) for chunk in chunks)
    return round(TOKENS_PER_WORD * n_words)


def _slow_is_due(store: Store, version: int, base_digest: str | None) -> str:
    """Why the version in service should not be built upon; empty where it may."""
    due = store.setting(registry.SLOW_DUE)
    state = store.value("SELECT state FROM adapters WHERE version = ?", version)
    if due or state is None:
        return due
    if base_digest and is_of_another_base(store, version, base_digest):
        return "the base model has changed"
    return "" if state == "ok" else CHANGED


def _can_wait(
    store: Store,
    options: Options,
    version: int,
    base_digest: str | None,
    due: str,
    learned: set[int],
) -> bool:
    """Whether a slow pass that is due may wait, for there is a version to build upon meanwhile."""
    if not version or (base_digest and is_of_another_base(store, version, base_digest)):
        return False
    if _is_of_late(store.setting(registry.OVERTAKEN_AT)):
        return True
    made = "SELECT created_at FROM adapters WHERE version = ?"
    return (
        due == CHANGED
        and _is_of_late(store.value(made, _slow_below(store, version)))
        and not fits_a_night(store, options, learned)
    )


def _is_of_late(moment: str) -> bool:
    """Whether a moment is less than `SLOW_DAYS` ago; one that is empty never was."""
    since = datetime.now(UTC) - timedelta(days=SLOW_DAYS)
    return bool(moment) and datetime.fromisoformat(moment) > since


def _slow_below(store: Store, version: int) -> int:
    """The slow version that a version is or stands on."""
    return ancestors(store, version)[-1]


def _slow_is_worth_it(
    store: Store, version: int, learned: set[int], everything: list[Record]
) -> str:
    if not version:
        return "there is no version to build upon"
    held = learned_chunks(store, _slow_below(store, version))
    known = [chunk for chunk in everything if chunk["id"] in learned]
    since = tokens_of([chunk for chunk in known if chunk["id"] not in held])
    if since >= SLOW_TOKENS and since >= SLOW_SHARE * tokens_of(known):
        return "much was learned since the last slow pass"
    return ""
