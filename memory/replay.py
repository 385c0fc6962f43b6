"""Rehearsal: which samples of earlier nights are trained on again beside the new ones.

Half goes by turns, and more where very much is rehearsed: every earlier source gets its own, within a source every night that learned of it, and of
these every chunk, so that a large or recent one does not push the others out; what was chosen less often comes first, so that over the nights
all of it comes up. The rest goes by surprise: what the weights in service find
least likely of what they once learned, as the trainer measured it and wrote it down. Replaying what would be lost
most is "maximally interfered retrieval", https://arxiv.org/abs/1908.04742.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Collection
from itertools import islice
from typing import TypeVar

from .lineage import ancestors, first_sources, learned_chunks
from .store import Record, Store, batches, marks

T = TypeVar("T")

# What is taken by surprise is the most surprising of so many times as many, and no more than this: they are measured, which costs a third of
# training on them once.
MEASURED_FOR_ONE = 3
MOST_BY_SURPRISE = 256
# Why a run trains again, as on what is new, on what was learned before: a slow pass takes all that came since.
SINCE = "since"


def by_turn_and_surprise(pool: list[Record], n_samples: int) -> list[tuple[Record, str]]:
    """`n_samples` of a pool that is in order of turns, each with why it was taken: turn or surprise.

    Each sample of the pool has a `surprise`: mean loss, nats a token; None counts as none.
    """
    n_turns = n_samples - n_by_surprise(n_samples) if len(pool) > n_samples else len(pool)
    rest = sorted(pool[n_turns:], key=lambda s: s["surprise"] or 0.0, reverse=True)
    chosen = [(sample, "turn") for sample in pool[:n_turns]]
    return chosen + [(sample, "surprise") for sample in rest[: n_samples - n_turns]]


def n_by_surprise(n_samples: int) -> int:
    """How many of so many samples are taken by surprise."""
    return min(n_samples // 2, MOST_BY_SURPRISE)


def pool_of(n_samples: int) -> int:
    """How many samples so many are chosen from: those whose turn it is, and the others that are measured."""
    return n_samples + (MEASURED_FOR_ONE - 1) * n_by_surprise(n_samples)


def choose_replay(
    store: Store,
    version: int,
    leave_out: set[int],
    n_samples: int,
    seed: int,
    kinds: Collection[str] | None = None,
    fits: Callable[[Record], bool] = lambda sample: True,
) -> list[Record]:
    """Up to `n_samples` live samples that a version learned from, spread over sources, their nights and chunks, what was chosen least first.

    Args:
        leave_out: chunks that are trained on as new and need no rehearsal.
        kinds: of samples; None: all.
        fits: whether a sample can be rehearsed at all.
    """
    source_of = first_sources(store, sorted(learned_chunks(store, version) - leave_out))
    chain = ancestors(store, version)
    # Another order each night, also where many stand on one version.
    chooser = random.Random(f"{seed} {store.value('SELECT max(id) FROM runs')}")
    strata: dict[int, dict[int, dict[int, list[Record]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for some in batches(source_of):
        for sample in store.rows(
            "SELECT s.id, s.chunk_id, s.kind, s.prompt, s.answer, NULL AS surprise,"
            " (SELECT count(*) FROM run_samples rs JOIN adapters a ON a.run_id = rs.run_id"
            "  WHERE rs.sample_id = s.id AND rs.role = 'replay' AND rs.why != ?) AS n_chosen,"
            " (SELECT min(a.version) FROM run_samples rs JOIN adapters a ON a.run_id = rs.run_id"
            "  WHERE rs.sample_id = s.id) AS learned_in"
            f" FROM samples s WHERE s.chunk_id IN ({marks(some)}) AND EXISTS"
            " (SELECT 1 FROM run_samples rs JOIN adapters a ON a.run_id = rs.run_id"
            f" WHERE rs.sample_id = s.id AND a.version IN ({marks(chain)})) ORDER BY s.id",
            SINCE,
            *some,
            *chain,
        ):
            if kinds is None or sample["kind"] in kinds:
                of_source = strata[source_of[sample["chunk_id"]]]
                of_source[sample["learned_in"]][sample["chunk_id"]].append(sample)
    turns = []
    for of_source in strata.values():
        nights = [_spread(of_night, chooser) for of_night in of_source.values()]
        turns.append(_round_robin(nights))
    return list(islice(filter(fits, _round_robin(turns)), n_samples))


def n_rehearsable(store: Store, version: int, kinds: Collection[str]) -> int:
    """How many live samples of some kinds a version learned from."""
    chain, kinds = ancestors(store, version), sorted(kinds)
    return int(
        store.value(
            "SELECT count(DISTINCT s.id) FROM samples s JOIN run_samples rs ON rs.sample_id = s.id"
            " JOIN adapters a ON a.run_id = rs.run_id WHERE s.chunk_id IS NOT NULL"
            f" AND s.kind IN ({marks(kinds)}) AND a.version IN ({marks(chain)})",
            *kinds,
            *chain,
        )
    )


def _spread(of_chunk: dict[int, list[Record]], chooser: random.Random) -> list[Record]:
    """The samples of some chunks, each chunk in its turn, what was chosen least first."""
    chunks = _shuffled(list(of_chunk.values()), chooser)
    taking_turns = _round_robin([_shuffled(some, chooser) for some in chunks])
    return sorted(taking_turns, key=lambda sample: sample["n_chosen"])


def _round_robin(queues: list[list[T]]) -> list[T]:
    longest = max((len(queue) for queue in queues), default=0)
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]


def _shuffled(values: list[T], chooser: random.Random) -> list[T]:
    chooser.shuffle(values)
    return values
