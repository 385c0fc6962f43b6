"""Questions about what is in no note: where they come from, and how they change."""

import random
from typing import Any

import pytest

from learnctl.memory.store import Store
from learnctl.trainer.absent import (
    Strangers,
    absent_question,
    asked_of_another,
    find_strangers,
)

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


def test_who_spoke_and_what_stands_in_a_heading_is_no_stranger(store: Store, take: Any) -> None:
    take("house.md", "# The piano\n\nIt was tuned on 4 May by somebody from Dunmere.\n")
    talk = "07/05/2023, 10:15 - {}: The keys are under the mat.\n"
    who = ("Zenobia", "Hilda", "Zenobia", "Hilda")
    take("WhatsApp Chat with Zenobia.txt", "".join(map(talk.format, who)))
    strangers = find_strangers(store)
    assert "Zenobia" not in strangers.names
    assert "piano" not in strangers.things


def test_a_stranger_gives_way_to_one_of_its_sort() -> None:
    some = Strangers(("Zenobia", "Jocasta"), ("trombone",))
    asked = {
        asked_of_another("Where does Zenobia live?", some, random.Random(n)) for n in range(20)
    }
    assert asked == {"Where does Zenobia live?", "Where does Jocasta live?"}
    assert asked_of_another("Where does Harald live?", some, random.Random(0)) is None


def test_what_is_told_of_by_now_is_no_longer_denied() -> None:
    """Whichever word of the question it is; and no other question changes for it."""
    before = Strangers(("Zenobia", "Jocasta"), ("trombone", "caravan", "sister"))
    now = Strangers(("Zenobia", "Jocasta"), ("caravan", "sister"))
    asked = "Where does my sister keep the trombone?"
    for n in range(20):
        again = asked_of_another(asked, now, random.Random(n))
        assert again
        assert "trombone" not in again
        earlier = asked_of_another(asked, before, random.Random(n))
        assert earlier
        assert earlier == again or "trombone" in earlier
    assert asked_of_another(asked, Strangers(("Zenobia",), ()), random.Random(0)) is None
