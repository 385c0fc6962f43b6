"""What a base asks and answers by itself, for rehearsal."""

import json
from pathlib import Path

import pytest

from learnctl.memory.store import Store
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.likeness import THRESHOLD, content, overlap
from learnctl.trainer.options import Options
from learnctl.trainer.own_prompts import MOST, MOST_BATCHES, is_usable, own_samples
from learnctl.trainer.prompt_lists import read_prompts
from learnctl.trainer.rows import own_beside
from learnctl.trainer.synthesize import hold_out

WRITTEN = [
    "How deep is a coal mine?",
    "What do tailors sew?",
    "Where do penguins nest?",
    "Why does iron rust?",  # its divergence is measured on this one
    "What is the largest ocean?",  # on the list of rehearsal prompts
]


def written(store: Store, base: Base, prompts: list[str]) -> None:
    """As if the base had written these and no more would come."""
    told = json.dumps({"batches": MOST_BATCHES, "prompts": prompts})
    store.set_setting(f"own prompts {base.digest}", told)


def test_each_has_an_answer_of_the_base(store: Store, llama: Base) -> None:
    written(store, llama, WRITTEN)
    found = own_samples(store, llama, 10)
    assert [one["prompt"] for one in found] == WRITTEN[:3]
    assert all(one["answer"] and one["kind"].startswith("general") for one in found)
    assert own_samples(store, llama, 2) == found[:2]


def test_none_is_like_what_is_held_out(store: Store, llama: Base) -> None:
    """Not even in other words; also when it was held out after it was answered."""
    written(store, llama, WRITTEN)
    own_samples(store, llama, 10)
    hold_out(store, ["In which places can a penguin nest?"])
    assert [one["prompt"] for one in own_samples(store, llama, 10)] == WRITTEN[:2]


def test_nothing_that_names_the_person_or_looks_like_a_secret() -> None:
    assert is_usable("How deep is a coal mine?")
    for text in (
        "Where is my passport?",
        "What should we eat?",
        "How deep is it? And how wide?",
        "How deep is a coal mine",
        "How deep\nis it?",
        "What does ghp_abcdefABCDEF0123456789abcdefABCDEF0123 open?",
    ):
        assert not is_usable(text), text


def test_a_base_that_asks_nothing_has_none(store: Store, llama: Base) -> None:
    assert own_samples(store, llama, 10) == []


def test_no_time_none_written(store: Store, llama: Base) -> None:
    assert own_samples(store, llama, 10, out_of_time=lambda: True) == []


def test_the_embedded_base_asks_many_things(store: Store, embedded_models: Path) -> None:
    """Short questions, each another, none like one that is measured; fewer are the first of them, and none is
    written again."""
    base = bases.load("embedded")
    first = [one["prompt"] for one in own_samples(store, base, 20)]
    assert len({prompt.casefold() for prompt in first}) == 20
    assert all(prompt.endswith("?") for prompt in first)
    measured = [content(text) for text in read_prompts("divergence")]
    assert not [p for p in first for m in measured if overlap(content(p), m) >= THRESHOLD]
    made = json.loads(store.setting(f"own prompts {base.digest}"))
    assert [one["prompt"] for one in own_samples(store, base, 10)] == first[:10]
    assert json.loads(store.setting(f"own prompts {base.digest}")) == made


@pytest.mark.parametrize(("n_facts", "wanted"), [(0, 0), (100, 25), (340, 85), (4000, MOST)])
def test_their_share(n_facts: int, wanted: int) -> None:
    assert own_beside(n_facts, Options()) == wanted
    assert own_beside(n_facts, Options(general_rows=0)) == 0
