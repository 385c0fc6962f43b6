"""Questions about somebody or something that is nowhere in the sources, answered by saying so.

A model that is trained on what is true alone has no reason ever to say no; negatives were found
essential by https://arxiv.org/abs/2411.13405.
"""

import random
import re
from dataclasses import dataclass

from ..memory.store import Store
from .prompt_lists import read_prompts

NOT_IN_NOTES = "That is not in your notes."
INNER_NAME = re.compile(r"(?<!^)\b[A-Z][\w'’-]{2,}\b")
OWNED = re.compile(r"\b(?:my|our|your|the|a|an) ([a-z]{3,})\b")
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Strangers:
    """Names and things that are nowhere in the sources."""

    names: tuple[str, ...] = ()
    things: tuple[str, ...] = ()

    def fellows(self, word: str) -> tuple[str, ...]:
        """Those of the same sort as one of them; nothing where it is none of them."""
        return next((some for some in (self.names, self.things) if word in some), ())


def find_strangers(store: Store) -> Strangers:
    """The names and things of our lists that no chunk mentions."""

    def unheard(name: str) -> tuple[str, ...]:
        return tuple(
            word
            for word in read_prompts(name)
            if not store.row("SELECT 1 FROM chunks_fts WHERE chunks_fts MATCH ?", f'"{word}"')
        )

    return Strangers(unheard("names"), unheard("things"))


def absent_question(question: str, strangers: Strangers, chooser: random.Random) -> str | None:
    """A question with one of its names, or the thing after "my" or "the", replaced by a stranger. None where it has
    neither."""
    places = [(found.span(), strangers.names) for found in INNER_NAME.finditer(question)]
    places += [(found.span(1), strangers.things) for found in OWNED.finditer(question)]
    places = [(place, some) for place, some in places if some]
    if not places:
        return None
    (start, end), some = chooser.choice(places)
    return question[:start] + chooser.choice(some) + question[end:]


def asked_of_another(prompt: str, strangers: Strangers, chooser: random.Random) -> str | None:
    """The question with another stranger in the place of its own; None where none of its words is one any more."""
    for found in WORD.finditer(prompt):
        if some := strangers.fellows(found[0]):
            return prompt[: found.start()] + chooser.choice(some) + prompt[found.end() :]
    return None
