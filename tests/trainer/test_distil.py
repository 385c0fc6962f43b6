"""Context distillation: what the base says with the passage in view becomes the target without it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from learnctl.memory.store import Store
from learnctl.trainer.base import Base
from learnctl.trainer.distil import NOT_READ_OUT, teach
from learnctl.trainer.pack import encode, lay_out
from learnctl.trainer.synthesize import Sample, keep_samples
from learnctl.trainer.train import loss_of

SAMPLE: dict[str, Any] = {
    "id": 7,
    "kind": "question",
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


@pytest.mark.parametrize("kind", NOT_READ_OUT)
def test_some_kinds_are_taught_by_the_source_alone(taught: Callable[..., Any], kind: str) -> None:
    """What the base would say with the passage in view is no lesson in how somebody writes, or in saying no."""
    assert taught("kl", kind=kind) == {}


def test_the_teacher_sees_the_passage(taught: Callable[..., Any]) -> None:
    """Another passage, another lesson; shares are probabilities, a row for each token of the answer."""
    choices, shares = taught("kl")[7]
    assert choices.shape == shares.shape
    assert 0 <= float(shares.min()) <= float(shares.sum(-1).max()) <= 1 + 1e-5
    other = taught("kl", passage="A dog barks all night at the moon.")[7]
    assert not shares.equal(other[1])


def test_both_follows_the_teacher_as_far_as_it_is_right(store: Store, llama: Base) -> None:
    """The source's word has what the teacher is not trusted with, beside its share of the rest; the loss
    has no slope where just that is said, in a pack whose other rows have more choices or fewer."""
    import torch

    keep_samples(store, llama.digest, [(None, Sample("cue", SAMPLE["prompt"], SAMPLE["answer"]))])
    number = store.value("SELECT id FROM samples")
    asked = [{"role": "user", "content": SAMPLE["prompt"]}]
    row = encode(llama.tokenizer, asked, SAMPLE["answer"], llama.stop_ids)
    gold = torch.tensor(row.ids[row.answer_start :])
    # At the last token the teacher does not think of the source's word; at the others it gives it half.
    choices = torch.stack([gold, gold + 1, gold + 2], -1)
    choices[-1] += 5
    shares = torch.tensor([0.5, 0.3, 0.1]).repeat(len(gold), 1)
    store.db.execute(
        "INSERT INTO lessons (sample_id, base, n_choices, choices, shares) VALUES (?, ?, 3, ?, ?)",
        [
            number,
            llama.as_held,
            choices.to(torch.int32).numpy().tobytes(),
            shares.numpy().tobytes(),
        ],
    )
    taught = teach(store, llama, [SAMPLE | {"id": number}], "both", LONGEST)[number]
    wanted = torch.zeros(len(gold), 480).scatter_add(-1, *taught)  # (answer token, vocabulary)
    expected = torch.zeros(len(gold), 480).scatter(-1, choices, 0.5 * shares)
    expected[torch.arange(len(gold)), gold] += 0.5
    expected[-1] = one_hot_of(gold)[-1]
    torch.testing.assert_close(wanted, expected)

    beside = torch.arange(5).repeat(len(gold), 1), torch.full((len(gold), 5), 0.1)
    rows = [replace(row, soft=taught), replace(row, soft=beside), row]
    whole = [wanted, torch.zeros(len(gold), 480).scatter(-1, *beside), one_hot_of(gold)]
    said = torch.cat([spread(shares) for shares in whole])
    logits = said.clamp(min=1e-12).log().requires_grad_()
    loss_of(logits, [lay_out(rows, LONGEST, 0)]).backward()
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits), atol=1e-5, rtol=0)


def one_hot_of(gold: Any) -> Any:
    import torch

    return torch.nn.functional.one_hot(gold, 480).float()


def spread(shares: Any) -> Any:
    """Shares of tokens with what they lack of one on all the other tokens alike."""
    others = (shares == 0).float()
    return shares + others * (1 - shares.sum(-1, keepdim=True)) / others.sum(-1, keepdim=True)


def test_no_passage_no_teacher(taught: Callable[..., Any]) -> None:
    assert taught("kl", passage=None) == {}
    assert taught("kl", passage="word " * 400) == {}


def test_the_base_is_left_as_it_was(llama: Base, taught: Callable[..., Any]) -> None:
    before = {name: value.clone() for name, value in llama.model.named_parameters()}
    taught("both")
    assert all(value.equal(before[name]) for name, value in llama.model.named_parameters())


def test_a_teacher_is_asked_once(store: Store, llama: Base) -> None:
    """What it said is kept with the sample, to the bit, and goes with it; held in another precision it says
    something else, and is asked itself."""
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
    other = teach(store, replace(llama, quantization="nf4"), [sample], "kl", LONGEST)[number]
    assert not first[1].equal(other[1])
    assert store.value("SELECT count(*) FROM lessons") == 2
    store.db.execute("DELETE FROM samples")
    assert store.rows("SELECT * FROM lessons") == []
