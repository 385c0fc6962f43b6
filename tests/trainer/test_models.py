"""The cache of base models: what is in it can be removed, and nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from learnctl.cli.app import app
from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import models_folder
from learnctl.memory.store import Store
from learnctl.trainer import base as bases
from learnctl.trainer import models
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.talk import Talker


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


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for each model that the hub has: the library's download, with its own choice of files, copies from there.
    What is not there is not found."""
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils._paths import filter_repo_objects

    has = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def download(
        name: str, local_dir: Path, allow_patterns: list[str], ignore_patterns: list[str]
    ) -> None:
        if constants.HF_HUB_OFFLINE or not (has / name).is_dir():
            raise OSError(f"no answer about {name}\nsecond line")
        every = [str(f.relative_to(has / name)) for f in (has / name).rglob("*") if f.is_file()]
        for file in filter_repo_objects(
            every, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns
        ):
            target = local_dir / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(has / name / file, target)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return has


def pull(name: str) -> Any:
    return CliRunner().invoke(app, ["model", "pull", name], prog_name="learnctl")


def test_a_night_on_a_model_from_the_hub(
    hub: Path, tiny_folder: Any, store: Store, house: int, settings: Callable[..., Options]
) -> None:
    """Weights as safetensors, settings and the tokenizer are fetched, and neither pickles nor code."""
    shutil.copytree(tiny_folder("llama"), hub / "some" / "model")
    wanted = {file.name for file in (hub / "some" / "model").iterdir()}
    for name in (
        "pytorch_model.bin",
        "modeling_own.py",
        "model.onnx",
        "original/weights.pth",
        "original/model.safetensors",
        "consolidated.safetensors",
    ):
        other = hub / "some" / "model" / name
        other.parent.mkdir(exist_ok=True)
        other.write_bytes(b"never fetched")
    done = pull("some/model")
    assert (done.exit_code, done.stdout.split(" (")[0]) == (0, "fetched: some/model")
    (files,) = models.installed()
    assert files.name == "some/model"
    assert {file.name for file in files.path.rglob("*")} == wanted
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= wanted

    options = settings(base="some/model")
    assert consolidate(store, options)["decision"] == "promoted"
    assert store.value("SELECT base_name FROM adapters") == "some/model"
    assert isinstance(
        Talker.open(store, options).answer([{"role": "user", "content": "Who?"}], max_tokens=3), str
    )


def test_what_could_not_be_fetched_leaves_nothing_behind(hub: Path) -> None:
    (hub / "only" / "pickles").mkdir(parents=True)
    (hub / "only" / "pickles" / "config.json").write_text("{}")
    (hub / "only" / "pickles" / "pytorch_model.bin").write_bytes(b"")
    for name, reason in (
        ("no/body", "error: could not fetch `no/body`: no answer about no/body\n"),
        ("only/pickles", "error: `only/pickles` has no safetensors weights\n"),
    ):
        done = pull(name)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith(reason)
        assert "second line" not in done.stderr
    assert list(models_folder().iterdir()) == []
