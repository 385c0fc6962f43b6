"""Telling statements apart by their questions: learned with the facts, not with the sentences alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer.adapter import new_adapter
from learnctl.trainer.association import Association, Trial, compare, told_apart, trials
from learnctl.trainer.base import Base
from learnctl.trainer.options import Options
from learnctl.trainer.pack import pack
from learnctl.trainer.progress import silent
from learnctl.trainer.stop import StopSignals
from learnctl.trainer.train import train

FACTS = [
    ("What is the dog called?", "The dog is called Quimby."),
    ("Who services the boiler?", "Harald Immer, every March."),
    ("Where does Harald live?", "In Dunmere Row, with two parrots."),
    ("What did the fence cost?", "The new fence cost 640 euros."),
]


@pytest.mark.parametrize(("turn", "low", "high"), [(0, 0.95, 1.0), (1, 0.0, 0.4)])
def test_facts_and_mere_sentences(
    llama: Base,
    chat_rows: Callable[..., Any],
    settings: Callable[..., Options],
    tmp_path: Path,
    turn: int,
    low: float,
    high: float,
) -> None:
    """The same sentences learned on their own questions, and each on the next one's."""
    options = settings(epochs=30, learning_rate=1e-2, pack_tokens=64, packs_per_step=2)
    answers = [answer for _, answer in FACTS]
    taught = [(FACTS[i][0], answers[(i + turn) % len(FACTS)]) for i in range(len(FACTS))]
    model = new_adapter(llama, options.rank, options.seed)
    packs = int(options.epochs) * pack(chat_rows(llama, taught), options.pack_tokens)
    train(llama, model, packs, options, tmp_path / "checkpoint", StopSignals(), silent)
    asked = [
        Trial(question, right, [other for other in answers if other != right], (1, right))
        for question, right in FACTS
    ]
    told = told_apart(llama, model, asked, 128)
    found = compare(asked, told, told)
    assert found is not None
    assert low <= found.after <= high


def test_trials(store: Store, take: Callable[[str, str], int]) -> None:
    """A probe's own statement, and such of the same night that do not hold what is asked for."""
    text = "The dog is called Quimby. The cat is called Tinder. Quimby chases the cat Tinder."
    take("dog.txt", text)
    (chunk,) = studied_chunks(store)
    probe = {
        "id": 1,
        "chunk_id": chunk["id"],
        "question": "What is the cat called?",
        "gold": "Tinder",
    }
    (trial,) = trials(store, [probe], 0)
    assert "Tinder" in trial.right
    assert trial.wrong
    assert not any("Tinder" in other for other in trial.wrong)
    assert trials(store, [{**probe, "gold": "Nobody"}], 0) == []


def test_nothing_to_tell_apart(llama: Base) -> None:
    assert told_apart(llama, llama.model, [], 128) == []
    too_long = Trial("Who? " * 200, "Quimby.", ["Tinder."], (1, "Quimby"))
    told = told_apart(llama, llama.model, [too_long], 128)
    assert compare([too_long], told, told) is None
    assert compare([], [], []) is None


def test_before_and_after() -> None:
    """Shares are means over trials; what is lost and won is counted in pairs, and by facts. What is not told counts for nothing."""
    dog, cat = (1, "Quimby"), (1, "Tinder")
    some = [Trial("?", "", [], fact) for fact in (dog, cat, dog, cat)]
    before = [[True, True, False], [True], [], [False]]
    after = [[True, False, True], [False], [], [False]]
    assert compare(some, before, after) == Association(0.5556, 0.2222, 3, 2, 1, moves=(0, -1))
