"""What `vram.py` reckons is what a step holds, counted on a CPU in the kinds of numbers of a GPU."""

from pathlib import Path
from typing import Any

import pytest

from learnctl.trainer import base as bases
from learnctl.trainer.adapter import new_adapter
from learnctl.trainer.models import ModelFiles
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row, lay_out
from learnctl.trainer.train import answer_logits, loss_of
from learnctl.trainer.vram import read_config, training_bytes

from .conftest import make_model

TOKENS, RANK = 128, 8


def reckoned_and_kept(family: str, folder: Path, n_layers: int) -> tuple[int, int]:
    """Bytes that all layers keep for the way back: as reckoned, and as autograd has them, with the little that is kept beside layers."""
    import torch

    make_model(family, folder, num_hidden_layers=n_layers, hidden_size=128, intermediate_size=512)
    base = bases.load(str(folder), "none", "cpu")
    base.model.to(torch.bfloat16)
    model = new_adapter(base, RANK, seed=0)
    laid = lay_out([Row(tuple(range(1, TOKENS + 1)), TOKENS - 1)], TOKENS, pad_id=0)
    not_kept = {value.untyped_storage().data_ptr() for value in model.parameters()}
    kept: dict[int, Any] = {}

    def keep(value: Any) -> Any:
        held = value.untyped_storage()
        if held.data_ptr() not in not_kept:
            kept[held.data_ptr()] = held
        return value

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        loss_of(answer_logits(model, [laid], base.device), [laid])
    config = read_config(ModelFiles("", folder))
    assert config
    parts = training_bytes(config, Options(rank=RANK, pack_tokens=TOKENS), quantized=True)
    return parts["activations"], sum(held.nbytes() for held in kept.values())


@pytest.mark.parametrize("family", ["llama", "qwen"])
def test_what_a_layer_keeps(family: str, tmp_path: Path) -> None:
    """An upper bound, and not a loose one; what is kept beside the layers is in both counts."""
    bases.quiet_libraries()
    reckoned, kept = (
        more - less
        for less, more in zip(
            reckoned_and_kept(family, tmp_path / "one", 1),
            reckoned_and_kept(family, tmp_path / "three", 3),
            strict=True,
        )
    )
    assert kept <= reckoned <= 1.15 * kept
