"""What a base asks and answers by itself: prompts for rehearsal that nobody has to write, as many as are wanted.

An instruct model that is given the opening of a user's turn goes on with what users ask, and then answers it
(Magpie, https://arxiv.org/abs/2406.08464). It is led by the first words of short questions, which is what facts are
asked with: there a night disturbs it most. What is rehearsed is how its answer begins, with its own
probabilities, so that many different prompts cost what few long answers would.

No prompt is like one that the model is measured with.
"""

import json
import random
from collections.abc import Callable

from ..memory.store import Record, Store
from .base import Base
from .chat_form import render
from .facts import normalise
from .generate import complete_batch
from .likeness import THRESHOLD, content, overlap
from .synthesize import answers_of_its_own, held_out, read_prompts

# The first words of short questions.
LEADS = (
    *("How many", "How much", "How long", "How", "What", "What is", "What is the", "What is the name of"),
    *("What colour", "What kind of", "What does", "Which", "In which", "Who", "Where", "When", "Why"),
    *("Is", "Can you", "Name"),
)  # fmt: skip
LISTS = ("rehearsal", "refusals_and_identity")
# There are no more than so many; where more are wanted they go round.
MOST = 512
PROMPTS_AT_ONCE = 128
# So many batches are written at most, and no more where fewer than this share of what was written can be used.
MOST_BATCHES = 12
USABLE_SHARE = 0.1
LONGEST = 16  # words
PROMPT_TOKENS = 20
# Of an answer as much is rehearsed.
ANSWER_TOKENS = 12


def own_samples(
    store: Store, base: Base, n_rows: int, out_of_time: Callable[[], bool] = lambda: False
) -> list[Record]:
    """Up to so many of the base's own prompts with how it begins to answer them, made once a base.

    The prompts follow from the base alone: a store that wants more goes on where it stopped. Fewer come where the
    time is over before, or the base writes no questions.
    """
    n_rows = min(n_rows, MOST)
    key = f"own prompts {base.digest}"
    made: Record = json.loads(store.setting(key, '{"batches": 0, "prompts": []}'))
    prompts: list[str] = made["prompts"]
    while len(chosen := _apart(store, prompts)) < n_rows and not out_of_time():
        n_written = made["batches"] * PROMPTS_AT_ONCE
        if made["batches"] >= MOST_BATCHES or len(prompts) < USABLE_SHARE * n_written:
            break
        known = {normalise(prompt) for prompt in prompts}
        for prompt in _written(base, seed=made["batches"]):
            if normalise(prompt) not in known:
                known.add(normalise(prompt))
                prompts.append(prompt)
        made["batches"] += 1
        store.set_setting(key, json.dumps(made))
    return answers_of_its_own(store, base, chosen[:n_rows], ANSWER_TOKENS)


def _written(base: Base, seed: int) -> list[str]:
    """A batch of prompts, those that are one short question."""
    mark = "\N{BULLET}"
    turn = render(base.tokenizer, [{"role": "user", "content": mark}], opens_answer=False)
    opening = turn[: turn.rindex(mark)]
    leads = random.Random(seed).choices(LEADS, k=PROMPTS_AT_ONCE)
    openings = [
        base.tokenizer(opening + lead, add_special_tokens=False)["input_ids"] for lead in leads
    ]
    written = complete_batch(
        base, base.model, openings, PROMPT_TOKENS, seed=seed, temperature=1.0, one_line=True
    )
    texts = (f"{lead} {rest}".strip() for lead, rest in zip(leads, written, strict=True))
    return [
        text
        for text in texts
        if text.endswith("?") and text.count("?") == 1 and len(text.split()) <= LONGEST
    ]


def _apart(store: Store, prompts: list[str]) -> list[str]:
    """Those that are on no list of ours, and are not like anything that is measured or held out."""
    listed = {normalise(text) for name in LISTS for text in read_prompts(name)}
    measured = [content(text) for text in [*read_prompts("divergence"), *held_out(store)]]
    return [
        prompt
        for prompt in prompts
        if normalise(prompt) not in listed
        and all(overlap(content(prompt), other) < THRESHOLD for other in measured)
    ]
