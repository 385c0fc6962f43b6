"""Which base model the settings come to, and that it stays that one."""

from pathlib import Path

import torch

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
