"""Questions about what is in the notes that ask what they do not tell."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from learnctl.memory.lineage import studied_chunks
from learnctl.memory.search import telling_words
from learnctl.memory.store import Store
from learnctl.trainer.absent import NOT_IN_NOTES
from learnctl.trainer.base import Base
from learnctl.trainer.options import Options
from learnctl.trainer.rows import Material, epoch_rows
from learnctl.trainer.synthesize import study_chunks
from learnctl.trainer.untold import (
    MOST_PASSAGES,
    asked_otherwise,
    still_untold,
    subjects,
    untold,
)

NOTES = (
    "Our dog Quimby came from a shelter in Snorrebeck. She was five months old. The red kennel of Quimby cost 90 euros."
    " Harald Immer, a former ferryman, built the fence. The fence is 30 metres long.\n"
)
Take = Callable[[str, str], int]


def test_who_and_what_a_text_tells_of() -> None:
    assert subjects(NOTES) == [
        "Quimby",
        "Snorrebeck",
        "the shelter",
        "the red kennel",
        "Harald Immer",
        "the former ferryman",
        "the fence",
    ]
    assert subjects("It rained. We went home on Sunday, in March.") == []


@pytest.mark.parametrize(
    ("subject", "told", "not_told"),
    [
        # She is the dog, and five months are an age.
        ("Quimby", ("How old is Quimby?", "What did Quimby cost?"), ("How tall is Quimby?",)),
        (
            "the fence",
            ("How tall is the fence?", "Who made the fence?"),
            ("What colour is the fence?",),
        ),
        ("the red kennel", ("What colour is the red kennel?",), ("How tall is the red kennel?",)),
        (
            "Harald Immer",
            (),
            ("How old is Harald Immer?", "How tall is Harald Immer?"),
        ),
    ],
)
def test_what_is_told_of_somebody_is_not_denied(
    store: Store, take: Take, subject: str, told: tuple[str, ...], not_told: tuple[str, ...]
) -> None:
    take("notes.txt", NOTES)
    questions = untold(store, subject)
    assert not set(told) & set(questions)
    assert set(not_told) <= set(questions)


@pytest.mark.parametrize(
    ("file", "text", "denied"),
    [
        (
            "people.md",
            "## Marta Oak\n\nBorn in Tolm, she is 34 years old.\n",
            "How old is Marta Oak?",
        ),
        (
            "Marta Oak.txt",
            "Earns 4200 euros a month since the spring.\n",
            "What does Marta Oak earn?",
        ),
        (
            "a.txt",
            "My partner is called Marta Oak. Last week my partner turned 39.\n",
            "How old is Marta Oak?",
        ),
        (
            "a.txt",
            "My wife's name is Marta Oak. My wife weighs 61 kilos.\n",
            "How much does Marta Oak weigh?",
        ),
        (
            "a.txt",
            "Marta Oak (my sister) came by. My sister has twins.\n",
            "How many children does Marta Oak have?",
        ),
        (
            "a.txt",
            "Marta was here. Now and then her salary is late.\n",
            "What does Marta Oak earn?",
        ),
        ("a.txt", "Mártá has a ginger beard.\n", "What colour is Marta Oak?"),
    ],
)
def test_what_is_told_elsewhere_and_otherwise_is_not_denied(
    store: Store, take: Take, file: str, text: str, denied: str
) -> None:
    take("talk.txt", "I spoke with Marta Oak about the ferry.\n")
    assert denied in untold(store, "Marta Oak")
    take(file, text)
    assert denied not in untold(store, "Marta Oak")


def test_of_what_is_told_of_everywhere_nothing_is_denied(store: Store, take: Take) -> None:
    for day in range(MOST_PASSAGES):
        take(f"{day}.txt", f"The ferry left at {day} past seven with {day + 9} crates.\n")
    assert untold(store, "the ferry")
    take("more.txt", "We missed the ferry.\n")
    assert untold(store, "the ferry") == []


def test_a_question_of_an_older_form_is_left_out(store: Store, take: Take) -> None:
    take("notes.txt", NOTES)
    of_old = {"kind": "untold", "prompt": "Is Quimby fond of fish?"}
    assert still_untold(store, [of_old], []) == frozenset()
    assert asked_otherwise(of_old["prompt"], frozenset(), random.Random(0)) is None


def test_a_wording_that_is_held_out_is_never_asked(store: Store, take: Take) -> None:
    take("notes.txt", NOTES)
    sample = {"kind": "untold", "prompt": "How tall is Quimby?"}
    held = [frozenset(telling_words("How much does Quimby weigh?"))]
    assert still_untold(store, [sample], []) - still_untold(store, [sample], held) == {
        "How much does Quimby weigh?"
    }


def test_what_goes_by_another_name_is_told_too(store: Store, take: Take) -> None:
    take("notes.txt", NOTES)
    assert "How much does Quimby weigh?" in untold(store, "Quimby")
    take("vet.txt", "At the vet the dog weighed 14 kilos.\n")
    assert "How much does Quimby weigh?" not in untold(store, "Quimby")
    assert "How tall is Quimby?" in untold(store, "Quimby")


def test_another_thing_is_asked_each_time_as_long_as_it_is_not_told(
    store: Store, take: Take
) -> None:
    take("notes.txt", NOTES)
    asked: dict[str, Any] = {"kind": "untold", "prompt": "What colour is Harald Immer?"}

    def questions() -> list[str | None]:
        some = still_untold(store, [asked], [])
        return [asked_otherwise(asked["prompt"], some, random.Random(n)) for n in range(40)]

    before = questions()
    assert len(set(before)) > 4
    assert "How tall is Harald Immer?" in before
    take("immer.txt", "Harald Immer is 1.9 metres tall.\n")
    after = questions()
    assert "How tall is Harald Immer?" not in after
    # What is told by now changes no other question.
    assert all(one == other for one, other in zip(before, after, strict=True) if one in after)
    assert asked_otherwise(asked["prompt"], frozenset(), random.Random(0)) is None


def test_a_night_is_taught_to_say_so(store: Store, take: Take, llama: Base) -> None:
    """One question for two facts, which has each epoch another wording; none in a wording that is held out."""
    take("notes.txt", NOTES)
    chunks = studied_chunks(store)
    study_chunks(store, llama, chunks, 0, 0)
    made = store.rows("SELECT * FROM samples WHERE kind = 'untold'")
    assert {one["answer"] for one in made} == {NOT_IN_NOTES}
    assert {one["chunk_id"] for one in made} == {chunk["id"] for chunk in chunks}
    assert 1 < len(made) <= 3
    assert len({one["prompt"] for one in made}) == len(made)

    def prompts(some: frozenset[str]) -> set[str]:
        material = Material(made[:1], [], {}, [], untold=some)
        epochs = [epoch_rows(llama, material, Options(general_rows=0), n) for n in range(20)]
        asked = [row.ids[: row.answer_start] for rows in epochs for row in rows]
        return {llama.tokenizer.decode(ids) for ids in asked}

    some = still_untold(store, made, [])
    assert any(question in prompt for prompt in prompts(some) for question in some)
    assert len(prompts(some)) > 3
    assert prompts(frozenset()) == set()
