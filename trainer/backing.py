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
from dataclasses import dataclass

from ..memory.search import Hit, asked_for, n_with, search, telling_words, terms_of
from ..memory.sentences import sentences
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


@dataclass(frozen=True)
class Backing:
    """What bears an answer out.

    Attributes:
        share: how much of the answer the passage holds that holds most of it: 0 to 1.
        text: of that passage the sentence that holds most, with the one before it and what it stands under; empty where
            there is no passage, or the answer has no telling words, such as yes, which any passage holds.
    """

    share: float
    text: str


def learn(right: Iterable[Backing]) -> float:
    """How much of an answer a passage must hold, so that none of these right ones is withheld: a base with words of its own, or
    in a language that is told of in others, needs less. What no passage holds anything of tells nothing."""
    return min([BORNE_OUT, *(one.share for one in right if one.share)])


def backing(store: Store, answer: str, hits: Sequence[Hit] = ()) -> Backing:
    """What bears an answer out: the passage that holds most of it, with its days, its speakers and what it stands under.

    Rare words weigh more, as in search.

    Args:
        hits: passages that were in view, beside those that are looked up.
    """
    words = [word for word in asked_for(answer) if word not in NO_CLAIM]
    terms = terms_of(words)
    if not terms:
        return Backing(1.0, "")
    n_chunks = 1 + (store.value("SELECT max(id) FROM chunks") or 0)
    weights = [math.log(1 + n_chunks / (n_with(store, term) + 0.5)) for term in terms]
    passages = _passages(store, answer, hits)
    if not passages:
        return Backing(0.0, "")
    held = _held([f"{around} {text}" for around, text in passages], terms, weights)
    around, text = passages[held.index(max(held))]
    said = sentences(text)
    of_each = _held(said, terms, weights)
    at = of_each.index(max(of_each)) if said else 0
    told = " ".join(said[max(0, at - 1) : at + 1])
    return Backing(max(held) / sum(weights), f"{around}: {told}" if around else told)


def _held(texts: Sequence[str], terms: Sequence[str], weights: Sequence[float]) -> list[float]:
    """What the terms that each text holds weigh together."""
    held = [0.0] * len(texts)
    with closing(sqlite3.connect(":memory:")) as index:  # stems words as the store's own indexes do
        index.execute(HEADINGS_INDEX)
        index.executemany(
            "INSERT INTO headings_fts (text) VALUES (?)", [[spaced(text)] for text in texts]
        )
        for term, weight in zip(terms, weights, strict=True):
            where = "SELECT rowid FROM headings_fts WHERE headings_fts MATCH ?"
            for (row,) in index.execute(where, [term]):
                held[row - 1] += weight
    return held


def _passages(store: Store, answer: str, hits: Sequence[Hit]) -> list[tuple[str, str]]:
    """The passages that are likest to an answer and those that were in view, each behind its days, its speakers and what it
    stands under."""
    found = search(store, answer, LOOKED_AT, KINDS, for_prompt=True)
    looked_at = {hit.chunk: hit for hit in found if hit.trust != "untrusted"}
    looked_at |= {hit.chunk: hit for hit in hits}
    around: dict[int, set[str]] = defaultdict(set)
    for row in store.rows(
        f"SELECT chunk_id, date, speaker FROM origins WHERE chunk_id IN ({marks(looked_at)})",
        *looked_at,
    ):
        around[row["chunk_id"]] |= {written_day(row["date"] or ""), row["speaker"] or ""} - {""}
    return [
        (" ".join([hit.place, *sorted(around[chunk])]).strip(), hit.text)
        for chunk, hit in looked_at.items()
    ]
