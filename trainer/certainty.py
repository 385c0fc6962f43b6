"""Whether an answer is known or guessed: how sure its beginning is, and how far the adapter moved it.

An adapted model answers everything in the manner of what it was taught, also what it was never taught. Two figures of the
first tokens of an answer, in nats, tell these apart. *Sure*: their log-probability. *Moved*: how much likelier they are than
for the base without the adapter; what everybody knows is not moved. What is moved and not sure is a guess. How sure
the right answers are is learned from the probes of each night, as selective prediction does
(https://arxiv.org/abs/2006.09462).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .base import Base
from .chat_form import Chat
from .generate import prompt_ids
from .pack import Row, lay_out, n_nodes_of
from .prompt_cache import PromptCache
from .train import answer_logits

# The first tokens decide what an answer is about; the rest of a learned sentence is sure however wrong it is.
FIRST_TOKENS = 4
# An answer that is this much likelier than for the base comes from what was taught.
MOVED = 4.0
# So many right answers are needed to learn from.
LEAST_RIGHT = 8
# A look takes some tenths of a second on a CPU.
MOST_LOOKS = 32


@dataclass(frozen=True)
class Look:
    """The beginning of one answer, in nats."""

    sure: float
    moved: float

    @property
    def is_learned(self) -> bool:
        return self.moved > MOVED

    def is_guess(self, least_sure: float) -> bool:
        return self.is_learned and self.sure < least_sure


def look(base: Base, model: Any, chat: Chat, cache: PromptCache | None = None) -> Look:
    """How a model with an adapter begins its greedy answer.

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
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
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
    sure = _log_probability(torch.cat(begun.logits), new)
    return Look(sure, sure - _log_probability(of_base, new))


def learn(base: Base, model: Any, answered: Sequence[str]) -> float | None:
    """How sure the beginning of an answer must be not to count as a guess, in nats: as the least sure is of the right ones. None
    where these are too few to tell.

    No share of them may count as guesses: they answer wordings that are like the trained ones, and are surer than what a
    person asks.

    Args:
        answered: questions that the model answers rightly.
    """
    looks = (look(base, model, [{"role": "user", "content": one}]) for one in answered)
    sure = [one.sure for one in looks if one.is_learned]
    return min(sure) if len(sure) >= LEAST_RIGHT else None


def _log_probability(logits: Any, tokens: Any) -> float:
    """Of some tokens by the logits at their places, (token, vocabulary); in nats."""
    return float(logits.float().log_softmax(-1).gather(1, tokens[:, None]).sum())
