"""Levels of memory as blocks of rank in one adapter.

The slow level is trained from the untouched base over all that is live. A level above it gets ranks of
its own, stacked beside those below: W + s·(B_slow A_slow + B_fast A_fast) is one LoRA whose A and B are
the blocks laid side by side, exactly. What lies below is frozen while a level is trained, so a version is
one file at every moment, and taking the upper block to nothing gives back the level below to the bit.

A third level would stack on the second as the second does on the first.
"""

from pathlib import Path
from typing import Any

from .adapter import new_adapter, read_weights, weights
from .base import Base


def stack(base: Base, below: Path, rank: int, seed: int) -> tuple[Any, int]:
    """A fresh level, which changes nothing yet, on top of a published adapter.

    Returns the PEFT model and how many ranks are frozen: those of the adapter below, which come first.
    """
    import torch

    held = read_weights(below)
    n_frozen = next(value.shape[0] for name, value in held.items() if "lora_A" in name)
    model = new_adapter(base, n_frozen + rank, seed)
    with torch.no_grad():
        for name, value in weights(model).items():
            axis = _rank_axis(name)
            value.narrow(axis, 0, n_frozen).copy_(held[name.replace(".default.", ".")])
            value.register_hook(_without(n_frozen, axis))
    return model, n_frozen


def copied(model: Any) -> dict[str, Any]:
    """The tensors of an adapter as they are now, by name."""
    return {name: value.detach().clone() for name, value in weights(model).items()}


class Strength:
    """What a run has trained, at more or less of its strength; what it was trained on stays whole.

    Args:
        n_frozen: how many ranks lie below those that were trained.
        start: the tensors that were trained on, for a level that goes on in the ranks of the one below.
            Without, the topmost ranks began as nothing.
    """

    def __init__(self, model: Any, n_frozen: int, start: dict[str, Any] | None = None) -> None:
        self._model = model
        self._whole = copied(model)
        self._start = start or {
            name: _without_topmost(name, value, n_frozen) for name, value in self._whole.items()
        }

    def set(self, share: float) -> None:
        """Put the adapter so far along the line from where it started to where it was trained to."""
        import torch

        with torch.no_grad():
            for name, value in weights(self._model).items():
                value.copy_(torch.lerp(self._start[name], self._whole[name], share))


def _without_topmost(name: str, value: Any, n_frozen: int) -> Any:
    """A level adds nothing where its B is zero, whatever its A is."""
    if "lora_A" in name:
        return value
    kept = value.clone()
    kept.narrow(1, n_frozen, value.shape[1] - n_frozen).zero_()
    return kept


def _rank_axis(name: str) -> int:
    """A is (rank, in), B is (out, rank)."""
    return 0 if "lora_A" in name else 1


def _without(n_frozen: int, axis: int) -> Any:
    """Takes the gradient off the frozen ranks. Adam without decay then moves them by exactly nothing."""

    def hook(gradient: Any) -> Any:
        kept = gradient.clone()
        kept.narrow(axis, 0, n_frozen).zero_()
        return kept

    return hook
