"""A version's adapter as a GGUF LoRA, the form in which llama.cpp and what is built on it take adapters.

Each matrix keeps its shape, A as (rank, in) and B as (out, rank), under the GGUF name of the layer with
`.lora_a` or `.lora_b` behind it; what they add is scaled by alpha over rank. Models of Llama's kind hold the
rows of their query and key layers in another order in GGUF than in safetensors, and so must B.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-adapter.cpp
"""

import json
import os
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from .adapter import read_weights

# Our names of architectures on the left, those of GGUF on the right.
ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
_PREFIX = "base_model.model."


def write(folder: Path, config: Any, target: Path) -> None:
    """Write the adapter in a version's folder as one GGUF file, for its owner alone.

    Args:
        config: the settings of the base, as transformers holds them.

    Raises:
        LearnctlError: the base is of a kind whose form in GGUF is not known here.
        FileExistsError: there is such a file.
    """
    import gguf

    if config.model_type not in ARCHITECTURES:
        raise LearnctlError(
            f"adapters of {config.model_type} cannot be written as GGUF",
            hint=f"those of {', '.join(ARCHITECTURES)} can",
        )
    architecture = ARCHITECTURES[config.model_type]
    settings = json.loads((folder / "adapter_config.json").read_text())
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    writer = gguf.GGUFWriter(target, architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(settings["lora_alpha"]))
    known = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(known[architecture], config.num_hidden_layers)
    for name, value in sorted(read_weights(folder).items()):
        layer, _, side = name.removeprefix(_PREFIX).removesuffix(".weight").rpartition(".")
        found = names.get_name(layer)
        if found is None:
            raise LearnctlError(f"the layer {layer} has no name in GGUF")
        matrix = value.float().numpy()
        if side == "lora_B" and architecture == "llama":
            matrix = _in_order_of_gguf(matrix, layer, config)
        writer.add_tensor(f"{found}.weight.{side.lower()}", matrix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _in_order_of_gguf(matrix: Any, layer: str, config: Any) -> Any:
    """Rows of a query or key layer: the two halves of each head, that turn together, side by side."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    n_heads = heads.get(layer.rpartition(".")[2])
    if n_heads is None:
        return matrix
    n_rows, rank = matrix.shape
    halves = matrix.reshape(n_heads, 2, n_rows // n_heads // 2, rank)
    return halves.swapaxes(1, 2).reshape(n_rows, rank)
