"""Cues: a fact asked for by a question word and a few words, in every epoch by others.

Real questions share only some words with the sentence that answers them, and often name what the text as a whole is
about. A cue teaches to recall a sentence from any few of its words. Every other one also holds a word of what the passage is
about, or of what it stands under, so that such a word alone does not decide which of its sentences comes out; never one that another fact is
asked for with, nor where nothing else in the cue tells this fact from the others.
"""

import random
import re
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, replace
from functools import lru_cache

from ..memory.search import telling_words
from ..memory.store import Record
from .facts import Fact, Span, find_facts, words_of
from .study import leads
from .wordings import spoken_to

TRIES = 3

Words = frozenset[str]


def cue(fact: Fact, span: Span, chooser: random.Random) -> str | None:
    """A question reduced to its question word and a few words of the statement, in their order; None where it has none to ask with."""
    gold = set(telling_words(span.text))
    words = [(word, set(telling_words(word))) for word in words_of(fact.statement)]
    # Where words have no spaces between them, what tells may begin within a piece.
    whole = {telling for _, within in words for telling in within}
    others = [word for word in telling_words(fact.statement) if word in whole - gold]
    if not others:
        return None
    some = set(chooser.sample(others, k=min(len(others), chooser.randint(1, 3))))
    spoken = [word.strip('.,;:!?"“”()') for word, within in words if some & within]
    return f"{' '.join([chooser.choice(leads(span, fact)), *spoken])}?"


def drawn_again(sample: Record, held: Set[Words], chooser: random.Random) -> Record:
    """The sample of a cue with other words in it.

    Args:
        sample: with `prompt`, `answer`, `passage`, the text of its chunk, `place`, its title and headings, and
            `language`, that of the passage.
        held: the telling words of every wording that is held out; none of them is asked.
    """
    around = _around(
        sample["answer"], sample["passage"] or "", sample["place"], sample["language"] or "en"
    )
    if around.fact is None:
        return sample
    for _ in range(TRIES):
        prompt = cue(around.fact, chooser.choice(around.fact.spans), chooser)
        if prompt is None:
            continue
        if (
            around.topic
            and chooser.random() < 0.5
            and around.own.intersection(telling_words(prompt))
        ):
            prompt = f"{prompt[:-1]} {chooser.choice(around.topic)}?"
        if frozenset(telling_words(prompt)) not in held:
            return {**sample, "prompt": prompt}
    return sample


@dataclass(frozen=True)
class Around:
    """What a fact may be asked for with.

    fact: with the whole answer as its statement, where it has something to ask for; topic: words that the passage repeats
    or has just before, or that it stands under, and that are no other fact's value; own: words of the statement that the rest of the passage does not have.
    """

    fact: Fact | None
    topic: tuple[str, ...]
    own: Words


@lru_cache(maxsize=4096)
def _around(statement: str, passage: str, place: str, language: str) -> Around:
    facts = find_facts(statement, language)
    beside = find_facts(passage, language)
    said = [(fact.statement, spoken_to(fact.statement, language)) for fact in beside]
    found = next((i for i, forms in enumerate(said) if statement.endswith(forms)), None)
    at = found or 0
    if not facts and found is not None:
        facts = [beside[found]]  # "You quit smoking." is a fact as it was said: "I quit smoking."
    own = replace(facts[-1], statement=statement) if facts else None
    others = [fact for i, fact in enumerate(beside) if i != at]
    words = set(telling_words(statement))
    values = {word for fact in others for span in fact.spans for word in telling_words(span.text)}
    counted = Counter(word for each in passage.split() for word in telling_words(each))
    topic = [word for word, n in counted.items() if n > 1]
    topic += telling_words(beside[at - 1].sentence) if at else []
    topic += [word for word in telling_words(re.sub(r"\.\w{2,4}\b", "", place)) if word.isalpha()]
    elsewhere = {word for fact in others for word in telling_words(fact.sentence)}
    return Around(
        own,
        tuple(word for word in dict.fromkeys(topic) if word not in words | values),
        frozenset(words - elsewhere),
    )
