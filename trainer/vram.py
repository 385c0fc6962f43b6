"""How much memory training on a base takes, reckoned from its config alone, before anything is loaded.

The parts are upper bounds of what is held at once while one pack is trained; nothing is offloaded and
nothing recomputed. What the libraries take is a guess; what a layer keeps was counted (a test counts it again).
"""

import json
from collections.abc import Mapping
from typing import Any

from .models import ModelFiles
from .options import Options

NF4_BYTES = 0.516  # half a byte a weight, and a scale for each 64, itself quantized
LIBRARIES_BYTES = 700_000_000
VALUE = 2  # bytes of a value on a GPU, in four bits too: what is computed with is bf16
# Bytes that a layer keeps of each token for the way back, for each place of its width, its queries, its keys, its inner width and each
# rank: adapters take what goes into a matrix in fp32, once for each that it goes into, and norms take theirs in fp32, too.
KEPT_WIDTH = 5 * 4 + 2 * 4
# What goes into the output; queries, keys and values for each head, and what comes of them; a norm of them.
KEPT_QUERIES = 4 + 4 * VALUE + 4
KEPT_KEYS = 2 * 4
KEPT_INNER = 4 + 3 * VALUE
KEPT_RANK = 7 * 4


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
    tokens = options.pack_tokens
    kept = KEPT_WIDTH * width + KEPT_QUERIES * queries + KEPT_KEYS * keys
    kept += KEPT_INNER * inner + KEPT_RANK * options.rank
    return {
        "weights": round(n_linear * (NF4_BYTES if quantized else VALUE) + n_embedding * VALUE),
        "adapter, gradients, AdamW": n_adapter * 4 * 4,
        "activations": n_layers * tokens * kept,
        "attention": n_layers * tokens * tokens * n_heads * VALUE,
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
