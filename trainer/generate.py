"""Text out of a model: many answers at once, one answer as it comes, and the probability of an answer."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from threading import Thread
from typing import Any

from .base import Base
from .chat_form import Chat, render
from .prefill import prefill
from .prompt_cache import PromptCache
from .sampling import Sampling

# Prompt and answer tokens that one batch may hold: long prompts go in smaller batches.
BATCH_TOKENS = 8192


def prompt_ids(base: Base, chat: Chat) -> list[int]:
    """The token ids of a chat up to where the assistant's answer begins."""
    text = render(base.tokenizer, chat, opens_answer=True)
    return list(base.tokenizer(text, add_special_tokens=False)["input_ids"])


def answer_batch(
    base: Base,
    model: Any,
    chats: Sequence[Chat],
    max_tokens: int = 32,
    seed: int | None = None,
    temperature: float = 0.0,
) -> list[str]:
    """The answers to many chats, greedy unless a temperature is given."""
    return complete_batch(
        base, model, [prompt_ids(base, chat) for chat in chats], max_tokens, seed, temperature
    )


def complete_batch(
    base: Base,
    model: Any,
    prompts: Sequence[list[int]],
    max_tokens: int,
    seed: int | None = None,
    temperature: float = 0.0,
    one_line: bool = False,
    stripped: bool = True,
) -> list[str]:
    """What follows each prompt of token ids, in their order; up to the end of the line if `one_line`, with the
    space that it begins with unless `stripped`."""
    import torch

    if seed is not None:
        torch.manual_seed(seed)
    stop_ids = [*base.stop_ids, *(newline_ids(base) if one_line else [])]
    answers = [""] * len(prompts)
    for group in _batches(prompts, max_tokens):
        width = max(len(prompts[i]) for i in group)
        ids = torch.full((len(group), width), base.tokenizer.pad_token_id)  # (batch, time)
        seen = torch.zeros((len(group), width), dtype=torch.long)
        for row, i in enumerate(group):
            ids[row, width - len(prompts[i]) :] = torch.tensor(prompts[i])
            seen[row, width - len(prompts[i]) :] = 1
        with torch.inference_mode():
            out = model.generate(
                input_ids=ids.to(base.device),
                attention_mask=seen.to(base.device),
                past_key_values=prefill(model, [prompts[i] for i in group]),
                max_new_tokens=max_tokens,
                eos_token_id=stop_ids,
                pad_token_id=base.tokenizer.pad_token_id,
                **Sampling(temperature).settings(),
            )
        for row, i in enumerate(group):
            text = _decoded_after(base, out[row], width)
            text = text.partition("\n")[0] if one_line else text
            answers[i] = text.strip() if stripped else text
    return answers


def beams(
    base: Base,
    model: Any,
    chat: Chat,
    n_beams: int,
    max_tokens: int,
    cache: PromptCache | None = None,
) -> dict[str, float]:
    """The answers to a chat that beam search finds likeliest by the token, each with its log-probability in nats; none is empty.

    Args:
        cache: what was computed for the chat before; nothing is kept of it.
    """
    import torch

    prompt = prompt_ids(base, chat)
    ids = torch.tensor([prompt], device=base.device)
    with torch.inference_mode():
        computed = cache.take(model, prompt) if cache is not None else None
        if computed is not None and computed.get_seq_length():
            computed.batch_repeat_interleave(n_beams)
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            past_key_values=computed,
            max_new_tokens=max_tokens,
            num_beams=n_beams,
            num_return_sequences=n_beams,
            length_penalty=1.0,
            **Sampling().settings(),
            eos_token_id=base.stop_ids,
            pad_token_id=base.tokenizer.pad_token_id,
            output_scores=True,
            return_dict_in_generate=True,
        )
        # By the token, as the length penalty has it.
        n_tokens = (out.beam_indices >= 0).sum(1)
        log_probabilities = (out.sequences_scores * n_tokens).tolist()
    found: dict[str, float] = {}
    for said, log_probability in zip(out.sequences, log_probabilities, strict=True):
        if answer := _decoded_after(base, said, len(prompt)).strip():
            found.setdefault(answer, log_probability)
    return found


def _decoded_after(base: Base, ids: Any, start: int) -> str:
    """The text from a token on. Decoded behind the token before it, for some tokenizers drop the space that a text
    begins with."""
    before = base.tokenizer.decode(ids[start - 1 : start], skip_special_tokens=True)
    return str(base.tokenizer.decode(ids[start - 1 :], skip_special_tokens=True)[len(before) :])


def stream(
    base: Base, model: Any, chat: Chat, sampling: Sampling, cache: PromptCache | None = None
) -> Iterator[str]:
    """One answer, piece by piece. Closing the iterator ends the generation.

    Args:
        cache: what was computed for the turn before; it holds this one afterwards.
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

    stopped = False

    class Stop(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), stopped, device=input_ids.device)

    prompt = prompt_ids(base, chat)
    ids = torch.tensor([prompt], device=base.device)
    streamer = TextIteratorStreamer(base.tokenizer, skip_prompt=True, skip_special_tokens=True)
    failure: list[BaseException] = []

    def work() -> None:
        try:
            with torch.inference_mode():
                if sampling.temperature:
                    torch.seed() if sampling.seed is None else torch.manual_seed(sampling.seed)
                computed = cache.take(model, prompt) if cache is not None else None
                out = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    past_key_values=computed,
                    max_new_tokens=sampling.max_tokens,
                    **sampling.settings(),
                    eos_token_id=base.stop_ids,
                    pad_token_id=base.tokenizer.pad_token_id,
                    streamer=streamer,
                    stopping_criteria=StoppingCriteriaList([Stop()]),
                )
                if cache is not None:
                    cache.keep(computed, out[0].tolist())
        except BaseException as error:
            failure.append(error)
            streamer.end()

    worker = Thread(target=work, daemon=True)
    worker.start()
    try:
        yield from (piece for piece in streamer if piece)
    finally:
        stopped = True
        worker.join()
    if failure:
        raise failure[0]


def newline_ids(base: Base) -> list[int]:
    """The tokens that a line ends with or within, such as "?" with a line end. (Stopping at a string costs transformers seconds a call.)"""
    return _newline_ids(base.tokenizer)


@lru_cache(maxsize=4)
def _newline_ids(tokenizer: Any) -> list[int]:
    endings = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("\n", "\n\n")]
    # As byte-level vocabularies write it, and as others do.
    within = [n for token, n in tokenizer.get_vocab().items() if "Ċ" in token or "\n" in token]
    return sorted({*(ids[-1] for ids in endings if ids), *within})


def _batches(prompts: Sequence[list[int]], max_tokens: int) -> Iterator[list[int]]:
    """Indices of prompts of like length, so many that a batch stays below `BATCH_TOKENS`."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    group: list[int] = []
    for i in order:
        if group and (len(group) + 1) * (len(prompts[i]) + max_tokens) > BATCH_TOKENS:
            yield group
            group = []
        group.append(i)
    if group:
        yield group
