"""Facts of one subject set against each other."""

from collections.abc import Callable
from typing import Any

import pytest

from learnctl.memory.lineage import in_service, learned_from, studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.contrasts import contrasts, subject_of
from learnctl.trainer.facts import find_facts, supported
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import study_chunks

Take = Callable[[str, str], int]

TWO = "Harald Immer lives in Dunmere Row. Harald Immer plays the cello in Nightjar."


def made(text: str, kind: str = "text") -> list[tuple[str, str]]:
    chunk: dict[str, Any] = {"id": 1, "path": "a.txt", "kind": kind}
    found = contrasts([(chunk, fact) for fact in find_facts(text)])
    return [(prompt, answer) for _, _, prompt, answer in found]


def test_each_is_set_against_the_other() -> None:
    """The gap of one fact is offered its own filling and the other's, and the answer says where that
    belongs; the right one does not always stand first."""
    assert made(TWO) == [
        (
            "Which is it, Nightjar or Dunmere Row? Harald Immer lives in ____.",
            "Dunmere Row, not Nightjar. Harald Immer plays the cello in Nightjar.",
        ),
        (
            "Which is it, Nightjar or Dunmere Row? Harald Immer plays the cello in ____.",
            "Nightjar, not Dunmere Row. Harald Immer lives in Dunmere Row.",
        ),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Harald Immer lives in Dunmere Row. Mathilda Brook lives in Sollerby.",
        "The fence cost 640 euros. The fence was made of 30 planks.",
        "The fence cost 640 euros.",
        "Harald Immer lives in Dunmere Row. Harald Immer left Dunmere Row on Monday.",
    ],
)
def test_what_cannot_be_mistaken_is_left_alone(text: str) -> None:
    """Two subjects, two units, no fellow, or a filling that both hold."""
    assert made(text) == []


def test_the_same_unit_can() -> None:
    ((prompt, _), _) = made("The fence cost 640 euros. The fence was sold for 30 euros.")
    assert "640 euros" in prompt
    assert "30 euros" in prompt


def test_what_the_user_told_is_turned_to_them() -> None:
    text = "My sister lives in Sollerby with me. My sister works in Fennport for my aunt."
    found = made(text, "told")
    assert len(found) == 2
    for _, answer in found:
        assert "Your sister" in answer
        assert "my" not in answer.lower().split()


@pytest.mark.parametrize(
    ("statement", "subject"),
    [
        ("The new fence cost 640 euros.", "The new fence"),
        ("Harald Immer repaired it.", "Harald Immer"),
        ("In March the fence fell.", None),
        ("We saw Harald Immer.", None),
    ],
)
def test_subject(statement: str, subject: str | None) -> None:
    assert subject_of(statement) == subject


def test_they_belong_to_both_passages_and_are_trained_where_asked_for(
    store: Store, llama: Base, take: Take, settings: Callable[..., Options]
) -> None:
    """Made with every study, supported by the passages they were made from, trained on only where they are
    among the kinds; the second passage counts as learned from."""
    first, second = TWO.split(". ", 1)
    source = take("harald.md", f"# Home\n\n{first}.\n\n# Music\n\n{second}\n")
    study_chunks(store, llama, studied_chunks(store), 1, 0)
    texts = {chunk["id"]: chunk["text"] for chunk in studied_chunks(store)}
    found = store.rows("SELECT * FROM samples WHERE kind = 'contrast'")
    assert len(found) == 2
    for sample in found:
        both = texts[sample["chunk_id"]] + " " + texts[sample["second_chunk_id"]]
        assert supported(sample["answer"], both)
    trained = "SELECT count(*) FROM run_samples rs JOIN samples s ON s.id = rs.sample_id WHERE kind = 'contrast'"
    consolidate(store, settings(epochs=1))
    assert store.value(trained) == 0
    take("dog.txt", "The dog is called Quimby.\n")
    store.set_setting("slow_due", "it was asked for")
    consolidate(store, settings(epochs=1, kinds=f"{Options().kinds},contrast"))
    assert store.value(trained) == 2
    assert in_service(store) in learned_from(store, source)
