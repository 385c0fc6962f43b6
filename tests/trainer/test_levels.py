"""Levels: what lies below stays to the bit, what lies on top adds to it, scales, and can be taken off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from learnctl.memory.lineage import in_service
from learnctl.memory.store import Store
from learnctl.trainer import levels
from learnctl.trainer.adapter import (
    load_adapter,
    new_adapter,
    read_weights,
    remove_adapter,
    save_adapter,
    weights,
)
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options

RANK = 4


@pytest.fixture
def below(llama: Base, tmp_path: Path) -> Path:
    """A published adapter that changes what the base says."""
    model = new_adapter(llama, RANK, seed=1)
    stir(model)
    save_adapter(model, tmp_path)
    llama.model = remove_adapter(model)
    return tmp_path


def stir(model: Any, seed: int = 2) -> None:
    torch.manual_seed(seed)
    with torch.no_grad():
        for value in weights(model).values():
            value.add_(torch.randn_like(value) * 0.05)


def says(base: Base, model: Any) -> Any:
    """Logits, (time, vocabulary)."""
    ids = torch.tensor([base.tokenizer("The boiler was serviced by Harald Immer.")["input_ids"]])
    with torch.no_grad():
        return model(input_ids=ids).logits[0]


def with_below(base: Base, below: Path) -> Any:
    model = load_adapter(base, below)
    said = says(base, model)
    base.model = remove_adapter(model)
    return said


def step(base: Base, model: Any, n_steps: int = 3) -> None:
    optimizer = torch.optim.AdamW(list(weights(model).values()), lr=1e-2, weight_decay=0.0)
    ids = torch.tensor([base.tokenizer("The new fence cost 640 euros.")["input_ids"]])
    for _ in range(n_steps):
        model(input_ids=ids, labels=ids).loss.backward()
        torch.nn.utils.clip_grad_norm_(list(weights(model).values()), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def test_a_fresh_level_changes_nothing(llama: Base, below: Path) -> None:
    expected = with_below(llama, below)
    model, n_frozen = levels.stack(llama, below, rank=2, seed=3)
    assert n_frozen == RANK
    assert torch.allclose(says(llama, model), expected, atol=1e-5)
    llama.model = remove_adapter(model)


def test_what_lies_below_is_not_moved_by_training(llama: Base, below: Path) -> None:
    """Its bytes are the same after some steps, and what is on top has learned."""
    held = read_weights(below)
    model, n_frozen = levels.stack(llama, below, rank=2, seed=3)
    before = says(llama, model)
    step(llama, model)
    assert not torch.allclose(says(llama, model), before, atol=1e-4)
    for name, value in weights(model).items():
        axis = 0 if "lora_A" in name else 1
        part = value.narrow(axis, 0, n_frozen).detach()
        assert torch.equal(part, held[name.replace(".default.", ".")]), name
    llama.model = remove_adapter(model)


def test_what_is_on_top_scales_alone(llama: Base, below: Path, tmp_path: Path) -> None:
    """Scaled to nothing, it is the level below; saved and loaded, one adapter says the same."""
    expected = with_below(llama, below)
    model, n_frozen = levels.stack(llama, below, rank=2, seed=3)
    step(llama, model)
    whole = says(llama, model)
    folder = tmp_path / "stacked"
    save_adapter(model, folder)
    levels.Strength(model, n_frozen).set(0.0)
    assert torch.allclose(says(llama, model), expected, atol=1e-5)
    llama.model = remove_adapter(model)
    assert torch.allclose(with_below(llama, folder), whole, atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_goes_on_in_the_same_ranks_goes_back_to_where_it_started(
    llama: Base, below: Path, share: float
) -> None:
    """Scaled to nothing it is the adapter it went on from, to the bit, and not a weaker one."""
    held = read_weights(below)
    model = load_adapter(llama, below, trainable=True)
    start = levels.copied(model)
    step(llama, model)
    trained = levels.copied(model)
    levels.Strength(model, 0, start).set(share)
    for name, value in weights(model).items():
        before = held[name.replace(".default.", ".")]
        expected = before + share * (trained[name] - before)
        assert torch.allclose(value, expected, atol=1e-6), name
        assert share or torch.equal(value, before), name
    llama.model = remove_adapter(model)


def test_a_third_level_stacks_like_the_second(llama: Base, below: Path, tmp_path: Path) -> None:
    second, _ = levels.stack(llama, below, rank=2, seed=3)
    step(llama, second)
    said = says(llama, second)
    save_adapter(second, tmp_path / "second")
    llama.model = remove_adapter(second)
    third, n_frozen = levels.stack(llama, tmp_path / "second", rank=3, seed=4)
    assert n_frozen == RANK + 2
    assert torch.allclose(says(llama, third), said, atol=1e-5)
    llama.model = remove_adapter(third)


def test_less_strength_never_weakens_earlier_nights(
    store: Store, take: Callable[[str, str], int], house: int, settings: Callable[..., Options]
) -> None:
    """A night that continues what is too strong already, and adds next to nothing, is refused: it does
    not pass by taking back what was learned before."""
    first = consolidate(store, settings(epochs=4, learning_rate=1e-2))
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    bound = 0.9 * first["divergence"]
    second = consolidate(store, settings(epochs=1, learning_rate=1e-12, max_divergence=bound))
    assert second["decision"] == "refused"
    assert second["divergence"] == pytest.approx(first["divergence"], rel=1e-3)
    assert in_service(store) == 1
