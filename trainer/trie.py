"""Sequences of tokens as a trie, and a model run over it: what several begin with is computed once.

A token that continues the same prefix as in an earlier sequence is one node. Each node sees its ancestors
and itself alone, and its position is its depth, so that every sequence is computed exactly as if it stood
alone.
"""

from collections.abc import Sequence
from typing import Any

# Each (parent, token) with its node; the parent of a first token is -1. Nodes stand in order of insertion.
Trie = dict[tuple[int, int], int]


def insert(trie: Trie, ids: Sequence[int]) -> list[int]:
    """Add a sequence; the nodes on its path, one a token."""
    node = -1
    path = []
    for token in ids:
        node = trie.setdefault((node, token), len(trie))
        path.append(node)
    return path


def n_new_nodes(trie: Trie, ids: Sequence[int]) -> int:
    """How many nodes a sequence would add."""
    node = -1
    for depth, token in enumerate(ids):
        known = trie.get((node, token))
        if known is None:
            return len(ids) - depth
        node = known
    return 0


def lay_out_trie(trie: Trie, n_nodes: int, pad_id: int) -> tuple[Any, Any, Any]:
    """Tokens (node,), positions (node,), and which node sees which (node, node); padded to `n_nodes`."""
    import torch

    tokens = torch.full((n_nodes,), pad_id)
    positions = torch.zeros(n_nodes, dtype=torch.long)
    sees = torch.eye(n_nodes, dtype=torch.bool)
    for (parent, token), node in trie.items():
        tokens[node] = token
        if parent >= 0:
            positions[node] = positions[parent] + 1
            sees[node] |= sees[parent]
    return tokens, positions, sees


def run_trie(model: Any, tokens: Any, positions: Any, sees: Any, cache: Any = None) -> Any:
    """The last hidden states of some tries, (trie, node, width); the vocabulary-wide work is not done.

    Args:
        tokens, positions: (trie, node); sees: (trie, node, node).
        cache: an empty one, to be filled.
    """
    import torch

    causal = causal_of(model)
    trunk = getattr(causal, causal.base_model_prefix)
    device = causal.get_input_embeddings().weight.device
    lowest = torch.finfo(causal.dtype).min
    mask = torch.zeros(sees.shape, dtype=causal.dtype, device=device)
    mask.masked_fill_(~sees.to(device), lowest)
    return trunk(
        input_ids=tokens.to(device),
        position_ids=positions.to(device),
        attention_mask=mask[:, None],
        past_key_values=cache,
        use_cache=cache is not None,
    ).last_hidden_state


def causal_of(model: Any) -> Any:
    """The language model itself, below an adapter or not."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
