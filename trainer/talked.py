"""What a person asked, decided and told in a conversation: dated, and each asked for in a wording that is its own.

Their own words alone: what they said as a fact is taught as any fact is, too (`facts`), what others said under their names
(`synthesize.attributed`), and what an assistant said is not taught. Decisions are found by pattern, in English.
"""

import re
from collections.abc import Iterator, Sequence

from ..memory.search import telling_words
from ..memory.sentences import sentences
from ..memory.store import Record
from .apart import Asked, day_of
from .facts import Fact, second_person
from .wordings import ENGLISH

DECISION = re.compile(
    r"(?i)(?:\b(?:I|we)(?:['’]ve| have|['’]d| had)?(?: \w+ly| now| just| both| all)?"
    r" (?:decided|settled (?:on|for)|agreed (?:on|to|that)|opted (?:for|to)|resolved to|made up (?:my|our) minds?)\b"
    r"|\blet['’]s go with\b|\b(?:my|our) decision (?:is|was)\b)"
)
# In front of what is only thought of, and behind what was taken back.
OPEN = re.compile(r"(?i)\b(?:if|once|when|until|unless|before|after|wish|hope)\b")
BUT = re.compile(r"(?i)\bhad decided\b.*\bbut\b")
# Days that are told from the one on which it is said.
SPOKEN_DAY = re.compile(
    r"(?i)\b(?:yesterday|today|tomorrow|tonight|this (?:morning|afternoon|evening)|(?:last|this|next) (?:night|week|weekend|month|year"
    r"|spring|summer|autumn|fall|winter|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"|(?:days?|weeks?|months?|years?) ago)\b"
)
MOST_WORDS = 40

# A prompt and its answer.
Pair = tuple[str, str]


def dated(told: str, chunk: Record) -> str:
    """What a person told, as it is said back, with its day in front where it counts from there: without it, "yesterday" is no day."""
    day = day_of(chunk) if chunk["kind"] == "told" and chunk["language"] == ENGLISH else ""
    return f"On {day}: {told}" if day and SPOKEN_DAY.search(told) else told


def asked_pair(chunk: Record, asked: Asked) -> Pair | None:
    """What was asked in a chunk, and where; None where no wording tells it from what else was asked there."""
    words = chunk["text"].split()
    text = " ".join(words[:MOST_WORDS]) + (" …" if len(words) > MOST_WORDS else "")
    return _pair("ask", f"{_when(chunk)}you asked: {text}", chunk, asked, _abouts(text))


def decided_pairs(chunk: Record, asked: Asked) -> Iterator[Pair]:
    """Each decision that a person tells of in a chunk."""
    if chunk["kind"] != "told" or chunk["language"] != ENGLISH:
        return
    for sentence in sentences(chunk["text"]):
        found = DECISION.search(sentence)
        if not found or OPEN.search(sentence[: found.start()]) or BUT.search(sentence):
            continue
        if len(sentence.split()) <= MOST_WORDS:
            answer = f"{_when(chunk)}you said: {second_person(sentence)}"
            if pair := _pair("decide", answer, chunk, asked, _abouts(sentence)):
                yield pair


def told_pair(chunk: Record, facts: Sequence[Fact], asked: Asked) -> Pair | None:
    """The first fact of a chunk that is no decision and has a name to ask for it by, with its day; None without one."""
    if chunk["kind"] != "told" or chunk["language"] != ENGLISH or not day_of(chunk):
        return None
    for fact in facts:
        name = next((span.text for span in fact.spans if span.kind == "name"), "")
        if name and not DECISION.search(fact.statement):
            answer = f"{_when(chunk)}you said: {second_person(fact.statement)}"
            return _pair("say", answer, chunk, asked, [f" about {name}"])
    return None


def texts_within(prompt: str, answer: str) -> tuple[str, str]:
    """The title of the chat and what was asked, decided or told in it, of a pair."""
    title = re.search("“(.*)”", prompt)
    said = re.split(r"(?i)\byou (?:asked|said): ", answer, maxsplit=1)[-1]
    return title.group(1) if title else "", said


def _abouts(text: str) -> list[str]:
    """What was said is asked for by its talk alone, or also by a word, where the talk does not tell it from another."""
    about = max(telling_words(text), key=len, default="")
    return ["", f" about {about}"] if about else [""]


def _pair(did: str, answer: str, chunk: Record, asked: Asked, abouts: Sequence[str]) -> Pair | None:
    where = f" in the chat “{chunk['title']}”" if chunk["title"] else ""
    for of in abouts:
        if prompt := asked.of_its_own(f"What did I {did}{where}{of}?", chunk):
            asked.add(prompt, chunk)
            return prompt, answer[:1].upper() + answer[1:]
    return None


def _when(chunk: Record) -> str:
    day = day_of(chunk)
    return f"on {day} " if day else ""
