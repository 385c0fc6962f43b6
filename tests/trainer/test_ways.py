"""The same questions in five ways: who is asked what, with what in view."""

from typing import Any

import pytest
from peft import PeftModel

from learnctl.memory.store import Record, Store
from learnctl.trainer import registry, ways
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.facts import normalise
from learnctl.trainer.report import report
from learnctl.trainer.synthesize import held_out
from learnctl.trainer.ways import ask_all_ways

ASKED: list[Record] = [
    {"question": "Who services the boiler?", "gold": ["Harald Immer", "Immer"]},
    {"question": "How high is the tower?", "gold": ["90 metres"]},
]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A model that says what it is shown, and knows with its weights how high the tower is."""
    with_weights: list[bool] = []

    def read(base: Any, model: Any, chats: list[Any], max_tokens: int) -> list[str]:
        on = isinstance(model, PeftModel) and model.get_model_status().enabled is True
        with_weights.append(on)
        return [chat[-1]["content"] + (" 90 metres" if on else "") for chat in chats]

    monkeypatch.setattr(ways, "answer_batch", read)
    return with_weights


def test_five_ways(store: Store, house: int, settings: Any, reader: list[bool]) -> None:
    """The base knows nothing alone, and with the passage in view, or found, what stands there; the version knows its part
    without. What no passage holds is asked alone."""
    options = settings(epochs=1)
    consolidate(store, options)
    found = ask_all_ways(store, options, ASKED)
    assert found["version"] == 1
    assert {way: of["value"] for way, of in found["ways"].items()} == {
        "floor": 0.0,
        "ceiling": 0.5,
        "search": 0.5,
        "weights": 0.5,
        "weights and search": 1.0,
    }
    assert found["normalised"] == 1.0
    assert found["without_passage"] == 1
    assert {normalise(row["question"]) for row in ASKED} <= held_out(store)
    assert sum(reader) == 2
    assert report(store)["ways"] == found
    registry.forget(store, [house])
    assert report(store)["ways"] is None  # the version is gone


def test_of_the_base_there_are_three(
    store: Store, house: int, settings: Any, reader: list[bool]
) -> None:
    found = ask_all_ways(store, settings(), ASKED, version=0)
    assert list(found["ways"]) == ["floor", "ceiling", "search"]
    assert found["normalised"] is None


def test_a_passage_holds_the_answer_also_where_it_says_nothing_in_the_words_of_the_question(
    store: Store, house: int, dog: int
) -> None:
    shown = ways.holding(store, {"question": "Whom do we ring for the furnace?", "gold": ["Immer"]})
    assert shown is not None
    assert "Harald Immer" in shown
    assert ways.holding(store, {"question": "Who services the boiler?", "gold": ["Nobody"]}) is None
