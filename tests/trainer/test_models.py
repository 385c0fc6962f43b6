"""The cache of base models: what is in it can be removed, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import models_folder
from learnctl.trainer import base as bases
from learnctl.trainer import models


@pytest.fixture
def cached() -> Callable[[str], Path]:
    """A model in the cache of this test, by name."""

    def make(name: str) -> Path:
        folder = models_folder() / models.slug(name)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        return folder

    return make


def test_a_model_is_removed_by_its_name(cached: Callable[[str], Path]) -> None:
    folder, other = cached("Qwen/Qwen3-4B"), cached("embedded")
    assert models.remove("Qwen/Qwen3-4B") == 2
    assert not folder.exists()
    assert other.exists()


@pytest.mark.parametrize("name", ["..", ".", "", "../beside", "missing"])
def test_nothing_else_is_removed(name: str, cached: Callable[[str], Path]) -> None:
    """A name that is none of a model in the cache deletes nothing, also not the cache or what is around it."""
    folder = cached("embedded")
    beside = models_folder().parent / "beside"
    beside.mkdir()
    with pytest.raises(LearnctlError, match="no model"):
        models.remove(name)
    assert folder.exists()
    assert beside.exists()


@pytest.mark.parametrize(
    ("wanted", "device", "name", "held"),
    [
        ("auto", "cuda", "folder", "nf4"),
        ("auto", "cuda", "base.gguf", None),
        ("auto", "cpu", "folder", None),
        ("none", "cuda", "base.gguf", None),
        ("nf4", "cpu", "folder", "nf4"),
    ],
)
def test_how_a_base_is_held(
    wanted: str, device: str, name: str, held: str | None, tmp_path: Path
) -> None:
    """With the shipped setting a GGUF file, quantized already, can be used on every device."""
    import torch

    path = tmp_path / name
    path.touch() if path.suffix else path.mkdir()
    files = models.ModelFiles(name, path)
    assert bases.choose_quantization(wanted, torch.device(device), files) == held


def test_what_cannot_be_quantized_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "base.gguf"
    file.write_bytes(b"no weights")
    with pytest.raises(LearnctlError, match="cannot be quantized again"):
        bases.load(str(file), "nf4", "cpu")


def test_a_base_without_attention_is_refused(tmp_path: Path) -> None:
    """What carries a state from token to token cannot be trained on rows that share their beginnings."""
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=64, hidden_size=16, state_size=4, num_hidden_layers=1)
    MambaForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(LearnctlError, match="no attention"):
        bases.load(str(tmp_path), "none", "cpu")
