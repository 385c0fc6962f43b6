"""bf16 in the training loop: masters stay fp32, the base comes back to the bit, and what is learned holds."""

from typing import Any

import pytest
import torch

from learnctl.trainer.adapter import new_adapter, weights
from learnctl.trainer.base import Base
from learnctl.trainer.compute import Masters, computing


def loss_of(base: Base, model: Any) -> Any:
    ids = torch.tensor([base.tokenizer("The new fence cost 640 euros.")["input_ids"]])
    return model(input_ids=ids, labels=ids).loss


@pytest.mark.parametrize("compute_in", [torch.bfloat16, None])
def test_masters_learn_and_the_base_comes_back(llama: Base, compute_in: Any) -> None:
    """The loop computes in bf16 or in what the model is; afterwards the base is what it was, to the bit, and
    the adapter is its fp32 masters, moved by steps too small for bf16."""
    model = new_adapter(llama, 4, seed=0)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    start = float(loss_of(llama, model).detach())
    masters = Masters(model, compute_in)
    optimizer = torch.optim.AdamW(list(masters.tensors.values()), lr=1e-2, weight_decay=0.0)
    with computing(model, masters, compute_in):
        assert {value.dtype for value in model.parameters()} == {compute_in or torch.float32}
        for _ in range(8):
            loss_of(llama, model).backward()
            masters.gather()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            masters.scatter()
    for name, value in model.named_parameters():
        assert value.dtype == torch.float32
        if "lora_" not in name:
            assert torch.equal(value, before[name]), name
    assert all(torch.equal(value, masters.tensors[name]) for name, value in weights(model).items())
    assert float(loss_of(llama, model).detach()) < start - 0.1


def test_the_base_comes_back_after_a_fault(llama: Base) -> None:
    model = new_adapter(llama, 4, seed=0)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    masters = Masters(model, torch.bfloat16)
    with pytest.raises(ZeroDivisionError), computing(model, masters, torch.bfloat16):
        raise ZeroDivisionError
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
