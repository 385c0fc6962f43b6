"""Which base model the settings come to, that it stays that one, and that it is weights and nothing that runs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import Home
from learnctl.trainer import base as bases
from learnctl.trainer.options import load, set_config

GPU, CPU = torch.device("cuda"), torch.device("cpu")


def test_what_was_chosen_by_free_memory_is_written_down(home: Path) -> None:
    """Once: what is free on another day changes nothing."""
    there = Home(home)
    bases.settle(there, "embedded", CPU)
    assert load(there).base == "auto"
    bases.settle(there, "Qwen/Qwen3-8B", GPU)
    assert load(there).base == "Qwen/Qwen3-8B"
    bases.settle(there, "Qwen/Qwen2.5-1.5B-Instruct", GPU)
    assert load(there).base == "Qwen/Qwen3-8B"


def test_what_the_settings_name_is_kept(home: Path) -> None:
    there = Home(home)
    set_config(there, "base", "embedded")
    bases.settle(there, "Qwen/Qwen3-8B", GPU)
    assert load(there).base == "embedded"
    set_config(there, "base", "auto")
    bases.settle(there, "Qwen/Qwen3-8B", GPU)
    assert load(there).base == "Qwen/Qwen3-8B"


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "abacus"])
def test_a_device_that_is_not_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(kind, "is_available", lambda: False)
    with pytest.raises(LearnctlError, match=f"`device` is {name}, and there is none"):
        bases.load("embedded", device=name)


def test_a_device_that_is_there_and_broken(
    tiny_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names none is told of it too, in one line; what ran out of memory is told apart, for it may be given back."""
    folder = str(tiny_folder("llama"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    fault: list[Exception] = [RuntimeError("CUDA error: no kernel image\nCompile with ...")]

    def fail(*_: object, **__: object) -> None:
        raise fault[0]

    monkeypatch.setattr("torch.ones", fail)
    monkeypatch.setattr("torch.cuda.mem_get_info", fail)
    for attempt in (lambda: bases.load(folder), lambda: bases.default_name(GPU)):
        with pytest.raises(LearnctlError) as caught:
            attempt()
        assert str(caught.value) == "the device cuda cannot be used: CUDA error: no kernel image"
        assert "device cpu" in caught.value.hint
    fault[0] = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(torch.OutOfMemoryError):
        bases.load(folder)


EVIL = """
from pathlib import Path
Path({ran!r}).touch()
from transformers import LlamaConfig as Config, LlamaForCausalLM as Model
from transformers import PreTrainedTokenizerFast as Tokenizer
"""


@pytest.fixture
def copied(tiny_folder: Callable[[str], Path], tmp_path: Path) -> Path:
    """The files of a tiny model, to be changed."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder("llama"), folder)
    return folder


def add(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.mark.parametrize("is_known", [True, False])
def test_code_that_lies_beside_weights_is_never_run(
    copied: Path, tmp_path: Path, is_known: bool
) -> None:
    """A model of a known kind is loaded without it, and one that cannot be is refused."""
    ran = tmp_path / "ran"
    (copied / "evil.py").write_text(EVIL.format(ran=str(ran)))
    code = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    add(copied / "config.json", auto_map=code)
    add(copied / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "evil.Tokenizer"]})
    if is_known:
        assert bases.load(str(copied)).model.config.model_type == "llama"
    else:
        add(copied / "config.json", model_type="evil")
        with pytest.raises(LearnctlError, match="cannot be loaded"):
            bases.load(str(copied))
    assert not ran.exists()


def test_pickles_are_never_read(copied: Path) -> None:
    """Weights that are there as a pickle alone are no weights."""
    weights = bases.load(str(copied)).model.state_dict()
    torch.save(weights, copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    with pytest.raises(LearnctlError, match="cannot be loaded"):
        bases.load(str(copied))


ASKED = """
from learnctl.trainer.base import quiet_libraries
quiet_libraries()
from huggingface_hub import constants
print(constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_TELEMETRY)
"""


def test_no_library_goes_to_the_network() -> None:
    """The hub is off unless somebody has set it otherwise."""
    for said, told in (({}, "True True\n"), ({"HF_HUB_OFFLINE": "0"}, "False True\n")):
        done = in_another_process(ASKED, **said)
        assert (done.returncode, done.stdout) == (0, told), done.stderr


LOADED = """
import sys
from learnctl.trainer import base
base.load(sys.argv[1], device="cpu")
"""


def test_a_gguf_file_is_loaded_without_a_word(
    tiny: Callable[[str], bases.Base],
    as_gguf: Callable[[bases.Base, str, Path], None],
    tmp_path: Path,
) -> None:
    """It is at every answer: the bar that transformers shows would stand in each of them, and in the logs of nights."""
    file = tmp_path / "base.gguf"
    as_gguf(tiny("llama"), "llama", file)
    done = in_another_process(LOADED, str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def in_another_process(code: str, *given: str, **said: str) -> "subprocess.CompletedProcess[str]":
    """Without what the libraries were told here."""
    here = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "TRANSFORMERS_", "TQDM_"))
    }
    here["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", code, *given],
        env={**here, **said},
        capture_output=True,
        text=True,
    )
