"""Facts of one subject set against each other, so that the first of them does not answer for all.

A gap of one fact is offered two fillings: its own, and that of another fact about the same subject that could stand
there by its form. The answer names the right one, and says where the other belongs. No model is needed.
"""

from collections.abc import Sequence

from ..memory.store import Record
from .facts import NAME, NOT_NAMES, SUBJECT, Fact, Span, contains, second_person


def subject_of(statement: str) -> str | None:
    """What a sentence is about, where its beginning says so plainly."""
    if found := SUBJECT.match(statement):
        return found.group(1)
    name = NAME.match(statement)
    return name.group() if name and name.group().split()[0] not in NOT_NAMES else None


def contrasts(facts: Sequence[tuple[Record, Fact]]) -> list[tuple[int, int | None, str, str]]:
    """For each fact that has a fellow: its chunk, the other's chunk where it is another one, prompt, answer.

    Fellows stand in the same source; each fact is set against the next of its fellows, the last one against
    the first.
    """
    found = []
    for place, (chunk, fact) in enumerate(facts):
        for other_chunk, other in [*facts[place + 1 :], *facts[:place]]:
            pair = _apart(fact, other) if other_chunk["path"] == chunk["path"] else None
            if pair is None:
                continue
            own, another = pair
            choices = (own.text, another.text) if place % 2 else (another.text, own.text)
            gap = fact.statement.replace(own.text, "____")
            prompt = f"Which is it, {choices[0]} or {choices[1]}? {gap}"
            answer = f"{own.text}, not {another.text}. {other.statement}"
            if chunk["kind"] == "told":
                prompt, answer = second_person(prompt), second_person(answer)
            second = None if other_chunk["id"] == chunk["id"] else other_chunk["id"]
            found.append((chunk["id"], second, prompt, answer))
            break
    return found


def _apart(fact: Fact, other: Fact) -> tuple[Span, Span] | None:
    """A span of each, alike in form, that only its own statement holds; None where the facts are about
    two things, or nothing in them could be taken for the other."""
    about = subject_of(fact.statement)
    if about is None or about != subject_of(other.statement):
        return None
    for own in reversed(fact.spans):
        for another in reversed(other.spans):
            if (
                form_of(own) == form_of(another)
                and own.kind != "phrase"
                and own.text != about != another.text
                and fact.statement.count(own.text) == 1
                and not contains(fact.statement, another.text)
                and not contains(other.statement, own.text)
            ):
                return own, another
    return None


def form_of(span: Span) -> tuple[str, str]:
    """Two spans of one form could stand in each other's place: numbers only of the same thing."""
    unit = span.text.split()[-1].strip("0123456789.,") if span.kind == "number" else ""
    return span.kind, unit
