"""Questions about facts, written by the base model itself.

A small model writes good questions when it is led: a few examples, the sentence, and the first words of
a question that fit what is asked for ("When", "How many"). It writes no answers here: an answer is the
source's own words, or is written by a base that reads well (`own_words`). What it writes is filtered by string tests alone, for a model that reads poorly is
no judge.
"""

import re
from dataclasses import dataclass

from ..memory.languages import COMMON_WORDS
from ..memory.search import telling_words
from .base import Base
from .checked import Checked
from .facts import Fact, Span, contains, normalise
from .generate import complete_batch
from .wordings import ENGLISH, wordings

EXAMPLES = """Write a question about the sentence.

Sentence: Mr. Okafor opened his bakery in Leeds in 1987.
Question: When did Mr. Okafor open his bakery?

Sentence: Our train to Porto leaves from platform 9.
Question: Which platform does our train to Porto leave from?

Sentence: My cousin Lena plays the cello in a quartet called Nightjar.
Question: What is the name of the quartet that Lena plays in?

Sentence: The new fence cost 640 dollars and was painted by Hanna Brook.
Question: How much did the new fence cost?

Sentence: {statement}
Question:"""
# Words of the examples that turn up in questions about something else.
LEAKED = frozenset(telling_words(EXAMPLES)) - {
    "name",
    "cost",
    "question",
    "write",
    "much",
    "statement",
}
# Words of a question about the sentence as such, of no use to who asks without it.
ABOUT_TEXT = frozenset(
    ["sentence", "passage", "text", "story", "paragraph", "author", "speaker", "narrator"]
)
# Somebody who was named before, or what is theirs: "the dog passed her test".
PERSON = re.compile(r"\b(?:he|she|him|hers|(?P<whose>his|her)(?= \w)|his|her)\b")
# A question may hold this many telling words that its sentence does not: "name", "live", "cost".
STRANGE_WORDS = 2
LONGEST_QUESTION = 24  # words
TRIES = 2  # for each question wanted


@dataclass(frozen=True)
class Question:
    fact: int  # index into the facts that were asked about
    span: Span
    text: str


def leads(span: Span, fact: Fact) -> list[str]:
    """The first words of questions that a span may answer, the likeliest first."""
    if fact.language != ENGLISH:
        return wordings(fact.language).leads(span)
    statement = fact.statement
    if span.kind == "date":
        if re.search(r"\d[:.]\d\d|half past", span.text):
            return ["At what time", "When"]
        if re.fullmatch(r"\d{4}", span.text):
            return ["In which year", "When"]
        return ["When", "On what date"]
    if span.kind == "number":
        unit = re.search(r"[A-Za-zäöüéè]+$", span.text)
        if re.search(r"[$€£]|euro|dollar|pound|franc|crown", span.text) or "cost" in statement:
            return ["How much", "What is the price of"]
        if unit and unit.group(0) != span.text:
            return [f"How many {unit.group(0)}", "How long" if _is_time(unit.group(0)) else "How"]
        return ["How many", "What number"]
    if span.kind == "name":
        before = statement[: statement.find(span.text)].split()[-1:]
        if before and before[0].lower() in {"in", "at", "to", "from", "near", "behind", "over"}:
            return ["Where", "In which place", "What is the name of"]
        if before and before[0].lower() == "by":
            return ["Who", "By whom", "What is the name of"]
        if (len(span.text.split()) == 2 and not before) or (before and before[0].endswith(",")):
            return ["Who", "What is the name of"]
        return ["What is the name of", "Who", "Which"]
    return ["What", "What is"]


def write_questions(
    base: Base, facts: list[Fact], per_fact: int, seed: int
) -> tuple[list[Question], Checked]:
    """Up to `per_fact` kept questions a fact, spread over its spans, and how many did not pass the tests."""
    jobs: list[tuple[int, Span, str]] = []
    for index, fact in enumerate(facts):
        # Every span gets its likeliest lead before any gets its second.
        ladder = [
            (index, span, leads(span, fact)[rank])
            for rank in range(3)
            for span in reversed(fact.spans)
            if rank < len(leads(span, fact))
        ]
        if not _examples(fact):
            continue
        # More are tried than are wanted, since about half are dropped; what is sampled twice differs.
        jobs += [ladder[turn % len(ladder)] for turn in range(TRIES * per_fact)]
    prompts = [
        base.tokenizer(
            f"{_examples(facts[index]).format(statement=facts[index].statement)} {lead}"
        )["input_ids"]
        for index, _, lead in jobs
    ]
    written = complete_batch(
        base,
        base.model,
        prompts,
        max_tokens=16,
        seed=seed,
        temperature=0.7,
        one_line=True,
        stripped=False,
    )
    kept: dict[str, Question] = {}
    checked = Checked(written=len(written))
    for (index, span, lead), rest in zip(jobs, written, strict=True):
        text = f"{lead}{rest}".split("\n")[0].strip()
        if is_good(text, span, facts[index]):
            kept.setdefault(normalise(text), Question(index, span, text))
        else:
            checked.dropped += 1
    chosen: list[Question] = []
    for index in range(len(facts)):
        chosen += [q for q in kept.values() if q.fact == index][:per_fact]
    return chosen, checked


def is_good(question: str, span: Span, fact: Fact) -> bool:
    """String tests: one whole question, about this fact, that does not give its answer away."""
    words = telling_words(question)
    about = set(telling_words(fact.statement))
    # Of English, `telling_words` has left them out.
    common = (
        frozenset() if fact.language == ENGLISH else COMMON_WORDS.get(fact.language, frozenset())
    )
    strange = [word for word in words if word not in about | common]
    names = re.findall(r"(?<!^)\b[A-Z]\w+", question.lstrip("¿"))
    return (
        question.endswith("?")
        and question.count("?") == 1
        and len(question.split()) <= LONGEST_QUESTION
        and not contains(question, span.text)
        and any(word in about for word in words)
        and len(strange) <= STRANGE_WORDS
        and not (LEAKED | ABOUT_TEXT).intersection(strange)
        and all(name.lower() in about or name == "I" for name in names)
        and not re.search(r"\b(\w+ \w+)\b.*\b\1\b", question)
        and not (fact.language == ENGLISH and dangles(question))
    )


def dangles(question: str) -> bool:
    """Whether an English question says "she" or "her" of nobody that it names, speaks of as "my sister", or asks for."""
    found = PERSON.search(question)
    if not found or question.startswith("Who"):
        return False
    before, is_anothers = question[: found.start()], found["whose"]
    names = r"(?<!^)\b[A-Z]\w|\b(?:my|our) \w" + (r"|\bthe \w" if is_anothers else "")
    return not re.search(names, before)


def _examples(fact: Fact) -> str:
    """What a base goes on writing from, with a place for the statement; nothing in a language without any."""
    return EXAMPLES if fact.language == ENGLISH else wordings(fact.language).examples


def _is_time(unit: str) -> bool:
    return unit.rstrip("s") in {"second", "minute", "hour", "day", "night", "week", "month", "year"}
