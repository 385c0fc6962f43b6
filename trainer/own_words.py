"""Answers in the base's own words, where it reads well: what it says to a question with the passage in view.

A base that is taught whole sentences alone answers with the sentence that it knows best, also where it is shown the one
that is asked for. Its own answer says what was asked, and is what it would say anyway (self-distillation,
https://arxiv.org/abs/2402.13669). It is also the second look at a question: one that the base does not answer with a
value of the fact asks for something else.
"""

from collections.abc import Sequence

from ..memory.store import Record
from .base import Base
from .facts import Fact, contains, supported
from .generate import answer_batch
from .pairs import titled
from .reading import in_view

MOST_TOKENS = 40

# A question about a fact of a chunk.
Asked = tuple[Record, Fact, str]


def own_words(base: Base, asked: Sequence[Asked]) -> list[str | None]:
    """For each question the base's answer; the fact's own sentence where the answer is cut or says more than is
    there; None where it holds no value of the fact."""
    views = [in_view(titled(chunk), question) for chunk, _, question in asked]
    said = answer_batch(
        base, base.model, [[{"role": "user", "content": view}] for view in views], MOST_TOKENS
    )
    found: list[str | None] = []
    for (_, fact, question), view, answer in zip(asked, views, said, strict=True):
        if not _holds_a_value(answer, fact, question):
            found.append(None)
        elif _is_whole(base, answer) and supported(answer, view):
            found.append(answer)
        else:
            found.append(fact.statement)
    return found


def _holds_a_value(answer: str, fact: Fact, question: str) -> bool:
    values = (span.text for span in fact.spans if not contains(question, span.text))
    return any(contains(answer, value) for value in values)


def _is_whole(base: Base, answer: str) -> bool:
    n_tokens = len(base.tokenizer(answer, add_special_tokens=False)["input_ids"])
    return "\n" not in answer and n_tokens < MOST_TOKENS - 1
