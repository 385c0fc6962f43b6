"""Whether an answer is borne out by what was taken in: one passage holds most of what it says.

An adapted model that does not know puts together what it was taught: a sentence of one note with a number of another. What it
does know it says nearly as its source does, so a learned answer that no passage bears out is none. To look
an answer up after it was given is cheap, and finds what search with the words of the question may miss
(https://arxiv.org/abs/2210.08726 does so with a second model).
"""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing

from ..memory.search import Hit, asked_for, n_with, search, telling_words, terms_of
from ..memory.store import HEADINGS_INDEX, Store, marks
from ..memory.unspaced import spaced
from .apart import written_day
from .wordings import all_you_said

# So much of an answer a passage must hold at most, by the weight of its words.
BORNE_OUT = 0.5
LOOKED_AT = 8
# What may have been learned: never what an assistant once said.
KINDS = ("text", "told", "asked", "said")
# Words that are not of any passage, but of how it is told who said it, and such as claim nothing.
NO_CLAIM = {"said", "asked", *telling_words(" ".join(all_you_said()))}
NO_CLAIM |= {"yes", "ja", "oui", "si", "sí", "sim", "да", "так", "ναι"}


def learn(store: Store, right: Iterable[str]) -> float:
    """How much of an answer a passage must hold, so that none of these right ones is withheld: a base with words of its own, or
    in a language that is told of in others, needs less."""
    return min([BORNE_OUT, *(backing(store, answer) for answer in right)])


def backing(store: Store, answer: str, hits: Sequence[Hit] = ()) -> float:
    """How much of an answer the passage holds that holds most of it, with its days, its speakers and what it stands under: 0 to 1.

    Rare words weigh more, as in search; an answer of no telling words, such as yes, is held by any.

    Args:
        hits: passages that were in view, beside those that are looked up.
    """
    words = [word for word in asked_for(answer) if word not in NO_CLAIM]
    terms = terms_of(words)
    if not terms:
        return 1.0
    passages = _passages(store, answer, hits)
    n_chunks = 1 + (store.value("SELECT max(id) FROM chunks") or 0)
    weights = [math.log(1 + n_chunks / (n_with(store, term) + 0.5)) for term in terms]
    held = [0.0] * len(passages)
    with closing(sqlite3.connect(":memory:")) as index:  # stems words as the store's own indexes do
        index.execute(HEADINGS_INDEX)
        index.executemany("INSERT INTO headings_fts (text) VALUES (?)", [[p] for p in passages])
        for term, weight in zip(terms, weights, strict=True):
            where = "SELECT rowid FROM headings_fts WHERE headings_fts MATCH ?"
            for (row,) in index.execute(where, [term]):
                held[row - 1] += weight
    return max(held, default=0.0) / sum(weights)


def _passages(store: Store, answer: str, hits: Sequence[Hit]) -> Sequence[str]:
    """The passages that are likest to an answer and those that were in view, each with its days, its speakers and what it stands
    under."""
    found = search(store, answer, LOOKED_AT, KINDS, for_prompt=True)
    looked_at = {hit.chunk: hit for hit in found if hit.trust != "untrusted"}
    looked_at |= {hit.chunk: hit for hit in hits}
    around: dict[int, set[str]] = defaultdict(set)
    for row in store.rows(
        f"SELECT chunk_id, date, speaker FROM origins WHERE chunk_id IN ({marks(looked_at)})",
        *looked_at,
    ):
        around[row["chunk_id"]] |= {written_day(row["date"] or ""), row["speaker"] or ""}
    return [
        spaced(" ".join([hit.place, *sorted(around[chunk]), hit.text]))
        for chunk, hit in looked_at.items()
    ]
