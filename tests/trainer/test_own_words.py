"""Answers in the base's own words: what is kept of them, and where a question has none."""

from pathlib import Path
from typing import Any

from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.facts import find_facts
from learnctl.trainer.own_words import own_words
from learnctl.trainer.synthesize import study_chunks

SENTENCE = "Ludmila Vasterholm founded the bakery in Marrowick in 1957."


def test_the_embedded_base_answers_from_what_it_is_shown(
    store: Store, take: Any, embedded_models: Path
) -> None:
    """With a value of the fact, or else the question asks for something else."""
    take("bakery.txt", SENTENCE + "\n")
    (chunk,) = studied_chunks(store)
    (fact,) = find_facts(SENTENCE)
    base = bases.load("embedded")
    right, beside, given_away = own_words(
        base,
        [
            (chunk, fact, "Who founded the bakery?"),
            (chunk, fact, "How many legs has a horse?"),
            (chunk, fact, "Did Ludmila Vasterholm found the bakery in Marrowick in 1957?"),
        ],
    )
    assert right is not None
    assert "Ludmila Vasterholm" in right
    assert beside is None
    assert given_away is None


def test_what_a_base_cannot_answer_is_not_asked(store: Store, llama: Base, take: Any) -> None:
    """Random weights find no value, though they are said to read well: cues alone teach the fact."""
    store.set_setting(f"reading {llama.as_held}", "0.75")
    take("bakery.txt", SENTENCE + "\n")
    study_chunks(store, llama, studied_chunks(store), 2, 0)
    kinds = {row["kind"] for row in store.rows("SELECT DISTINCT kind FROM samples")}
    assert "cue" in kinds
    assert not kinds & {"question", "pair", "open"}


def test_a_base_that_reads_poorly_teaches_the_sentence(
    store: Store, llama: Base, take: Any
) -> None:
    store.set_setting(f"reading {llama.as_held}", "0.25")
    take("bakery.txt", SENTENCE + "\n")
    study_chunks(store, llama, studied_chunks(store), 2, 0)
    answers = store.rows("SELECT DISTINCT answer FROM samples WHERE kind = 'question'")
    assert [row["answer"] for row in answers] == [SENTENCE]
