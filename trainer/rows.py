"""Samples as rows of tokens, in the circumstances they will be asked in.

Most rows are asked alone. Some come under a system prompt such as users write, some as a later turn of a
chat about something else, so that what is learned does not hang on one form. Which row gets which form
changes from epoch to epoch and follows from the seed.
"""

import random
from collections.abc import Sequence

from ..memory.store import Record
from .base import Base
from .generate import Chat
from .pack import Row, encode
from .synthesize import read_prompts

SYSTEM_SHARE = 0.15
LATER_TURN_SHARE = 0.1
# Earlier turns are cut to this many words: they are circumstance, not material.
TURN_WORDS = 16
# How many epochs' worth of general rows there are to choose from.
GENERAL_ROUNDS = 3


def fact_rows(
    base: Base,
    samples: Sequence[Record],
    general: Sequence[Record],
    seed: int,
    epoch: int,
    longest: int,
) -> list[Row]:
    """The rows of one epoch; one that is too long for a pack in its form is asked alone."""
    chooser = random.Random(f"forms {seed} {epoch}")
    systems = read_prompts("systems")
    rows = []
    for sample in samples:
        chat: Chat = [{"role": "user", "content": sample["prompt"]}]
        chance = chooser.random()
        dressed = chat
        if chance < SYSTEM_SHARE:
            dressed = [{"role": "system", "content": chooser.choice(systems)}, *chat]
        elif chance < SYSTEM_SHARE + LATER_TURN_SHARE and general:
            dressed = [*_earlier_turns(general, chooser), *chat]
        row = _encode(base, dressed, sample["answer"])
        if len(row.ids) > longest:
            row = _encode(base, chat, sample["answer"])
        rows.append(row)
    return [row for row in rows if len(row.ids) <= longest]


def general_rows(base: Base, general: Sequence[Record], longest: int) -> list[Row]:
    """The base's own answers to general prompts."""
    rows = []
    for sample in general:
        row = _encode(base, [{"role": "user", "content": sample["prompt"]}], sample["answer"])
        if sample["kind"] == "general open":
            # The base had more to say: where it was cut is not where an answer ends.
            row = Row(row.ids[:-1], row.answer_start)
        rows.append(row)
    return [row for row in rows if row.answer_start < len(row.ids) <= longest]


def general_of_epoch(rows: Sequence[Row], n_rows: int, epoch: int) -> list[Row]:
    """So many general rows, going round: each epoch takes up where the one before left off."""
    if not rows:
        return []
    return [rows[(epoch * n_rows + index) % len(rows)] for index in range(min(n_rows, len(rows)))]


def _encode(base: Base, chat: Chat, answer: str) -> Row:
    try:
        return encode(base.tokenizer, chat, answer, base.stop_ids)
    except Exception:
        if chat[0]["role"] != "system":
            raise
        # Templates without a system role take the prompt in front of the first turn.
        merged = f"{chat[0]['content']}\n\n{chat[1]['content']}"
        return encode(
            base.tokenizer, [{"role": "user", "content": merged}, *chat[2:]], answer, base.stop_ids
        )


def _earlier_turns(general: Sequence[Record], chooser: random.Random) -> Chat:
    turns: Chat = []
    for sample in chooser.sample(list(general), k=min(2, len(general))):
        turns.append({"role": "user", "content": sample["prompt"]})
        words = sample["answer"].split()
        turns.append({"role": "assistant", "content": " ".join(words[:TURN_WORDS])})
    return turns
