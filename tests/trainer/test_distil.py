"""Context distillation: what the base says with the passage in view becomes the target without it."""

from dataclasses import replace
from typing import Any

import pytest

from learnctl.trainer.base import Base
from learnctl.trainer.distil import teach

SAMPLE = {
    "id": 7,
    "prompt": "What colour is the lamp?",
    "answer": "The lamp is green.",
    "passage": "The lamp is green. It stands by the door.",
}
LONGEST = 256


def taught(base: Base, loss: str, **changes: Any) -> Any:
    return teach(base, [SAMPLE | changes], loss, LONGEST)


def test_the_source_alone_asks_no_teacher(llama: Base) -> None:
    assert taught(llama, "ce") == {}


def test_the_teacher_sees_the_passage(llama: Base) -> None:
    """Another passage, another lesson; shares are probabilities, a row for each token of the answer."""
    choices, shares = taught(llama, "kl")[7]
    assert choices.shape == shares.shape
    assert 0 <= float(shares.min()) <= float(shares.sum(-1).max()) <= 1 + 1e-5
    other = taught(llama, "kl", passage="A dog barks all night at the moon.")[7]
    assert not shares.equal(other[1])


def test_both_gives_each_token_one_whole_share(llama: Base) -> None:
    """What the teacher is not trusted with goes to the source's own word."""
    choices, shares = taught(llama, "both")[7]
    teacher = taught(llama, "kl")[7]
    trust = (teacher[1] * (teacher[0] == choices[:, :1])).sum(-1)
    assert shares[:, 0] == pytest.approx(1 - trust)
    assert shares[:, 1:] == pytest.approx(teacher[1] * trust[:, None])


def test_no_passage_no_teacher(llama: Base) -> None:
    assert taught(llama, "kl", passage=None) == {}
    assert taught(llama, "kl", passage="word " * 400) == {}


def test_the_base_is_left_as_it_was(llama: Base) -> None:
    before = {name: value.clone() for name, value in llama.model.named_parameters()}
    taught(replace(llama), "both")
    assert all(value.equal(before[name]) for name, value in llama.model.named_parameters())
