"""Questions about somebody or something that is nowhere in the sources, answered by saying so.

A model that is trained on what is true alone has no reason ever to say no; negatives were found
essential by https://arxiv.org/abs/2411.13405.
"""

import random
import re
from dataclasses import dataclass

from ..memory.store import INDEXES, Store
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


def find_strangers(store: Store) -> Strangers:
    """The names and things of our lists that nothing mentions: no chunk, nothing that one stands under, nobody who spoke
    and no title of a talk."""
    named = store.rows(
        "SELECT DISTINCT speaker AS name FROM messages UNION SELECT title FROM conversations"
    )
    heard = {word for row in named for word in WORD.findall((row["name"] or "").lower())}

    def unheard(name: str) -> tuple[str, ...]:
        return tuple(
            word
            for word in read_prompts(name)
            if word.lower() not in heard
            and not any(
                store.row(f"SELECT 1 FROM {index} WHERE {index} MATCH ?", f'"{word}"')
                for index in INDEXES
            )
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
    """The question with other strangers in the place of every name and thing of our lists, for what it was asked of may
    be told of by now. None where it has none of them, or nothing is a stranger any more."""
    lists = {
        word: (listed, unheard)
        for listed, unheard in (
            (read_prompts("names"), strangers.names),
            (read_prompts("things"), strangers.things),
        )
        for word in listed
    }
    others: dict[str, str] = {}
    for word in sorted(lists.keys() & set(WORD.findall(prompt))):
        listed, unheard = lists[word]
        # By the order of the whole list: what is told of in the meantime changes no other question.
        order = chooser.sample(listed, k=len(listed))
        other = next((one for one in order if one in unheard), None)
        if other is None:
            return None
        others[word] = other
    return WORD.sub(lambda found: others.get(found[0], found[0]), prompt) if others else None
