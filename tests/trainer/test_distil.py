"""Context distillation: what the base says with the passage in view becomes the target without it."""

from collections.abc import Callable
from typing import Any

import pytest

from learnctl.memory.store import Store
from learnctl.trainer.base import Base
from learnctl.trainer.distil import teach
from learnctl.trainer.synthesize import Sample, keep_samples

SAMPLE: dict[str, Any] = {
    "id": 7,
    "prompt": "What colour is the lamp?",
    "answer": "The lamp is green.",
    "passage": "The lamp is green. It stands by the door.",
}
LONGEST = 256


@pytest.fixture
def taught(store: Store, llama: Base) -> Callable[..., Any]:
    """What the teacher gives for the sample, changed as said; asked anew each time."""

    def ask(loss: str, **changes: Any) -> Any:
        store.db.execute("DELETE FROM lessons")
        return teach(store, llama, [SAMPLE | changes], loss, LONGEST)

    return ask


def test_the_source_alone_asks_no_teacher(taught: Callable[..., Any]) -> None:
    assert taught("ce") == {}


def test_the_teacher_sees_the_passage(taught: Callable[..., Any]) -> None:
    """Another passage, another lesson; shares are probabilities, a row for each token of the answer."""
    choices, shares = taught("kl")[7]
    assert choices.shape == shares.shape
    assert 0 <= float(shares.min()) <= float(shares.sum(-1).max()) <= 1 + 1e-5
    other = taught("kl", passage="A dog barks all night at the moon.")[7]
    assert not shares.equal(other[1])


def test_both_gives_each_token_one_whole_share(taught: Callable[..., Any]) -> None:
    """What the teacher is not trusted with goes to the source's own word."""
    choices, shares = taught("both")[7]
    teacher = taught("kl")[7]
    trust = (teacher[1] * (teacher[0] == choices[:, :1])).sum(-1)
    assert shares[:, 0] == pytest.approx(1 - trust)
    assert shares[:, 1:] == pytest.approx(teacher[1] * trust[:, None])


def test_no_passage_no_teacher(taught: Callable[..., Any]) -> None:
    assert taught("kl", passage=None) == {}
    assert taught("kl", passage="word " * 400) == {}


def test_the_base_is_left_as_it_was(llama: Base, taught: Callable[..., Any]) -> None:
    before = {name: value.clone() for name, value in llama.model.named_parameters()}
    taught("both")
    assert all(value.equal(before[name]) for name, value in llama.model.named_parameters())


def test_a_teacher_is_asked_once(store: Store, llama: Base) -> None:
    """What it said is kept with the sample, to the bit, and goes with it."""
    kept = Sample("cue", SAMPLE["prompt"], SAMPLE["answer"])
    keep_samples(store, llama.digest, [(None, kept)])
    number = store.value("SELECT id FROM samples")
    sample = SAMPLE | {"id": number}
    first = teach(store, llama, [sample], "kl", LONGEST)[number]
    llama.model.get_output_embeddings().weight.data.mul_(
        2
    )  # were it asked again, it would say otherwise
    again = teach(store, llama, [sample], "kl", LONGEST)[number]
    assert first[0].equal(again[0])
    assert first[1].equal(again[1])
    store.db.execute("DELETE FROM samples")
    assert store.rows("SELECT * FROM lessons") == []
