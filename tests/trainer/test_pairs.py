"""What a base that reads well makes of a passage: what is parsed, what is verified, what is dropped."""

from dataclasses import replace
from typing import Any

import pytest

from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer import pairs
from learnctl.trainer.base import Base
from learnctl.trainer.facts import contains
from learnctl.trainer.pairs import is_true_to, leans, parse_pairs, write_notes, write_pairs
from learnctl.trainer.reading import measured, reading, reads_well, shipped
from learnctl.trainer.synthesize import study_chunks

SOURCE = "Harald Immer serviced the boiler in Larkhill Cottage on 4 March for 120 euros."


def test_pairs_that_a_model_wrote() -> None:
    written = (
        "Q: Who serviced the boiler in Larkhill Cottage?\nA: Harald Immer\n\n"
        "Q1: What does the text say about Larkhill?\nA1: a boiler\n"
        "Q: When?\n\nA: 4 March\nQ: No answer follows?"
    )
    assert parse_pairs(written) == [
        ("Who serviced the boiler in Larkhill Cottage?", "Harald Immer"),
        ("What does the text say about Larkhill?", "a boiler"),
        ("When?", "4 March"),
    ]


def test_questions_that_lean_on_something_else() -> None:
    assert leans("What does the text say about Larkhill?", "en")
    assert leans("When did he service the boiler?", "en")
    assert not leans("When did Harald service his boiler?", "en")
    assert not leans("¿Qué he comprado?", "es")


@pytest.mark.parametrize(
    ("note", "true"),
    [
        ("Larkhill Cottage had its boiler serviced on 4 March by Harald Immer.", True),
        ("Larkhill Cottage had its boiler serviced on 5 March by Harald Immer.", False),
        ("Mathilda Brook painted every fence in Sollerby yellow during autumn.", False),
        ("Larkhill Cottage had its boiler serviced for 12 euros on 4 March.", False),
        ("Larkhill Cottage had its boiler serviced on 04 March by Harald Immer.", True),
        ("Fine.", False),
    ],
)
def test_notes_stand_in_their_source(note: str, true: bool) -> None:
    """Other words are welcome; other numbers and other matters are not."""
    assert is_true_to(note, SOURCE) is true


def test_a_base_that_cannot_read_is_not_asked(store: Store, llama: Base, take: Any) -> None:
    """Random weights read nothing: it is measured once, and what needs no reader is made all the same."""
    take("a.txt", SOURCE + " The fence of Mathilda Brook cost 640 euros in June.\n")
    assert reading(llama, [(SOURCE, "Who serviced the boiler?", "Harald Immer")]) == 0.0
    assert measured(store, llama) is None
    study_chunks(store, llama, studied_chunks(store), 1, 0)
    assert measured(store, llama) == 0.0
    kinds = {row["kind"] for row in store.rows("SELECT kind FROM samples")}
    assert {"cue", "complete"} <= kinds
    assert not kinds & {"pair", "reversed", "across", "note"}


def test_three_rounds_of_which_the_verified_are_kept(
    llama: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scripted base: the later rounds see the earlier questions, a pair across two passages names both, and what it does
    not say again with the passage in view is dropped, as is what does not stand there, or leans on the text or on who was named before."""
    house, garden = SOURCE, "Mathilda Brook planted the pear tree in Sollerby."
    first = (
        "Q: Who serviced the boiler?\nA: Harald Immer\n"
        "Q: What did the service cost?\nA: 120 euros\n"
        "Q: Who painted the door?\nA: Nobody Known\n"
        "Q: When did he service the boiler?\nA: 4 March\n"
        "Q: Which cottage does the text name?\nA: Larkhill Cottage"
    )
    seen: list[str] = []

    def said(base: Base, model: Any, chats: list[Any], *_: Any, **__: Any) -> list[str]:
        return [answer(chat) for chat in chats]

    def answer(chat: Any) -> str:
        asked = chat[-1]["content"]
        seen.append("\n".join(turn["content"] for turn in chat))
        if "need both texts" in asked:
            return "Q: Which of the two deals with a boiler, Harald Immer or Mathilda Brook?\nA: Larkhill Cottage"
        if "other way round" in asked:
            return (
                "Q: What did Harald Immer service?\nA: the boiler"
                if SOURCE in chat[0]["content"]
                else ""
            )
        if "specific facts" in asked:
            return first if SOURCE in asked else "Q: Who planted the pear tree?\nA: Mathilda Brook"
        # Asked again, it is of another mind about the cost.
        return "Two hundred" if "cost" in asked.splitlines()[-1] else asked.rpartition("\n\n")[0]

    monkeypatch.setattr(pairs, "answer_batch", said)
    chunks = [
        {"document_id": number, "title": "", "heading": "", "date": None, "language": "en"}
        | {"writer": None, "text": text}
        for number, text in ((1, house), (1, garden), (2, "Otto Lind mended the gate."))
    ]
    made, checked = write_pairs(llama, chunks, seed=0)
    kept = [(one.kind, one.passage, one.second, one.answer) for one in made]
    assert sorted(kept, key=str) == [
        ("across", 0, 1, "Larkhill Cottage"),
        ("pair", 0, None, "Harald Immer"),
        ("pair", 1, None, "Mathilda Brook"),
        ("reversed", 0, None, "the boiler"),
    ]
    assert (checked.written, checked.dropped) == (9, 5)
    across = next(text for text in seen if "need both texts" in text)
    for question in (
        "Who serviced the boiler?",
        "What did Harald Immer service?",
        "Who planted the pear tree?",
    ):
        assert question in across


def test_what_is_not_verified_is_dropped(store: Store, llama: Base, take: Any) -> None:
    """Of what random weights write nothing passes, and the counts say so."""
    take("a.txt", SOURCE + "\n")
    chunks = studied_chunks(store)
    pairs, dropped = write_pairs(llama, chunks, 0)
    assert len(pairs) == dropped.written - dropped.dropped
    notes, dropped = write_notes(llama, chunks, 0)
    assert dropped.written >= 2
    assert len(notes) == dropped.written - dropped.dropped


def test_how_well_a_base_reads_is_measured_once(store: Store, llama: Base) -> None:
    """The figure is kept for the base as it is held; one that is held otherwise, or another one, is
    measured anew."""
    store.set_setting(f"reading {llama.as_held}", "0.75")
    assert measured(store, llama) == 0.75
    assert reads_well(store, llama)
    assert measured(store, replace(llama, quantization="nf4")) is None
    llama.digest = "another"
    assert measured(store, llama) is None


def test_what_is_shown_holds_what_is_asked() -> None:
    """A base that reads every word can answer all, and none from the question alone."""
    for passage, question, gold in shipped():
        assert contains(passage, gold)
        assert not contains(question, gold)
