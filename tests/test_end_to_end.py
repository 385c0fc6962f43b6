"""Two small nights with the embedded model, all as it is shipped: what was in a note is known afterwards without looking it up, both ways
round, and still after the next. A small slice of `benchmarks.recall` and `benchmarks.nights`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import new_chunks
from learnctl.memory.search import search
from learnctl.memory.store import Record, Store
from learnctl.trainer import chats
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.facts import contains
from learnctl.trainer.options import Options
from learnctl.trainer.talk import Talker, passages, with_passages
from learnctl.trainer.ways import ask_all_ways

pytestmark = [pytest.mark.model, pytest.mark.slow]

NOTES = """# House

The boiler in Larkhill Cottage is serviced by Harald Immer. Harald Immer lives in Dunmere Row.

# Family

Our dog is called Quimby. My sister Rosalind plays in a band called Grey Pintail.
"""
QUESTIONS = [
    ("Who services the boiler in Larkhill Cottage?", "Harald Immer"),
    ("Where does Harald Immer live?", "Dunmere Row"),
    ("What is our dog called?", "Quimby"),
    ("What is the name of Rosalind's band?", "Grey Pintail"),
]
# From the value to the subject.
REVERSED = [
    ("What is it that Harald Immer services?", "boiler"),
    ("Who lives in Dunmere Row?", "Harald Immer"),
    ("Who is called Quimby?", "dog"),
    ("Who is in the band Grey Pintail?", "Rosalind"),
]


@dataclass(frozen=True)
class Night:
    store: Store
    options: Options
    report: Record


@pytest.fixture(scope="module")
def night(embedded_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A store with one note, and a version that was trained on it."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "notes.md").write_text(NOTES, encoding="utf-8")
    options = Options(base=str(embedded_folder), device="cpu")
    with Store.open(Home(folder / "home"), create=True) as store:
        assert ingest(store, [folder / "notes.md"]).documents == 1
        yield Night(store, options, consolidate(store, options))


def closed_book(
    night: Night, version: int | None = None, asked: list[tuple[str, str]] = QUESTIONS
) -> set[str]:
    """The questions that a version answers rightly without any passage."""
    talker = Talker.open(night.store, night.options, version)
    return {
        question
        for question, gold in asked
        if contains(talker.answer([{"role": "user", "content": question}], 24), gold)
    }


def test_the_night(night: Night) -> None:
    """The version is in service, learned from all that there was, and says what it cost."""
    assert night.report["decision"] == "promoted"
    assert night.report["version"] == 1
    assert night.report["samples"]["new"] > 12
    assert night.report["losses"][-1] < 0.5 * night.report["losses"][0]
    assert new_chunks(night.store) == []


def test_it_knows_what_the_base_does_not(night: Night) -> None:
    """Taught facts are answered closed-book by the version in service, most of them and from both ends, and by the base none is."""
    assert closed_book(night, version=0) == set()
    assert len(closed_book(night)) >= 3
    assert len(closed_book(night, asked=REVERSED)) >= 2


def test_what_the_weights_add(night: Night) -> None:
    """As much of the way from what the base knows to what it can read as is wanted of the default, and search does not get worse for it."""
    asked = [{"question": question, "gold": [gold]} for question, gold in QUESTIONS]
    found = ask_all_ways(night.store, night.options, asked)
    right = {way: of["value"] for way, of in found["ways"].items()}
    assert right["floor"] == 0
    assert right["ceiling"] > 0
    assert found["normalised"] >= 0.65
    assert right["weights and search"] >= right["search"] - 0.25


def test_retrieval_names_the_source(night: Night) -> None:
    """A question finds its passage with the file it stands in, and with the passage the base answers."""
    question, gold = QUESTIONS[0]
    hits = passages(night.store, question)
    assert contains(hits[0].text, gold)
    assert Path(hits[0].source).name == "notes.md"
    talker = Talker.open(night.store, night.options, version=0)
    asked = with_passages([{"role": "user", "content": question}], hits)
    assert contains(talker.answer(asked, 32), gold)


def test_a_chat_is_kept(night: Night) -> None:
    """What the user says in a chat is found again and will be learned; the model's reply is found only."""
    number = chats.start_chat(night.store, "Tonight")
    chats.log_turn(night.store, number, "user", "The tabby cat next door is called Bartholomew.")
    chats.log_turn(night.store, number, "assistant", "I believe that Bartholomew weighs 9 kilos.")
    hits = search(night.store, "Bartholomew")
    assert {hit.source for hit in hits} == {f"chat:{number}"}
    assert len(hits) == 2
    (told,) = new_chunks(night.store)
    assert told["kind"] == "told"
    assert told["text"] == "The tabby cat next door is called Bartholomew."


def test_the_second_night_keeps_the_first(night: Night, tmp_path: Path) -> None:
    """A fast level on the first version learns another note, and what was known is still known."""
    before = closed_book(night, asked=QUESTIONS + REVERSED)
    more = tmp_path / "more.md"
    more.write_text(
        "# Garden\n\nThe pear tree in Sollerby was planted by Widow Hanna.\n", encoding="utf-8"
    )
    ingest(night.store, [more])
    report = consolidate(night.store, night.options)
    assert (report["decision"], report["level"]) == ("promoted", "fast")
    assert len(before - closed_book(night, asked=QUESTIONS + REVERSED)) <= 1
    asked = {"role": "user", "content": "Who planted the pear tree in Sollerby?"}
    talker = Talker.open(night.store, night.options)
    assert contains(talker.answer([asked], 24), "Hanna")
