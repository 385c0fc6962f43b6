"""Search: whole questions find what they are about, and nothing in a query can do harm."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learnctl.memory.search import TRUSTED_KINDS, Hit, search, telling_words
from learnctl.memory.store import Store
from learnctl.memory.within import Within


@pytest.fixture
def house(take: Any) -> None:
    talk = {
        "title": "Windows",
        "messages": [
            {"role": "user", "content": "The cellar window is broken. Who repairs windows?"},
            {"role": "assistant", "content": "A glazier called Pettersson repairs windows."},
        ],
    }
    take(
        {
            "house.md": "# House\n\nThe boiler is serviced by Harald Immer every March.\n\n"
            "## Garden\n\nThe pear tree was planted in 2009 by the neighbours.\n\n"
            "## Café\n\nThe Café Müller serves crème bru\u0302lée on Sundays.",
            "dog.txt": "The dog is called Quimby. He is afraid of umbrellas.",
            "wood.txt": "A tree grows. The tree is a pear. This tree and that tree bear pears.",
            "talk.jsonl": json.dumps(talk),
        }
    )


def texts(hits: list[Hit]) -> list[str]:
    return [hit.text for hit in hits]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is it that services the boiler?", "Harald Immer"),
        ("who serviced our boilers", "Harald Immer"),  # other forms of the words
        ("What's the dog's name?", "Quimby"),
        ("When did the neighbours plant the pear tree?", "2009"),
        ("IS THE WINDOW IN THE CELLAR BROKEN", "cellar window"),
    ],
)
def test_whole_questions_work(store: Store, house: None, question: str, answer: str) -> None:
    """The chunk that answers comes first."""
    assert answer in search(store, question)[0].text


def test_a_hit_says_where_it_comes_from(store: Store, house: None, folder: Path) -> None:
    """Source, title, heading, and a stretch of the text on one line."""
    hit = search(store, "pear planted")[0]
    assert hit.source == str(folder / "house.md")
    assert hit.source_id == store.find_sources("house.md")[0]["id"]
    assert (hit.title, hit.heading) == ("House", "House › Garden")
    assert "planted in 2009" in hit.snippet
    assert "\n" not in hit.snippet


def test_common_words_find_nothing(store: Store, house: None) -> None:
    """A query of nothing but such words, or of nothing, has no answer."""
    for query in ("", "  \n", "what is it that they have been with", "?!", "The"):
        assert search(store, query) == []
    assert telling_words("What is the Boiler's boiler?") == ["boiler"]


@pytest.mark.parametrize("query", [
    'boiler"', '"boiler', "boiler'", "boiler AND NOT boiler", "NOT boiler", "boiler*", "^boiler",
    "text:boiler", "nothing:boiler", "NEAR(boiler, 2", "{boiler} -boiler", "boiler OR", "(boiler",
    "boiler\x00", "boiler; DROP TABLE chunks; --", "boiler \ud800", "boiler " + "word " * 5000,
    "boiler " + " ".join(f"w{n}" for n in range(3000)), "boiler " + "x" * 10**5, "% _ boiler",
])  # fmt: skip
def test_operators_and_quotes_are_harmless(store: Store, house: None, query: str) -> None:
    """They are no part of the words, and the words are found all the same."""
    assert "Harald Immer" in search(store, query)[0].text


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=st.text(max_size=60), limit=st.integers(0, 5))
def test_any_query_is_answered(store: Store, house: None, query: str, limit: int) -> None:
    """Whatever is typed, search does not raise and keeps to the limit."""
    assert len(search(store, query, limit)) <= limit


def test_what_an_assistant_said_is_found_and_not_trusted(store: Store, house: None) -> None:
    """A reply shows up in a search, and never among what may stand in a prompt as knowledge; nor does
    what the person merely asked."""
    everything = texts(search(store, "Who repairs windows?"))
    assert "A glazier called Pettersson repairs windows." in everything
    assert "Who repairs windows?" in everything
    trusted = texts(search(store, "Who repairs windows?", kinds=TRUSTED_KINDS))
    assert trusted == ["The cellar window is broken."]


def test_marks_on_letters_do_not_matter(store: Store, house: None) -> None:
    """With or without them, in the query or in the text."""
    for query in ("cafe muller", "Café Müller", "CREME BRULEE", "crème", "mu\u0308ller"):
        assert "Sundays" in search(store, query)[0].text


def test_what_a_passage_stands_under_counts_too(store: Store, take: Any) -> None:
    """It is found by its headings alone, before others of its document, and where it says the same as another
    under other headings, the one that is asked for comes first."""
    take(
        {
            "handbook.md": "# Handbook\n\n## Travel\n\n### Trains\n\nThe return ticket costs 40 crowns.\n\n"
            "### Ferries\n\nThe return ticket costs 55 crowns, and a bicycle is free.\n\n"
            "## Kitchen\n\nWho comes last turns the lights off.",
        }
    )
    assert len(search(store, "handbook")) == 3
    assert "40" in search(store, "What does the ticket cost on trains?")[0].text
    assert "55" in search(store, "What does the ticket cost on ferries?")[0].text
    (kitchen,) = search(store, "rules of the kitchen")
    assert kitchen.place == "Handbook › Kitchen"
    assert kitchen.snippet.startswith("Who comes last")


def test_ranking(store: Store, house: None) -> None:
    """More of the words in less text is better, a rare word tells more than a frequent one, and the
    score falls along the list."""
    hits = search(store, "pear tree planted by neighbours")
    assert "planted in 2009" in hits[0].text
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert "Quimby" in search(store, "tree tree umbrellas")[0].text
    assert len(search(store, "tree window boiler dog", limit=2)) == 2


def test_a_speaker_in_any_case(store: Store, take: Any) -> None:
    """Beside documents, in which nobody speaks."""
    take(
        {
            "note.md": "The bakery opens at seven.",
            "chat.txt": "12/03/2024, 10:01 - Émile Özdem: The bakery opens at eight.\n"
            "12/03/2024, 10:02 - Ann: The bakery is closed today.\n",
        }
    )
    for name in ("Émile Özdem", "émile  özdem", unicodedata.normalize("NFD", "ÉMILE ÖZDEM")):
        (hit,) = search(store, "bakery", within=Within(speaker=name))
        assert "eight" in hit.text
