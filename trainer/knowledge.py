"""What the weights hold, fact by fact, as the evaluations of every night have shown.

A fact is a gold span of a chunk; its probes are wordings of it, each of which may be asked in other forms too, such as
later in a talk. One right answer in one wording is not knowledge: it may be luck, or the wording. A fact is
*known* once two wordings are right, and *lost* when one is wrong later and fewer than two are right.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from ..memory.errors import LearnctlError
from ..memory.lineage import in_service
from ..memory.search import search
from ..memory.store import Store, marks
from .facts import normalise
from .nights import Answer, answers

WORDINGS = 2
STATES = ("known", "once", "lost", "unknown", "unasked")


@dataclass(frozen=True)
class Fact:
    """One fact and where it stands.

    Attributes:
        state: known; once (right in one wording, which is not knowledge yet); lost; unknown (asked and
            never right); unasked.
        learned: the version it was last learned at, 0 where the base knew it; None if it never was.
        lost: the version that had lost it.
    """

    question: str
    gold: str
    chunk: int
    state: str
    learned: int | None
    lost: int | None


def facts(
    store: Store, version: int | None = None, chunks: Collection[int] | None = None
) -> list[Fact]:
    """Every fact that there is a probe of, in the order of their making.

    Args:
        version: whose weights; else the version in service.
        chunks: only the facts of these.
    """
    version = in_service(store) if version is None else version
    only = "" if chunks is None else f" WHERE chunk_id IN ({marks(chunks)})"
    wordings: dict[tuple[int, str], list[dict[str, str]]] = defaultdict(list)
    fact_of: dict[int, tuple[int, str]] = {}
    for probe in store.rows(f"SELECT * FROM probes{only} ORDER BY id", *(chunks or ())):
        fact = probe["chunk_id"], normalise(probe["gold"])
        wordings[fact].append(probe)
        fact_of[probe["id"]] = fact
    asked: dict[tuple[int, str], list[Answer]] = defaultdict(list)
    for answer in answers(store, version, chunks):
        asked[fact_of[answer.probe]].append(answer)
    found = []
    for (chunk, _), probes in wordings.items():
        state, learned, lost = _state(asked[chunk, normalise(probes[0]["gold"])])
        found.append(Fact(probes[0]["question"], probes[0]["gold"], chunk, state, learned, lost))
    return found


def facts_about(store: Store, topic: str, limit: int, version: int | None = None) -> list[Fact]:
    """The facts of the passages that match a topic best, the best passage first.

    Args:
        limit: the most passages.

    Raises:
        LearnctlError: there never was such a version.
    """
    if version and not store.value("SELECT 1 FROM adapters WHERE version = ?", version):
        raise LearnctlError(f"no version {version}", hint="`learnctl history` lists them")
    order = [hit.chunk for hit in search(store, topic, limit)]
    found = facts(store, version, order)
    return sorted(found, key=lambda fact: order.index(fact.chunk))


def known_chunks(store: Store, chunks: Collection[int], version: int | None = None) -> set[int]:
    """Those of some chunks that the weights hold: every fact that was asked of them is known."""
    states = defaultdict(set)
    for fact in facts(store, version, chunks):
        if fact.state != "unasked":
            states[fact.chunk].add(fact.state)
    return {chunk for chunk, seen in states.items() if seen == {"known"}}


def _state(asked: Iterable[Answer]) -> tuple[str, int | None, int | None]:
    """The state, the version it was learned at and the version it was lost at, of one fact's answers in
    the order of the versions."""
    held: set[tuple[int, str]] = set()
    learned = lost = None
    state = "unasked"
    for version, given in groupby(asked, key=lambda answer: answer.version):
        by_mark: dict[bool, set[tuple[int, str]]] = {True: set(), False: set()}
        for answer in given:
            by_mark[answer.correct].add((answer.probe, answer.form))
        right = by_mark[True] - by_mark[False]
        # A wrong answer now makes the right ones of earlier versions worth nothing.
        held = right if by_mark[False] else held | right
        if len({probe for probe, _ in held}) >= WORDINGS:
            if state != "known":
                state, learned, lost = "known", version, None
        elif state in ("known", "lost"):
            state, lost = "lost", version if lost is None else lost
        else:
            state = "once" if held else "unknown"
    return state, learned, lost
