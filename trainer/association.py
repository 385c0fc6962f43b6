"""Has a model learned which fact answers a question, or only sentences that it says to anything?

Each held-out question is set beside the statement that answers it and some statements of other facts of the
same night. What counts is the share of the others that the model finds less likely as the answer: one half
where it tells nothing apart, one where it knows (the area under the ROC curve). A base tells some apart by
their words alone, so a night is measured against it.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..memory.lineage import studied_chunks
from ..memory.store import Record, Store
from .base import Base
from .facts import contains
from .rows import plain_row
from .synthesize import facts_of
from .talked import dated
from .train import row_losses
from .wordings import spoken_to

OTHERS = 8


@dataclass(frozen=True)
class Trial:
    """A question with a statement that answers it and some that do not.

    Attributes:
        fact: the chunk and the answer: what asks for the same of the same goes together.
    """

    question: str
    right: str
    wrong: list[str]
    fact: tuple[int, str]


@dataclass(frozen=True)
class Association:
    """How well statements were told apart before and after.

    Attributes:
        n: trials.
        lost, won: pairs of a right and a wrong statement that were told apart before and no more, and the other way round.
        moves: for each fact, the pairs won less those lost in all its trials.
    """

    before: float
    after: float
    n: int
    lost: int
    won: int
    moves: tuple[int, ...]


def trials(store: Store, probes: Sequence[Record], seed: int) -> list[Trial]:
    """A trial for each probe that one statement of the chunks answers and others do not."""
    ids = {probe["chunk_id"] for probe in probes}
    taught = {
        chunk["id"]: _statements(chunk) for chunk in studied_chunks(store) if chunk["id"] in ids
    }
    every = [statement for some in taught.values() for statement in some]
    found = []
    for probe in probes:
        gold = probe["gold"]
        right = [s for s in taught.get(probe["chunk_id"], []) if contains(s, gold)]
        wrong = [s for s in every if not contains(s, gold)]
        if right and wrong:
            chooser = random.Random(f"{seed} {probe['id']}")
            others = chooser.sample(wrong, k=min(OTHERS, len(wrong)))
            fact = (probe["chunk_id"], gold)
            found.append(Trial(probe["question"], right[0], others, fact))
    return found


def told_apart(base: Base, model: Any, some: Sequence[Trial], n_nodes: int) -> list[list[bool]]:
    """For each trial, of which wrong statements a model finds the right one more likely, per token.

    Args:
        n_nodes: how many tokens are computed together; of trials with longer statements, nothing is told.
    """
    rows = [
        [
            plain_row(base, {"prompt": trial.question, "answer": one})
            for one in (trial.right, *trial.wrong)
        ]
        for trial in some
    ]
    rows = [group if all(len(row.ids) <= n_nodes for row in group) else [] for group in rows]
    losses = iter(row_losses(base, model, [row for group in rows for row in group], n_nodes))
    found = []
    for group in rows:
        of_group = [next(losses) for _ in group]
        found.append([of_group[0] < other for other in of_group[1:]])
    return found


def compare(
    some: Sequence[Trial], before: Sequence[Sequence[bool]], after: Sequence[Sequence[bool]]
) -> Association | None:
    """The same trials, before and after; None where nothing is told of any."""
    moves: dict[tuple[int, str], list[int]] = defaultdict(list)
    for trial, earlier, later in zip(some, before, after, strict=True):
        if earlier:
            moves[trial.fact] += [
                int(now) - int(was) for was, now in zip(earlier, later, strict=True)
            ]
    if not moves:
        return None
    pairs = [move for of_fact in moves.values() for move in of_fact]
    return Association(
        _mean_share(before),
        _mean_share(after),
        n=sum(map(bool, before)),
        lost=pairs.count(-1),
        won=pairs.count(1),
        moves=tuple(map(sum, moves.values())),
    )


def _mean_share(told: Sequence[Sequence[bool]]) -> float:
    shares = [sum(each) / len(each) for each in told if each]
    return round(sum(shares) / len(shares), 4)


def _statements(chunk: Record) -> list[str]:
    """What the facts of a chunk are taught as."""
    statements = [fact.statement for fact in facts_of(chunk)]
    if chunk["kind"] != "told":
        return statements
    return [dated(spoken_to(statement, chunk["language"]), chunk) for statement in statements]
