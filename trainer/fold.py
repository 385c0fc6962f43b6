"""What a conversation outgrew, in few words: the base's own summary, else what the user said.

A base that does not read well writes summaries of things that nobody said. So it is asked only where the
nights have measured that it reads (`reading.py`); else the latest of the user's own sentences stand
for the old part, which nothing can be wrong with. Either stands in the prompt alone and is never learned:
what was said lies in the store as it was said.
"""

from ..memory.sentences import sentences
from ..memory.store import Store
from ..memory.unspaced import last_words, n_words
from .reading import LEAST_READING, measured
from .talk import Talker

SUMMARY_TOKENS = 96
MOST_WORDS = 200
ASKED = "Say in at most three short sentences what was said in this conversation:"


def fold(talker: Talker, store: Store | None, said: list[tuple[str, str]], room: int) -> str:
    """The old part of a conversation.

    Args:
        said: what was asked and answered, oldest first.
        room: the most words to take, or to show the base.
    """
    room = min(MOST_WORDS, room)
    if store is not None and (measured(store, talker.base) or 0.0) >= LEAST_READING:
        summary = _summary(talker, said, 4 * room)
        if summary:
            return f"Earlier in this conversation: {summary}"
    kept: list[str] = []
    for sentence in reversed([s for question, _ in said for s in sentences(question)]):
        room -= n_words(sentence)
        if room < 0:
            break
        kept.append(sentence)
    if not kept:
        return ""
    listed = "\n".join(f"- {sentence}" for sentence in reversed(kept))
    return f"Earlier in this conversation the user said:\n{listed}"


def _summary(talker: Talker, said: list[tuple[str, str]], room: int) -> str:
    log = "\n".join(f"User: {q}\nAssistant: {a}" for q, a in said)
    chat = [{"role": "user", "content": f"{ASKED}\n\n{last_words(log, room)}"}]
    return talker.base_answer(chat, SUMMARY_TOKENS)
