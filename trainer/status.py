"""Where things stand: what is in the store, what is new, which version serves, how much it knows."""

import json
import math
from dataclasses import asdict

from ..memory.lineage import (
    barren_chunks,
    in_service,
    learned_chunks,
    new_chunks,
    sources_of,
    studied_chunks,
)
from ..memory.store import Record, Store
from .checked import counted
from .choice import TOKENS_PER_WORD
from .options import Options
from .workload import words_a_night


def status(store: Store, options: Options) -> Record:
    """What is there and how far learning has come, at so many minutes a night.

    Returns, beside counts: `new_tokens`, `version`, `known`; `learned`, the share of all that has
    something to teach that is in the weights, by words, and `nights_to_go`, at the pace of the last night, or at an assumed one;
    `set_aside`, the sources with passages that no night could teach; `written`, what the base wrote about the texts and how much of it the checks dropped.
    """
    version = in_service(store)
    report = store.value(
        "SELECT r.report FROM runs r JOIN adapters a ON a.run_id = r.id WHERE a.version = ?",
        version,
    )
    kinds = options.kinds.split(",")
    barren = barren_chunks(store, kinds=kinds)
    words = {c["id"]: c["n_words"] for c in studied_chunks(store) if c["id"] not in barren}
    n_new = sum(chunk["n_words"] for chunk in new_chunks(store, kinds=kinds))
    n_learned = sum(words.get(number, 0) for number in learned_chunks(store, version))
    pace, is_measured = words_a_night(store, options)
    return {
        **store.counts(),
        "new_tokens": round(TOKENS_PER_WORD * n_new),
        "learned": round(n_learned / sum(words.values()), 4) if words else None,
        "nights_to_go": math.ceil(n_new / pace),
        "pace_is_measured": is_measured,
        "night_minutes": options.night_minutes,
        "version": version,
        "set_aside": sources_of(store, "SELECT chunk_id FROM set_aside"),
        "written": {kind: asdict(found) for kind, found in counted(store).items()},
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
