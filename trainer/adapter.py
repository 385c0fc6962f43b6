"""LoRA adapters on a frozen base: made, continued, loaded, saved.

Hu et al. 2021, https://arxiv.org/abs/2106.09685. The layers are written out by name and include the
MLP, where facts are held; the weights are fp32 whatever the base is held in.
"""

import json
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from .base import Base

WEIGHTS = "adapter_model.safetensors"
# What an adapter's settings may say; anything else in them is not ours.
PLAIN_LORA = {"peft_type": "LORA", "use_dora": False, "bias": "none", "modules_to_save": None}


def linear_names(model: Any) -> list[str]:
    """The names of all linear layers inside the blocks: attention and MLP, never the output head."""
    import torch

    head = model.get_output_embeddings()
    names = {
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    if not names:
        raise LearnctlError("this base model has no linear layers to adapt")
    return sorted(names)


def new_adapter(base: Base, rank: int, seed: int) -> Any:
    """A fresh adapter, which changes nothing yet, as a PEFT model around the base."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules=linear_names(base.model),
        task_type="CAUSAL_LM",
    )
    return _as_fp32(get_peft_model(base.model, config, autocast_adapter_dtype=False))


def load_adapter(base: Base, folder: Path, trainable: bool = False) -> Any:
    """A published adapter around the base.

    Raises:
        LearnctlError: its settings are not those of a plain LoRA.
    """
    from peft import PeftModel

    _check_settings(folder)
    # Widened before the file is read: a base in bf16 would round it.
    model = PeftModel.from_pretrained(
        base.model, folder, is_trainable=trainable, autocast_adapter_dtype=True
    )
    if not trainable:
        model.eval()
    return _as_fp32(model)


def read_weights(folder: Path) -> dict[str, Any]:
    """The tensors of a published adapter by name, on the CPU.

    Raises:
        LearnctlError: its settings are not those of a plain LoRA.
    """
    from safetensors.torch import load_file

    _check_settings(folder)
    return load_file(folder / WEIGHTS)


def remove_adapter(model: Any) -> Any:
    """Take the adapter's layers out again: the base, which answers exactly as before."""
    return model.unload()


def weights(model: Any) -> dict[str, Any]:
    """The adapter's trainable tensors by name."""
    return {name: value for name, value in model.named_parameters() if "lora_" in name}


def save_adapter(model: Any, folder: Path) -> None:
    model.save_pretrained(folder, safe_serialization=True)
    (folder / "README.md").unlink(missing_ok=True)


def _check_settings(folder: Path) -> None:
    settings = json.loads((folder / "adapter_config.json").read_text())
    for name, value in PLAIN_LORA.items():
        if settings.get(name, value) != value:
            raise LearnctlError(f"{folder}: {name} is {settings[name]!r}, expected {value!r}")


def _as_fp32(model: Any) -> Any:
    import torch

    for value in weights(model).values():
        value.data = value.data.to(torch.float32)
    return model
