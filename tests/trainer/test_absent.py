"""Questions about what is in no note: where they come from, how they change, and when they go."""

import random
from typing import Any

import pytest

from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer.absent import (
    NOT_IN_NOTES,
    Strangers,
    absent_question,
    asked_of_another,
    find_strangers,
)
from learnctl.trainer.base import Base
from learnctl.trainer.synthesize import Sample, drop_outdated, keep_samples

STRANGERS = Strangers(("Zenobia",), ("trombone",))


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Where does Harald live?", "Where does Zenobia live?"),
        ("What is my kayak called?", "What is my trombone called?"),
        ("How old?", None),
    ],
)
def test_a_question_about_what_is_not_there(question: str, asked: str | None) -> None:
    """A name or a thing of a question gives way to one that no source mentions; else there is none."""
    assert absent_question(question, STRANGERS, random.Random(0)) == asked


def test_strangers_are_in_no_source(store: Store, take: Any) -> None:
    take("band.txt", "Zenobia plays the trombone in our band on Fridays.\n")
    strangers = find_strangers(store)
    assert "Zenobia" not in strangers.names
    assert "trombone" not in strangers.things
    assert strangers.names
    assert strangers.things


def test_a_stranger_gives_way_to_one_of_its_sort() -> None:
    some = Strangers(("Zenobia", "Jocasta"), ("trombone",))
    asked = {
        asked_of_another("Where does Zenobia live?", some, random.Random(n)) for n in range(20)
    }
    assert asked == {"Where does Zenobia live?", "Where does Jocasta live?"}
    assert asked_of_another("Where does Harald live?", some, random.Random(0)) is None


def test_what_is_told_of_by_now_is_no_longer_denied(store: Store, llama: Base, take: Any) -> None:
    take("home.txt", "Our flat has three rooms and a kitchen.\n")
    (chunk,) = studied_chunks(store)
    asked = ["What is the trombone made of?", "Where does Jocasta live?"]
    keep_samples(
        store, llama.digest, [(chunk["id"], Sample("absent", one, NOT_IN_NOTES)) for one in asked]
    )
    drop_outdated(store)
    assert store.value("SELECT count(*) FROM samples") == 2
    take("band.txt", "I play the trombone in our band on Fridays.\n")
    drop_outdated(store)
    assert [row["prompt"] for row in store.rows("SELECT prompt FROM samples")] == asked[1:]
