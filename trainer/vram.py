"""How much memory training on a base takes, reckoned from its config alone, before anything is loaded.

The parts are upper bounds of what is held at once while one pack is trained; nothing is offloaded and
nothing recomputed. Two things are guesses: what the libraries take, and how many values a layer keeps.
"""

import json
from collections.abc import Mapping
from typing import Any

from .models import ModelFiles
from .options import Options

NF4_BYTES = 0.516  # half a byte a weight, and a scale for each 64, itself quantized
LIBRARIES_BYTES = 700_000_000
# Values that a layer keeps for the way back, for each token: so often its width, and its inner width.
KEPT_WIDTHS = 10
KEPT_INNER = 4


def training_bytes(config: Mapping[str, Any], options: Options, quantized: bool) -> dict[str, int]:
    """The parts of what training takes, in bytes, by name."""
    shape = config.get("text_config", config)
    width, inner = int(shape["hidden_size"]), int(shape["intermediate_size"])
    n_layers, n_heads = int(shape["num_hidden_layers"]), int(shape["num_attention_heads"])
    head = int(shape.get("head_dim") or width // n_heads)
    n_kv = int(shape.get("num_key_value_heads") or n_heads)
    n_words = int(shape["vocab_size"])
    queries, keys = n_heads * head, n_kv * head
    # (in, out) of every linear layer of a block: queries, keys, values, output; gate, up, down.
    linear = [(width, queries), (width, keys), (width, keys), (queries, width)]
    linear += [(width, inner), (width, inner), (inner, width)]
    n_linear = n_layers * sum(wide * high for wide, high in linear)
    n_embedding = n_words * width * (1 if shape.get("tie_word_embeddings") else 2)
    n_adapter = n_layers * sum(options.rank * (wide + high) for wide, high in linear)
    value = 2 if quantized else 4
    tokens = options.pack_tokens
    return {
        "weights": round(n_linear * (NF4_BYTES if quantized else value) + n_embedding * value),
        "adapter, gradients, AdamW": n_adapter * 4 * 4,
        "activations": n_layers * tokens * (KEPT_WIDTHS * width + KEPT_INNER * inner) * value,
        "attention": n_layers * tokens * tokens * n_heads * value,
        "logits": tokens * n_words * 4 * 3,
        "libraries": LIBRARIES_BYTES,
    }


def read_config(files: ModelFiles) -> dict[str, Any] | None:
    """A model's config; None where it is a GGUF file or of a shape that is not known here."""
    path = files.path / "config.json"
    if files.is_gguf or not path.exists():
        return None
    config = dict(json.loads(path.read_text(encoding="utf-8")))
    shape = config.get("text_config", config)
    needed = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    return config if all(name in shape for name in (*needed, "vocab_size")) else None
