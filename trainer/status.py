"""Where things stand: what is in the store, what is new, which version serves, how much it knows."""

import json

from ..memory.lineage import in_service, new_chunks
from ..memory.store import Record, Store
from .consolidate import TOKENS_PER_WORD


def status(store: Store) -> Record:
    version = in_service(store)
    report = store.value(
        "SELECT r.report FROM runs r JOIN adapters a ON a.run_id = r.id WHERE a.version = ?",
        version,
    )
    return {
        **store.counts(),
        "new_tokens": round(TOKENS_PER_WORD * sum(c["n_words"] for c in new_chunks(store))),
        "version": version,
        "known": _known(json.loads(report)) if report else None,
    }


def _known(report: Record) -> float | None:
    """The share of all probes, new and old, right at the end of a run."""
    parts = [part for part in (report["recall"]["new"], report["recall"]["old"]) if part]
    n_probes = sum(part["n"] for part in parts)
    if not n_probes:
        return None
    n_right = sum(float(part["after"] or 0) * part["n"] for part in parts)
    return float(round(n_right / n_probes, 4))
