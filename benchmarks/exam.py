"""Questions put to a version in several ways: from weights alone, with what retrieval finds, with a text in view."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from learnctl.memory.sentences import sentences
from learnctl.memory.store import Store
from learnctl.trainer.chat_form import Chat
from learnctl.trainer.facts import contains, normalise
from learnctl.trainer.generate import answer_batch
from learnctl.trainer.judged import learned_answer
from learnctl.trainer.talk import Talker, passages, with_passages
from learnctl.trainer.wordings import ENGLISH, not_known

ANSWER_TOKENS = 48
# What says that the notes do not tell, or that the speaker does not know.
UNKNOWN = re.compile(
    r"(?i)\bnot (?:\w+ )?(?:in|among|part of) (?:your|my|our|the|these|those|any) (?:\w+ )?(?:notes?|passages?|documents?|records?)\b"
    r"|\bnot (?:\w+ )?(?:mentioned|stated|specified|recorded|noted|provided|known)\b(?! (?:for|as|by)\b)"
    r"|\b(?:nothing (?:\w+ )?(?:is|was) known|(?:is|are) unknown\b|nowhere in (?:your|my|our|the) notes)\b"
    r"|\b(?:notes?|passages?|documents?|texts?) (?:say|says|tell|tells|contain|contains|mention|mentions) nothing\b"
    r"|\bno (?:\w+ )?(?:notes?|mention|records?|information|details?)\b"
    r"|\b(?:notes?|passages?|documents?|texts?) (?:do not|don['’]t|does not|doesn['’]t|did not|didn['’]t|never) "
    r"(?:mention|say|state|specify|tell|give|provide|include|contain)\b"
    # "It does not give milk any more" is an answer.
    r"|\b(?:it|they|you) (?:do not|don['’]t|does not|doesn['’]t|did not|didn['’]t|never) (?:mention|say|state|specify)\b"
    r"|\bI (?:do not|don['’]t|cannot|can['’]t|could not|couldn['’]t) (?:\w+ )?"
    r"(?:know|say|tell|find|recall|remember|answer|determine|provide)\b"
    r"|\bI (?:do not|don['’]t) have (?:\w+ ){0,3}(?:information|access|knowledge|records?|notes?|details?|data)\b"
    r"|\bI(?:['’]m| am) (?:not (?:sure|aware|certain|able)|unable|unaware)\b"
)
SORRY = re.compile(r"(?i)(?:unfortunately|(?:i['’]m |i am )?(?:very |so )?sorry)[.!]")


@dataclass(frozen=True)
class Question:
    """A question, its accepted answers, the text that holds the answer (empty where there is none), the source or session
    that it hangs on, with whose other questions it is right or wrong together, and its kind."""

    text: str
    gold: tuple[str, ...]
    source: str = ""
    cluster: str = ""
    kind: str = ""


Form = Callable[[Question], Chat]


def closed(question: Question) -> Chat:
    return [{"role": "user", "content": question.text}]


def in_view(question: Question) -> Chat:
    """With the text in view that holds the answer, where there is one."""
    if not question.source:
        return closed(question)
    return [{"role": "user", "content": f"{question.source}\n\n{question.text}"}]


def retrieved(store: Store, version: int | None = None) -> Form:
    """With the passages that `learnctl chat` would put in front of the question for a version (None: the
    one in service)."""

    def form(question: Question) -> Chat:
        hits = passages(store, question.text, version=version)
        return with_passages(closed(question), hits) if hits else closed(question)

    return form


def ask(talker: Talker, questions: Sequence[Question], form: Form) -> list[str]:
    """The greedy answers, in order."""
    chats = [form(question) for question in questions]
    return answer_batch(talker.base, talker.model, chats, max_tokens=ANSWER_TOKENS)


def as_given(
    store: Store,
    talker: Talker,
    questions: Sequence[Question],
    answers: Sequence[str],
    is_looked_up: bool = False,
) -> list[str]:
    """What `learnctl ask` gives for some greedy answers, from the weights alone or with what search finds: of what was learned the answer
    to the question, or that it is not known."""
    form = retrieved(store) if is_looked_up else closed
    found = []
    for question, answer in zip(questions, answers, strict=True):
        if talker.is_learned(closed(question)):
            hits = passages(store, question.text) if is_looked_up else []
            learned = learned_answer(
                store, talker, form(question), question.text, hits, max_tokens=ANSWER_TOKENS
            )
            found.append(not_known(ENGLISH, is_looked_up) if learned is None else learned.answer)
        else:
            found.append(answer)
    return found


def right(questions: Sequence[Question], answers: Sequence[str]) -> list[bool]:
    """Whether an accepted answer is contained in what was said."""
    return [
        any(contains(answer, gold) for gold in question.gold)
        for question, answer in zip(questions, answers, strict=True)
    ]


def abstains(answer: str) -> bool:
    """Whether an answer says that it is not in the notes or not known.

    Its first sentence decides, or the one after a bare apology: what claims something first and doubts it
    afterwards has claimed it.
    """
    said = [sentence for sentence in sentences(answer) if not SORRY.fullmatch(sentence)]
    return bool(said) and bool(UNKNOWN.search(said[0]))


def f1(questions: Sequence[Question], answers: Sequence[str]) -> float:
    """The mean of the best word overlap with an accepted answer, as the SQuAD evaluation computes it."""
    scores = [
        max(_overlap(answer, gold) for gold in question.gold)
        for question, answer in zip(questions, answers, strict=True)
    ]
    return round(sum(scores) / max(1, len(scores)), 4)


def _overlap(answer: str, gold: str) -> float:
    said, wanted = normalise(answer).split(), normalise(gold).split()
    common = sum((Counter(said) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)
