"""What a version has learned that answers a question: of its likeliest answers the one to it, and none where none is.

A version knows more than its likeliest answer shows. Asked in other words, or from the value to the subject, it often begins with
another note, while the right one is among the next. So several are looked at, and each is read backwards: a question is far likelier
after the note that answers it. By Bayes' rule that weighs with how likely the answer itself is: the noisy channel,
https://arxiv.org/abs/1611.02554, of answers to questions https://openreview.net/forum?id=Bkx0RjA9tX. What is put together of two notes is likelier still after
itself, so an answer bears on a question no more than what bears it out. Forwards, the base finds an answer likelier after the question that it answers, too; the
two are reckoned together, by as much of the answer as is borne out.

That it is not in the notes was learned too. It stands for all other questions, so it bears on this one by the least that another
answer must: what is not borne out by more than that does not overrule it.

What is told of the thing asked about, and is of another kind than what is asked for, is no answer either (`answer_type`).

How much that must come to is learned each night from the probes that it answered rightly, as selective prediction does
(https://arxiv.org/abs/2006.09462), so that a base or a language that tells less is not silenced.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..memory.search import Hit
from ..memory.store import Record, Store
from . import backing, bearing
from .absent import NOT_IN_NOTES
from .answer_type import fits
from .base import Base
from .chat_form import Chat
from .examination import spread
from .prompt_cache import PromptCache

if TYPE_CHECKING:
    from .talk import Talker

# So many of the likeliest answers are looked at, and so many of those that it gives with passages in view.
N_ANSWERS = 8
N_READ = 2
# What was learned is said in a sentence or two.
MOST_TOKENS = 128
# So many right answers a night learns from.
MOST_LOOKS = 32


def learn(store: Store, base: Base, model: Any, right: Mapping[str, str]) -> Record:
    """What a night's report keeps of it: how much of an answer a passage must hold, and how much that must bear on a question.

    Args:
        right: right answers by question.
    """
    some = spread(list(right), MOST_LOOKS)
    found = {question: backing.backing(store, right[question]) for question in some}
    bears = [
        bearing.bearing(base, model, question, [one.text])[0]
        for question, one in found.items()
        if one.text
    ]
    return {
        "least_backed": _rounded_down(backing.learn(found.values())),
        "least_bearing": _rounded_down(bearing.learn(bears)),
    }


def _rounded_down(bound: float) -> float:
    """A bound that what it was learned from still passes."""
    return math.floor(bound * 1e4) / 1e4


def bounds(store: Store, version: int) -> Record | None:
    """What the night of a version has learned; None where it has not, as before it could."""
    return store.row(
        "SELECT r.report ->> 'least_backed' AS least_backed, r.report ->> 'least_bearing' AS least_bearing"
        " FROM runs r JOIN adapters a ON a.run_id = r.id"
        " WHERE a.version = ? AND least_backed IS NOT NULL AND least_bearing IS NOT NULL",
        version,
    )


class Learned(NamedTuple):
    """An answer that is to be given, and whether the version says it also without any passage in view."""

    answer: str
    is_by_heart: bool


def learned_answer(
    store: Store,
    talker: "Talker",
    messages: Chat,
    question: str,
    hits: Sequence[Hit] = (),
    max_tokens: int = MOST_TOKENS,
    cache: PromptCache | None = None,
) -> Learned | None:
    """What a version has learned that answers a first question; None where nothing that it says is to be given, or where it has
    learned that this is not known.

    With passages in view a version rather reads on in them, also in what answers something else. So what it says without them is
    looked at, too, but for that it is not known: the passages may tell it.

    Args:
        messages: the question as it is asked, with the passages in view.
        hits: these passages.
        cache: what was computed for the question alone.
    """
    max_tokens = min(max_tokens, MOST_TOKENS)
    alone: Chat = [{"role": "user", "content": question}]
    likely = talker.likeliest(alone if hits else messages, N_ANSWERS, max_tokens, cache)
    by_heart = set(likely)
    if hits:
        likely.pop(NOT_IN_NOTES, None)
        for answer, log_probability in talker.likeliest(messages, N_READ, max_tokens).items():
            likely[answer] = max(log_probability, likely.get(answer, log_probability))
    least = bounds(store, talker.version)
    if least is None or not likely:
        return None
    held = {answer: backing.backing(store, answer, hits) for answer in likely}
    texts = list(dict.fromkeys([*likely, *(one.text for one in held.values())]))
    bears = dict(zip(texts, talker.bearing(question, texts), strict=True))
    led = dict(zip(likely, talker.led_to(question, list(likely)), strict=True))
    least_bearing: float = least["least_bearing"]

    def score(answer: str) -> float:
        if answer == NOT_IN_NOTES:
            return float(least["least_backed"]) * least_bearing + likely[answer]
        one = held[answer]
        least_of_both = min(bears[answer], bears[one.text or answer])
        if one.text:  # else it says next to nothing, such as yes
            least_of_both += led[answer]
        return one.share * max(0.0, least_of_both) + likely[answer]

    best = max(likely, key=score)
    if best == NOT_IN_NOTES:
        return None
    found = held[best]
    is_about_it = not found.text or bears[found.text] >= least_bearing
    is_borne_out = found.share >= least["least_backed"] and is_about_it
    return Learned(best, best in by_heart) if is_borne_out and fits(question, best) else None
