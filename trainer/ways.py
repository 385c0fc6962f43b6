"""What the weights hold and what search finds: the same questions asked in five ways.

*floor*: the base alone. *weights*: the version alone. *ceiling*: the base with the passage in view that holds the answer, which is
the most that it can read. *search*: the base with what search finds, and *weights and search*: the version with it. *Normalised*
recall is (weights - floor) / (ceiling - floor), as knowledge injection is measured where bases read unequally well.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from ..memory.search import TRUSTED_KINDS, search
from ..memory.store import Record, Store, to_json
from .chat_form import Chat
from .examine import ANSWER_TOKENS
from .facts import contains
from .generate import answer_batch
from .intervals import rounded, share
from .options import Options
from .progress import OnProgress, Progress, silent
from .reading import in_view
from .report import WAYS
from .synthesize import hold_out
from .talk import Talker, passages, wanted, with_passages

# So many passages are looked through for one that holds the answer.
LOOKED_THROUGH = 50


def ask_all_ways(
    store: Store,
    options: Options,
    questions: Sequence[Record],
    version: int | None = None,
    on_progress: OnProgress = silent,
) -> Record:
    """Every question of a version (None: the one in service) and of its base, with and without passages in view.

    Returns, and keeps for the report, the version, for each way its share right with the 95% interval, the normalised recall (None where the ceiling is
    not above the floor), and of how many questions no passage holds the answer: these are asked alone for the ceiling.
    """
    wanted(store, options, version)  # what cannot be asked changes nothing
    hold_out(store, [row["question"] for row in questions])
    talker = Talker.open(store, options, version)
    alone: list[Chat] = [[{"role": "user", "content": row["question"]}] for row in questions]
    shown = [holding(store, row) for row in questions]
    in_sight: list[Chat] = [
        [{"role": "user", "content": in_view(text, row["question"])}] if text else chat
        for text, row, chat in zip(shown, questions, alone, strict=True)
    ]
    ways: dict[str, tuple[bool, list[Chat]]] = {
        "floor": (False, alone),
        "ceiling": (False, in_sight),
        "search": (False, _searched(store, alone, 0)),
    }
    if talker.version:
        ways["weights"] = (True, alone)
        ways["weights and search"] = (True, _searched(store, alone, talker.version))
    right: dict[str, list[bool]] = {}
    for done, (name, (with_weights, chats)) in enumerate(ways.items()):
        on_progress(Progress(name, done, len(ways)))
        right[name] = _ask(talker, with_weights, chats, questions)
    found: Record = {
        "version": talker.version,
        "n": len(questions),
        "without_passage": sum(text is None for text in shown),
        "ways": {},
        "normalised": None,
    }
    for name, marks in right.items():
        known = share(marks)
        assert known is not None
        found["ways"][name] = rounded(known)
    shares: dict[str, Any] = {name: sum(marks) / len(marks) for name, marks in right.items()}
    room = shares["ceiling"] - shares["floor"]
    if talker.version and room > 0:
        found["normalised"] = round((shares["weights"] - shares["floor"]) / room, 4)
    store.set_setting(WAYS, to_json(found))
    return found


def _ask(
    talker: Talker, with_weights: bool, chats: list[Chat], questions: Sequence[Record]
) -> list[bool]:
    model: Any = talker.model
    plain = talker.version and not with_weights
    with model.disable_adapter() if plain else nullcontext():
        answers = answer_batch(talker.base, model, chats, max_tokens=ANSWER_TOKENS)
    return [
        any(contains(answer, gold) for gold in row["gold"])
        for answer, row in zip(answers, questions, strict=True)
    ]


def holding(store: Store, row: Record) -> str | None:
    """The text of the best match for a `question`, else for it and its answer, that holds an accepted answer, one of `gold`; None
    where none does."""
    for words in (row["question"], " ".join([row["question"], *row["gold"]])):
        for hit in search(store, words, LOOKED_THROUGH, TRUSTED_KINDS, for_prompt=True):
            if any(contains(hit.text, gold) for gold in row["gold"]):
                return hit.text
    return None


def _searched(store: Store, alone: list[Chat], version: int) -> list[Chat]:
    """Each question with the passages that `chat` would put before it."""
    chats = []
    for chat in alone:
        hits = passages(store, chat[0]["content"], version=version)
        chats.append(with_passages(chat, hits) if hits else chat)
    return chats
