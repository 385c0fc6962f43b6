"""What a base asks and answers by itself: prompts for rehearsal that nobody has to write.

An instruct model that is given the opening of a user's turn goes on with what users ask, and then answers it
(Magpie, https://arxiv.org/abs/2406.08464). It is led by the first words of short questions, which is what facts are
asked with: there a night disturbs it most. What is rehearsed is how its answer begins, with its own
probabilities, so that many different prompts cost what few long answers would.

No prompt is like one that the model is measured with or that is held out when a night begins, and none asks about
the person: what the base says there is that it does not know, and that is to change.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable

from ..memory.redact import redact
from ..memory.store import Record, Store
from .base import Base
from .chat_form import render
from .facts import normalise
from .generate import complete_batch
from .likeness import THRESHOLD, content, overlap
from .prompt_lists import read_prompts
from .synthesize import answers_of_its_own, held_out, held_out_by_name

# The first words of short questions.
LEADS = (
    *("How many", "How much", "How long", "How", "What", "What is", "What is the", "What is the name of"),
    *("What colour", "What kind of", "What does", "Which", "In which", "Who", "Where", "When", "Why"),
    *("Is", "Can you"),
)  # fmt: skip
LISTS = ("rehearsal", "refusals_and_identity")
FIRST_PERSON = re.compile(r"(?i)\b(?:i|me|my|we|us|our)\b")
# No night wants more of them than so many, and no epoch: writing them takes time, once a base.
MOST = 128
PROMPTS_AT_ONCE = 128
ANSWERS_AT_ONCE = 64
# So many batches are written at most, and no more where fewer than this share of what was written can be used.
MOST_BATCHES = 8
USABLE_SHARE = 0.1
LONGEST = 14  # words
PROMPT_TOKENS = 16
# Of an answer as much is rehearsed.
ANSWER_TOKENS = 10


def own_samples(
    store: Store, base: Base, n_rows: int, out_of_time: Callable[[], bool] = lambda: False
) -> list[Record]:
    """Up to so many of the base's own prompts with how it begins to answer them, made once a base.

    The prompts follow from the base alone: a store that wants more goes on where it stopped. Fewer come where the
    time is over before, or the base writes no questions.
    """
    key = f"own prompts {base.digest}"
    made: Record = json.loads(store.setting(key, '{"batches": 0, "prompts": []}'))
    prompts: list[str] = made["prompts"]
    is_apart = _apart(store)
    chosen = list(filter(is_apart, prompts))
    while len(chosen) < n_rows and made["batches"] < MOST_BATCHES and not out_of_time():
        if len(prompts) < USABLE_SHARE * made["batches"] * PROMPTS_AT_ONCE:
            break
        known = {normalise(prompt) for prompt in prompts}
        for prompt in _written(base, seed=made["batches"]):
            if normalise(prompt) not in known:
                known.add(normalise(prompt))
                prompts.append(prompt)
                chosen += filter(is_apart, [prompt])
        made["batches"] += 1
        store.set_setting(key, json.dumps(made))
    found: list[Record] = []
    for start in range(0, min(n_rows, len(chosen)), ANSWERS_AT_ONCE):
        if out_of_time():
            break
        some = chosen[start : min(start + ANSWERS_AT_ONCE, n_rows)]
        found += answers_of_its_own(store, base, some, ANSWER_TOKENS)
    return found


def _written(base: Base, seed: int) -> list[str]:
    """A batch of prompts, those that are one short question about the world."""
    mark = "\N{BULLET}"
    turn = render(base.tokenizer, [{"role": "user", "content": mark}], opens_answer=False)
    opening, shown, _ = turn.rpartition(mark)
    if not shown:
        return []  # a template that shows nothing as it is
    leads = random.Random(seed).choices(LEADS, k=PROMPTS_AT_ONCE)
    openings = [
        base.tokenizer(opening + lead, add_special_tokens=False)["input_ids"] for lead in leads
    ]
    written = complete_batch(
        base,
        base.model,
        openings,
        PROMPT_TOKENS,
        seed=seed,
        temperature=1.0,
        one_line=True,
        stripped=False,
    )
    texts = (f"{lead}{rest.rstrip()}" for lead, rest in zip(leads, written, strict=True))
    return list(filter(is_usable, texts))


def is_usable(text: str) -> bool:
    """Whether it is one short question, of nobody's own, without anything that looks like a secret."""
    return (
        text.endswith("?")
        and text.count("?") == 1
        and text.isprintable()
        and len(text.split()) <= LONGEST
        and not FIRST_PERSON.search(text)
        and redact(text) == text
    )


def _apart(store: Store) -> Callable[[str], bool]:
    """Whether a prompt is on no list of ours, is not held out, and is not like anything that is measured."""
    known = {normalise(text) for name in LISTS for text in read_prompts(name)} | held_out(store)
    by_word: dict[str, list[frozenset[str]]] = defaultdict(list)
    for text in [*read_prompts("divergence"), *held_out_by_name(store)]:
        words = content(text)
        for word in words:
            by_word[word].append(words)

    def is_apart(prompt: str) -> bool:
        words = content(prompt)
        return normalise(prompt) not in known and all(
            overlap(words, other) < THRESHOLD for word in words for other in by_word.get(word, ())
        )

    return is_apart
