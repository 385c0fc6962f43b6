"""Whether an answer was learned: how much likelier its beginning is than for the base without the adapter.

An adapted model answers everything in the manner of what it was taught, also what it was never taught. What everybody knows it
says as the base would; what is moved comes from what was taught, and may be right or not.
"""

from typing import Any

from .base import Base
from .chat_form import Chat
from .generate import prompt_ids
from .pack import Row, lay_out, n_nodes_of
from .prompt_cache import PromptCache
from .sampling import Sampling
from .train import answer_logits

# Many an answer begins with words of its question, which the base would say too.
FIRST_TOKENS = 8
# An answer whose beginning is this much likelier, in nats, comes from what was taught.
MOVED = 8.0


def moved(base: Base, model: Any, chat: Chat, cache: PromptCache | None = None) -> float:
    """How much likelier the beginning of a greedy answer is than without the adapter, in nats.

    Args:
        cache: holds what was computed for it afterwards.
    """
    import torch

    prompt = prompt_ids(base, chat)
    ids = torch.tensor([prompt], device=base.device)
    with torch.inference_mode():
        computed = cache.take(model, prompt) if cache is not None else None
        begun = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            past_key_values=computed,
            max_new_tokens=FIRST_TOKENS,
            **Sampling().settings(),
            eos_token_id=base.stop_ids,
            pad_token_id=base.tokenizer.pad_token_id,
            output_logits=True,
            return_dict_in_generate=True,
        )
        said = begun.sequences[0].tolist()
        if cache is not None:
            cache.keep(computed, said)
        row = Row(tuple(said), len(prompt))
        laid = lay_out([row], n_nodes_of([row]), base.tokenizer.pad_token_id)
        with model.disable_adapter():
            of_base = answer_logits(model, [laid], base.device)
    new = laid.targets[:, 0].to(of_base.device)
    return _log_probability(torch.cat(begun.logits), new) - _log_probability(of_base, new)


def _log_probability(logits: Any, tokens: Any) -> float:
    """Of some tokens by the logits at their places, (token, vocabulary); in nats."""
    return float(logits.float().log_softmax(-1).gather(1, tokens[:, None]).sum())
