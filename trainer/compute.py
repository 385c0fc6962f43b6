"""What the training loop computes in: bf16 where that is quick, with fp32 masters of what is trained.

A base in full precision is put into bf16 for the loop alone, on CPUs that multiply bf16 in hardware, and is
back to the bit when the loop ends, so that it answers and is examined as before. The adapter's masters stay
fp32: the optimizer moves them, and the bf16 copies that are computed with follow. Mixed precision with
masters: https://arxiv.org/abs/1710.03740.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .adapter import weights
from .base import Base


def is_quick_in_bf16(base: Base) -> bool:
    """Whether this machine multiplies bf16 in hardware and the base is held in fp32 on its CPU."""
    import torch

    if base.device.type != "cpu" or base.quantization or base.model.dtype != torch.float32:
        return False
    # Private, but there is no other way to ask; where it is gone, full precision is computed in.
    quick = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in quick)


class Masters:
    """The trained tensors as the optimizer sees them, by name.

    Where the model computes in what they are, they are the model's own. Else `gather` takes the gradients
    over from the model's copies, and `scatter` brings the copies up to date.
    """

    def __init__(self, model: Any, compute_in: Any) -> None:
        self._working = weights(model)
        self.tensors: dict[str, Any] = dict(self._working)
        self._apart = compute_in is not None
        if self._apart:
            self.tensors = {
                name: value.detach().clone().requires_grad_()
                for name, value in self._working.items()
            }

    def gather(self) -> None:
        if self._apart:
            for name, value in self._working.items():
                self.tensors[name].grad = None if value.grad is None else value.grad.float()
                value.grad = None

    def scatter(self) -> None:
        if self._apart:
            for name, value in self._working.items():
                value.data.copy_(self.tensors[name].data)


@contextmanager
def computing(model: Any, masters: Masters, compute_in: Any) -> Iterator[None]:
    """Put the whole model into `compute_in` (None: leave it), and back to the bit at the end, with the
    masters as its adapter."""
    try:
        with held_in(model, compute_in):
            yield
    finally:
        if compute_in is not None:
            masters.scatter()


@contextmanager
def quickly(base: Base, model: Any) -> Iterator[None]:
    """Compute without gradients, in bf16 where that is quick."""
    import torch

    with held_in(model, torch.bfloat16 if is_quick_in_bf16(base) else None), torch.inference_mode():
        yield


@contextmanager
def held_in(model: Any, kind: Any) -> Iterator[None]:
    """Hold the whole model in another kind of number (None: leave it), and back to the bit at the end."""
    held = [(value, value.data) for value in model.parameters()] if kind is not None else []
    for value, data in held:
        value.data = data.to(kind)
    try:
        yield
    finally:
        for value, data in held:
            value.data = data
