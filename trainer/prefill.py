"""The attention of many prompts, with what they begin with computed once.

Prompts of one kind share their instructions, and some the sentence that is asked about. As a trie they are
a fraction of the tokens; each prompt's keys and values are then gathered along its path.
"""

from collections.abc import Sequence
from typing import Any

from .trie import Trie, causal_of, insert, lay_out_trie, run_trie

# Below this share of nodes to tokens it pays; above so many nodes, each looking at each, it does not.
WORTH_IT = 0.75
MOST_NODES = 2048


def prefill(model: Any, prompts: Sequence[Sequence[int]]) -> Any:
    """The cache of all prompts but their last tokens, padded on the left to the longest: keys and values
    of each layer are (prompt, head, time, width). None where it does not pay.
    """
    import torch
    from transformers import DynamicCache

    trie: Trie = {}
    paths = [insert(trie, prompt[:-1]) for prompt in prompts]
    longest = max(map(len, paths))
    config = causal_of(model).config.get_text_config()
    window = getattr(config, "sliding_window", None) or longest
    n_tokens = sum(map(len, paths))
    if not 0 < len(trie) < min(WORTH_IT * n_tokens, MOST_NODES + 1) or longest > window:
        return None
    # Not told of sliding windows: none is filled by these prompts, and paths are gathered by node.
    cache: Any = DynamicCache()
    with torch.inference_mode():
        tokens, positions, sees = lay_out_trie(trie, len(trie), 0)
        run_trie(model, tokens[None], positions[None], sees[None], cache)
    nodes = torch.tensor([[0] * (longest - len(path)) + path for path in paths])
    for layer in cache.layers:
        at = nodes.to(layer.keys.device)
        layer.keys = layer.keys[0][:, at].transpose(0, 1).contiguous()
        layer.values = layer.values[0][:, at].transpose(0, 1).contiguous()
    return cache
