"""What to learn first when there is more than one night can hold.

A person's own words (what they said in chats, and what bears their name) before what they collected, small sources before
large ones, recent before old. The sources then take turns, so that no single one fills a night: each gives `TURN_WORDS` words at a time.
"""

import math
from collections import defaultdict

from .store import Record

TURN_WORDS = 600
# A source is one's own from this share of one's own words on: a talk among ten is, a mailbox with a letter or two of one's own is not.
OWN_SHARE = 0.1
# Sources of like size are ranked by date: sizes are alike within this factor.
SIZE_STEP = 4


def in_priority(chunks: list[Record]) -> list[Record]:
    """Chunks as `lineage.studied_chunks` gives them, in the order in which to learn them."""
    sources: dict[int, list[Record]] = defaultdict(list)
    for chunk in chunks:
        sources[chunk["source_id"]].append(chunk)
    # Python's sort keeps the order of equals: newest first, then by rank.
    newest_first = sorted(sources.values(), key=_date, reverse=True)
    turns = [_turns(source) for source in sorted(newest_first, key=_rank)]
    most = max(map(len, turns), default=0)
    return [
        chunk for number in range(most) for of in turns if number < len(of) for chunk in of[number]
    ]


def _rank(source: list[Record]) -> tuple[bool, int]:
    n_words = sum(chunk["n_words"] for chunk in source)
    n_own = sum(chunk["n_words"] for chunk in source if chunk["is_own"])
    return n_own < OWN_SHARE * n_words, int(math.log(max(n_words, 1), SIZE_STEP))


def _date(source: list[Record]) -> str:
    return max(str(chunk["date"] or "") for chunk in source)


def _turns(source: list[Record]) -> list[list[Record]]:
    turns: list[list[Record]] = [[]]
    n_words = 0
    for chunk in source:
        if turns[-1] and n_words + chunk["n_words"] > TURN_WORDS:
            turns.append([])
            n_words = 0
        turns[-1].append(chunk)
        n_words += chunk["n_words"]
    return turns
