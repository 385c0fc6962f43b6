"""Questions that take for granted what is not so, and such that are right in it.

A value of one fact is put into the statement of another, and whether that is so is denied with the statement itself; of every
other fact it is asked as it stands, so that no is not the answer to all. A model goes along with a false premise until a few
examples show it that it may object (https://arxiv.org/abs/2307.02394). No model is needed.
"""

from collections.abc import Sequence, Set

from ..memory.store import Record
from .contrasts import form_of
from .facts import Fact, contains, normalise
from .wordings import ENGLISH, spoken_to

# One fact in so many is asked so.
FACTS_PER_PREMISE = 4


def premises(facts: Sequence[tuple[Record, Fact]]) -> list[tuple[int, int | None, str, str]]:
    """For some of the facts: the chunk, the chunk of the value that was put in where it is another one, prompt, answer."""
    found: list[tuple[int, int | None, str, str]] = []
    true = {normalise(fact.statement) for _, fact in facts}
    for place in range(0, len(facts), FACTS_PER_PREMISE):
        chunk, fact = facts[place]
        if fact.language != ENGLISH:
            continue
        told = chunk["kind"] == "told"
        statement = spoken_to(fact.statement, ENGLISH) if told else fact.statement
        # By the chunk too, so that small groups do not all begin with no.
        if (chunk["id"] + place // FACTS_PER_PREMISE) % 2:
            found.append((chunk["id"], None, _asked(statement), f"Yes. {statement}"))
        elif other := _untrue(place, facts, true):
            other_chunk, untrue = other
            untrue = spoken_to(untrue, ENGLISH) if told else untrue
            second = None if other_chunk["id"] == chunk["id"] else other_chunk["id"]
            found.append((chunk["id"], second, _asked(untrue), f"No. {statement}"))
    return found


def _asked(statement: str) -> str:
    return f"Is this so? {statement}"


def _untrue(
    place: int, facts: Sequence[tuple[Record, Fact]], true: Set[str]
) -> tuple[Record, str] | None:
    """The statement with a value of the next fact that has one of that form, where that is no fact too; and the chunk of
    the other."""
    _, fact = facts[place]
    for other_chunk, other in [*facts[place + 1 :], *facts[:place]]:
        for own in reversed(fact.spans):
            for another in other.spans:
                if (
                    own.kind != "phrase"
                    and form_of(own) == form_of(another)
                    and fact.statement.count(own.text) == 1
                    and not contains(fact.statement, another.text)
                    and not contains(other.statement, own.text)
                ):
                    untrue = fact.statement.replace(own.text, another.text)
                    if normalise(untrue) not in true:
                        return other_chunk, untrue
    return None
