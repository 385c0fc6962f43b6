"""How well a base reads: the share of questions that it answers with the passage in view.

A base that reads poorly writes pairs and notes that say what no source says, and checks them no better. So
it is measured once a base, on passages that come with learnctl: the same base has the same figure for
everybody, however little was given to learn from.
"""

import json
from collections.abc import Sequence
from importlib.resources import files

from ..memory.store import Store
from .base import Base
from .facts import contains
from .generate import answer_batch

# A base that reads less than this share writes no pairs and notes: the kinds that need no reader carry the
# load.
LEAST_READING = 0.6
ANSWER_TOKENS = 24

# Passage, question and gold.
Shown = tuple[str, str, str]


def measured(store: Store, base: Base) -> float | None:
    """The share that the base reads, where a night has measured it."""
    known = store.setting(_key(base))
    return float(known) if known else None


def reads_well(store: Store, base: Base) -> bool:
    """Whether the base reads well enough to write from what it is shown; measured where it never was."""
    known = measured(store, base)
    if known is None:
        known = reading(base, shipped())
        store.set_setting(_key(base), str(known))
    return known >= LEAST_READING


def reading(base: Base, shown: Sequence[Shown]) -> float:
    """The share of questions answered with the passage in view."""
    chats = [[{"role": "user", "content": in_view(p, q)}] for p, q, _ in shown]
    answers = answer_batch(base, base.model, chats, ANSWER_TOKENS)
    right = [contains(a, gold) for a, (_, _, gold) in zip(answers, shown, strict=True)]
    return sum(right) / len(right)


def in_view(passage: str, question: str) -> str:
    """What is asked where the passage is shown."""
    return f"{passage}\n\n{question}"


def shipped() -> list[Shown]:
    """The passages that come with learnctl, each with its questions."""
    text = files(__package__).joinpath("prompts/reading.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return [(row["passage"], question, gold) for row in rows for question, gold in row["questions"]]


def _key(base: Base) -> str:
    return f"reading {base.as_held}"
