"""What a text means to a base: the mean of its hidden states, and which of some answers is nearest to a question by it.

A question in other words than the notes shares no word with the sentence that answers it, and a small base does not find it likely after
that sentence either (`bearing`). But the hidden states of both point the same way. Layers in between tell more of what a text means than the
last (https://arxiv.org/abs/2502.02013); three quarters of the depth was measured here (docs/experiments.md 33). All texts have much in common,
which is taken off first (https://arxiv.org/abs/1702.01417): from a question that of general prompts, from an answer that of all answers.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from .base import Base
from .prompt_lists import read_prompts
from .trie import causal_of

DEPTH = 0.75
# So much of a text is read.
MOST_TOKENS = 64
# The mean state of general prompts, of each base that is loaded, once it was computed.
_held: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def leaning(base: Base, model: Any, question: str, answers: Sequence[str]) -> list[float]:
    """How far each answer leans towards a question, by the base without the adapter of a model: its state, less the mean of all answers,
    along that of the question, less that of general prompts, in lengths of the latter. They sum to zero."""
    import torch

    if not answers:
        return []
    with torch.inference_mode(), model.disable_adapter():
        asked, *said = meant(base, model, [question, *answers])
        asked = asked - in_general(base, model)
        told = torch.stack(said)
        leans = (told - told.mean(0)) @ asked / asked.square().sum().clamp(min=1e-6)
    found: list[float] = leans.tolist()
    return found


def in_general(base: Base, model: Any) -> Any:
    """The mean state of general prompts, (width,)."""
    if base.model not in _held:
        _held[base.model] = meant(base, model, read_prompts("divergence")).mean(0)
    return _held[base.model]


def meant(base: Base, model: Any, texts: Sequence[str]) -> Any:
    """The mean hidden state of each text, (text, width): of the base, or of a version where its adapter is on."""
    tokenizer = base.tokenizer
    # A first token has states like no other, whatever it is (https://arxiv.org/abs/2402.17762): one that is of no text goes before.
    first = tokenizer.pad_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    said = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    rows = [[first, *ids[:MOST_TOKENS]] for ids in said]
    laid = tokenizer.pad({"input_ids": rows}, padding_side="right", return_tensors="pt")
    causal = causal_of(model)
    trunk = getattr(causal, causal.base_model_prefix)
    found = trunk(**laid.to(base.device), output_hidden_states=True, use_cache=False)
    states = found.hidden_states
    at = states[round(DEPTH * (len(states) - 1))].float()
    of_text = laid["attention_mask"][:, 1:, None]
    return (at[:, 1:] * of_text).sum(1) / of_text.sum(1).clamp(min=1)
