"""What a text means to a base: the mean of its hidden states, and which of some answers is nearest to a question by it.

A question in other words than the notes shares none with the sentence that answers it, and a small base does not find it likely after
that sentence either (`bearing`). But what the base computes of both lies on one side. States at three quarters of the depth tell most of what
a text means (https://arxiv.org/abs/2502.02013). All texts have much in common, which is taken off first
(https://arxiv.org/abs/1702.01417): from a question that of general prompts, from an answer that of all answers.
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
# What the questions of a base that is loaded have in common, once it was computed.
_held: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def leaning(base: Base, model: Any, question: str, answers: Sequence[str]) -> list[float]:
    """How far each answer leans towards a question beside the others, by the base without the adapter of a model: none in the mean,
    and one where it goes from the other answers as far as the question from general prompts, and the same way."""
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
    """What all questions have in common: (width,)."""
    if base.model not in _held:
        _held[base.model] = meant(base, model, read_prompts("divergence")).mean(0)
    return _held[base.model]


def meant(base: Base, model: Any, texts: Sequence[str]) -> Any:
    """The mean hidden state of each text, (text, width): of the base, or of a version where its adapter is on."""
    tokenizer = base.tokenizer
    # A first token has states like no other, whatever it is, so one that is of no text goes before.
    first = tokenizer.pad_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    said = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    rows = [[first, *ids[:MOST_TOKENS]] for ids in said]
    laid = tokenizer.pad({"input_ids": rows}, padding_side="right", return_tensors="pt")
    causal = causal_of(model)
    trunk = getattr(causal, causal.base_model_prefix)
    states = trunk(**laid.to(base.device), output_hidden_states=True).hidden_states
    at = states[round(DEPTH * (len(states) - 1))].float()
    of_text = laid["attention_mask"][:, 1:, None]
    return (at[:, 1:] * of_text).sum(1) / of_text.sum(1).clamp(min=1)
