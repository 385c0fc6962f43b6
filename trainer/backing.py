"""Whether an answer is borne out by what was taken in: one passage holds most of what it says.

An adapted model that does not know puts together what it was taught: a sentence of one note with a number of another. What it
does know it says nearly as its source does, so a learned answer that no passage bears out is none. To look
an answer up after it was given is cheap, and finds what search with the words of the question may miss
(https://arxiv.org/abs/2210.08726 does so with a second model).
"""

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing

from ..memory.search import COMMON_HERE, asked_for, search, terms_of
from ..memory.store import HEADINGS_INDEX, Store, marks
from ..memory.unspaced import spaced
from .apart import written_day

# A passage must hold so much of an answer, by the weight of its words.
BORNE_OUT = 0.5
LOOKED_AT = 8
# What may have been learned: never what an assistant once said.
KINDS = ("text", "told", "asked", "said")


def is_backed(store: Store, answer: str) -> bool:
    """Whether one passage, with its day, its speaker and what it stands under, holds at least half of the words of an answer.

    Rare words weigh more, as in search; an answer of no telling words is backed.
    """
    terms = terms_of(asked_for(answer))
    if not terms:
        return True
    passages = _passages(store, answer)
    n_chunks = 1 + (store.value("SELECT max(id) FROM chunks") or 0)
    weights = [math.log(1 + n_chunks / (_n_with(store, term) + 0.5)) for term in terms]
    held = [0.0] * len(passages)
    with closing(sqlite3.connect(":memory:")) as index:  # stems words as the store's own indexes do
        index.execute(HEADINGS_INDEX)
        index.executemany("INSERT INTO headings_fts (text) VALUES (?)", [[p] for p in passages])
        for term, weight in zip(terms, weights, strict=True):
            where = "SELECT rowid FROM headings_fts WHERE headings_fts MATCH ?"
            for (row,) in index.execute(where, [term]):
                held[row - 1] += weight
    return max(held, default=0.0) >= BORNE_OUT * sum(weights)


def _passages(store: Store, answer: str) -> Sequence[str]:
    """The passages that are likest to an answer, each with its day, its speaker and what it stands under."""
    hits = search(store, answer, LOOKED_AT, KINDS, for_prompt=True)
    origins = store.rows(
        "SELECT chunk_id, date, speaker FROM origins"
        f" WHERE chunk_id IN ({marks(hits)}) GROUP BY chunk_id",
        *(hit.chunk for hit in hits),
    )
    of = {row["chunk_id"]: row for row in origins}
    return [
        spaced(
            f"{hit.place} {written_day(of[hit.chunk]['date'] or '')} {of[hit.chunk]['speaker'] or ''} {hit.text}"
        )
        for hit in hits
    ]


def _n_with(store: Store, term: str) -> int:
    found = "SELECT count(*) FROM (SELECT 1 FROM chunks_fts WHERE chunks_fts MATCH ? LIMIT ?)"
    return int(store.value(found, term, COMMON_HERE))
