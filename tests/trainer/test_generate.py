"""Answers: many at once are the same as one after the other, and what is streamed is the same again."""

import threading
from collections.abc import Callable

import pytest

from learnctl.trainer.base import Base
from learnctl.trainer.chat_form import Chat
from learnctl.trainer.generate import (
    answer_batch,
    complete_batch,
    newline_ids,
    prompt_ids,
    stream,
)
from learnctl.trainer.prefill import prefill
from learnctl.trainer.sampling import Sampling

FAMILIES = ("llama", "qwen", "gemma", "gemma3")
QUESTIONS = (
    "Who?",
    "What is the dog called?",
    "Where does Harald Immer live, and with how many parrots?",
)


def chats() -> list[Chat]:
    return [[{"role": "user", "content": question}] for question in QUESTIONS]


@pytest.mark.parametrize("family", FAMILIES)
def test_together_as_alone(tiny: Callable[[str], Base], family: str) -> None:
    """Greedy answers do not depend on what else is in the batch, nor on the beginning that is shared."""
    base = tiny(family)
    together = answer_batch(base, base.model, chats(), 12)
    assert together == [answer_batch(base, base.model, [chat], 12)[0] for chat in chats()]
    assert len(set(together)) > 1


def test_order_is_kept(llama: Base) -> None:
    """Answers come in the order of their questions, whatever the lengths."""
    forth = answer_batch(llama, llama.model, chats(), 8)
    back = answer_batch(llama, llama.model, chats()[::-1], 8)
    assert forth == back[::-1]


@pytest.mark.parametrize("family", FAMILIES)
def test_streamed_as_batched(tiny: Callable[[str], Base], family: str) -> None:
    """The pieces of a stream make the answer that a batch gives."""
    base = tiny(family)
    for chat in chats():
        whole = "".join(stream(base, base.model, chat, Sampling(max_tokens=12))).strip()
        assert whole == answer_batch(base, base.model, [chat], 12)[0]


def test_a_closed_stream_ends(llama: Base) -> None:
    """Closing a stream ends the generation behind it."""
    before = set(threading.enumerate())
    pieces = stream(llama, llama.model, chats()[1], Sampling(max_tokens=4000))
    next(pieces)
    (worker,) = set(threading.enumerate()) - before
    pieces.close()  # type: ignore[attr-defined]
    assert not worker.is_alive()


def test_long_prompts_go_in_smaller_batches(llama: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many prompts there are, a batch stays small enough, and none is lost."""
    prompts = [list(range(3, 3 + length)) for length in (40, 9, 30, 9, 25)]
    whole = complete_batch(llama, llama.model, prompts, 6)
    monkeypatch.setattr("learnctl.trainer.generate.BATCH_TOKENS", 50)
    assert complete_batch(llama, llama.model, prompts, 6) == whole


def test_nothing_asked(llama: Base) -> None:
    """No questions, no answers."""
    assert answer_batch(llama, llama.model, [], 8) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_what_prompts_share_is_computed_once(tiny: Callable[[str], Base], family: str) -> None:
    """Prompts that begin alike, in several ways, are answered as each alone."""
    base = tiny(family)
    stems = ([*range(3, 33), *rest] for rest in ([40, 41, 42], [50, 51]))
    prompts = [[*stem, *end] for stem in stems for end in ([60], [61, 62, 63, 64], [61, 65])]
    cache = prefill(base.model, prompts)
    assert cache.get_seq_length() == max(map(len, prompts)) - 1
    together = complete_batch(base, base.model, prompts, 8)
    assert together == [complete_batch(base, base.model, [one], 8)[0] for one in prompts]
    assert prefill(base.model, [[3, 4], [5, 6]]) is None


def test_a_base_s_own_penalty_is_off(llama: Base) -> None:
    """Qwen's keeps an answer from the words of its question, and of the passage in view."""
    plain = answer_batch(llama, llama.model, chats(), 8)
    streamed = "".join(stream(llama, llama.model, chats()[0], Sampling(max_tokens=8)))
    llama.model.generation_config.repetition_penalty = 5.0
    assert answer_batch(llama, llama.model, chats(), 8) == plain
    assert "".join(stream(llama, llama.model, chats()[0], Sampling(max_tokens=8))) == streamed


def test_one_line_ends_where_a_token_holds_its_end(llama: Base) -> None:
    """Qwen writes "?" and the line end as one token."""
    llama.tokenizer.add_tokens(["?\n"])
    assert llama.tokenizer.convert_tokens_to_ids("?\n") in newline_ids(llama)
    prompts = [prompt_ids(llama, chat) for chat in chats()]
    written = complete_batch(llama, llama.model, prompts, 24, one_line=True)
    assert not any("\n" in text for text in written)
