"""One passage in several places is one chunk; passages that differ in a fact are not one."""

import json
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.check import check
from learnctl.memory.forget import forget_sources
from learnctl.memory.near import keys, same
from learnctl.memory.store import Store

SHORT = "The boiler in the cellar was repaired by Anna Hansen on 3 May 2019 for 250 euros."
LONG = (
    "The library on the hill opens at nine in the morning and closes at six in the evening, and whoever wants to "
    "receive a card there has to bring a letter that gives the address and one photograph; Mrs Lind at the desk "
    "keeps all of them in a green cupboard beside the window."
)


def is_found(one: str, other: str) -> bool:
    return bool(set(keys("text", one)) & set(keys("text", other))) and same(one, other)


@pytest.mark.parametrize(
    "other",
    [
        SHORT.replace(" ", "  "),
        SHORT.replace("the cellar", "the\ncellar"),
        SHORT.rstrip("."),
        SHORT.replace("cellar was", "cellar, was") + "..",
        SHORT.upper(),
        f"“{SHORT}”",
        f"**{SHORT}**",
        SHORT.replace("repaired", "re-paired"),
        LONG.replace("receive", "recieve"),
        LONG.replace("address", "adress"),
        LONG.replace("; Mrs", " – Mrs"),
    ],
)
def test_the_same_in_other_dress(other: str) -> None:
    assert any(is_found(text, other) and is_found(other, text) for text in (SHORT, LONG))


@pytest.mark.parametrize(
    "other",
    [
        SHORT.replace("250", "260"),
        SHORT.replace("250", "25"),
        SHORT.replace("250", "2.50"),
        SHORT.replace("250", "-250"),
        SHORT.replace("3 May", "4 May"),
        SHORT.replace("May", "March"),
        SHORT.replace("2019", "2091"),
        SHORT.replace("Hansen", "Hanson"),
        SHORT.replace("Hansen", "Hannsen"),
        SHORT.replace("Anna", "Ana"),
        SHORT.replace("was", "was not"),
        SHORT.replace("repaired", "repiared"),  # too short a passage for slips
        SHORT.replace(".", "?"),
        SHORT.replace("cellar", "attic"),
        LONG.replace("green", "brown"),
        LONG.replace("six", "ten"),
        LONG.replace("Lind", "Linde"),
        LONG.replace("evening", "morning"),
        LONG.replace("opens", "opened"),
        LONG.replace("receive", "recieve").replace("address", "adress"),  # too many slips
        LONG + " It is red.",
    ],
)
def test_another_fact_is_another_passage(other: str) -> None:
    assert not any(is_found(text, other) for text in (SHORT, LONG))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My blood type is A+.", "My blood type is A-."),
        ("At work I write C++ mostly.", "At work I write C mostly."),
        ("At work I write C# mostly.", "At work I write C mostly."),
        ("At work I write C# beside the café.", "At work I write C beside the café."),
        ("Keep it at ≤ 5 bar.", "Keep it at ≥ 5 bar."),
        ("It cost ₹500 there.", "It cost ₩500 there."),
        ("The letters go Anna → Bob.", "The letters go Anna ← Bob."),
        ("दिन अच्छा है।", "दीन अच्छा है।"),
        ("Ünder AB1234 it lies.", "Ünder AB1243 it lies."),
    ],
)
def test_a_sign_is_a_fact_too(one: str, other: str) -> None:
    assert not is_found(one, other)
    assert is_found(one, one.replace(" ", "  "))


def test_code_is_compared_exactly() -> None:
    assert keys("text", "if (a == b) { c[1] = d; }") == ()


def texts(store: Store) -> list[str]:
    return [row["text"] for row in store.rows("SELECT text FROM chunks ORDER BY id")]


def test_one_chunk_with_its_origins(take: Any, store: Store) -> None:
    take({"a.md": f"# A\n\n{SHORT}\n"})
    report = take(
        {
            "b.md": f"# B\n\n{SHORT.replace(' ', '  ')}\n",
            "c.md": f"# C\n\n{SHORT.rstrip('.')}\n",
            "d.md": f"# D\n\n{SHORT.replace('250', '251')}\n",
        }
    )
    assert report.documents == 3
    assert report.chunks == 1
    assert texts(store) == [SHORT, SHORT.replace("250", "251")]
    assert store.value("SELECT count(*) FROM origins WHERE chunk_id = 1") == 3
    assert list(check(store)) == []


def test_a_message_in_five_exports(take: Any, store: Store) -> None:
    for number in range(5):
        said = SHORT.replace("cellar", "cellar" + "," * (number % 2)) + "!" * number
        talk = {"title": str(number), "messages": [{"role": "user", "content": said}]}
        take({f"{number}.jsonl": json.dumps(talk)})
    assert len(texts(store)) == 1
    assert store.value("SELECT count(*) FROM origins WHERE chunk_id = 1") == 5


def test_an_edit_counts_however_small(take: Any, store: Store) -> None:
    """The wording is what the file says now, not what it said before."""
    take({"a.md": f"# A\n\n{LONG.replace('address', 'adress')}\n"})
    take({"a.md": f"# A\n\n{LONG}\n"})
    assert texts(store) == [LONG]


def test_it_stays_for_who_holds_it_still(take: Any, store: Store, folder: Path) -> None:
    """In the words of whom it came from first."""
    take({"a.md": f"# A\n\n{SHORT}\n"})
    take({"b.md": f"# B\n\n{SHORT.rstrip('.')}\n"})
    forget_sources(store, [store.find_sources("a.md")[0]["id"]])
    assert texts(store) == [SHORT]
    forget_sources(store, [store.find_sources("b.md")[0]["id"]])
    assert texts(store) == []
    assert store.value("SELECT count(*) FROM wordings") == 0
