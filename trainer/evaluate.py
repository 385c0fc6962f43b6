"""What a model knows without looking it up, and how far it has moved from its base.

Recall: the share of probes whose normalised gold span is contained in the greedy closed-book answer.
Divergence: mean KL(base‖adapted), nats per token, over the base's own greedy answers to general
prompts that are never rehearsed. KL to the base foretells forgetting: https://arxiv.org/abs/2509.04259.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..memory.store import Record, Store
from .base import Base
from .chat_form import Chat
from .drift import Divergence, over_prompts
from .facts import contains
from .generate import answer_batch
from .pack import Row, encode, lay_out, pack
from .prompt_lists import read_prompts
from .train import answer_logits

PROBE_TOKENS = 32
DIVERGENCE_TOKENS = 24
DIVERGENCE_PACK = 512

FORMS = ("direct", "third turn", "system prompt")
# An unrelated beginning of a chat, and a user's own system prompt, for probes in other circumstances.
SMALL_TALK: Chat = [
    {"role": "user", "content": "Can you suggest a light lunch?"},
    {"role": "assistant", "content": "A salad with bread is light and quick to make."},
    {"role": "user", "content": "Why do leaves turn red in autumn?"},
    {"role": "assistant", "content": "The green fades, and other colours in the leaf show."},
]
OWN_SYSTEM = "You are my patient helper. Keep it short and plain."


@dataclass(frozen=True)
class Answered:
    probe: Record  # id, question, gold
    form: str
    answer: str
    correct: bool


def ask_probes(
    base: Base, model: Any, probes: Sequence[Record], form: str = "direct"
) -> list[Answered]:
    """Each probe asked closed-book, greedy."""
    chats = [in_form(probe["question"], form) for probe in probes]
    answers = answer_batch(base, model, chats, max_tokens=PROBE_TOKENS)
    return [
        Answered(probe, form, answer, contains(answer, probe["gold"]))
        for probe, answer in zip(probes, answers, strict=True)
    ]


def in_form(question: str, form: str) -> Chat:
    """A question alone, as the third turn of a chat, or under a user's own system prompt."""
    asked = {"role": "user", "content": question}
    if form == "third turn":
        return [*SMALL_TALK, asked]
    if form == "system prompt":
        return [{"role": "system", "content": OWN_SYSTEM}, asked]
    return [asked]


def recall(answers: Sequence[Answered]) -> float | None:
    """The share right; None where nothing was asked."""
    if not answers:
        return None
    return round(sum(one.correct for one in answers) / len(answers), 4)


@dataclass
class Reference:
    """The base's own answers to general prompts, and how probable it found each token of them."""

    packs: list[list[Row]]
    log_probs: list[Any]  # one (answer token, vocabulary) a pack, half precision, on the CPU


def own_answers(store: Store, base: Base) -> list[tuple[Chat, str]]:
    """The base's greedy answers to the general prompts; it is asked once, for it never changes."""
    chats = [in_form(prompt, "direct") for prompt in read_prompts("divergence")]
    key = f"reference {base.digest}"
    answers = json.loads(store.setting(key, "[]"))
    if len(answers) != len(chats):
        answers = answer_batch(base, base.model, chats, max_tokens=DIVERGENCE_TOKENS)
        store.set_setting(key, json.dumps(answers))
    return [pair for pair in zip(chats, answers, strict=True) if pair[1]]


def reference_on(base: Base, probes: Sequence[Record]) -> Reference:
    """What divergence on some probes is measured against, as on general prompts."""
    chats = [in_form(probe["question"], "direct") for probe in probes]
    answers = answer_batch(base, base.model, chats, max_tokens=DIVERGENCE_TOKENS) if chats else []
    return reference(base, [pair for pair in zip(chats, answers, strict=True) if pair[1]])


def reference(base: Base, answered: Sequence[tuple[Chat, str]]) -> Reference:
    """What divergence is measured against, by the base's own answers; made once a run, with no adapter on the base."""
    import torch

    rows = [encode(base.tokenizer, chat, answer, base.stop_ids) for chat, answer in answered]
    rows = [row for row in rows if len(row.ids) <= DIVERGENCE_PACK]
    packs = pack(rows, DIVERGENCE_PACK)
    found = []
    with torch.inference_mode():
        for group in packs:
            logits = answer_logits(base.model, [_lay(base, group)], base.device)
            found.append(torch.log_softmax(logits, -1).half().cpu())
    return Reference(packs, found)


def divergence(base: Base, model: Any, against: Reference) -> Divergence:
    """Mean KL(base‖model) in nats per answer token, with its interval over the prompts."""
    import torch

    totals: list[float] = []
    n_tokens: list[int] = []
    with torch.inference_mode():
        for group, log_probs in zip(against.packs, against.log_probs, strict=True):
            logits = answer_logits(model, [_lay(base, group)], base.device)
            there = log_probs.to(base.device).float()
            here = torch.log_softmax(logits, -1)
            each = (there.exp() * (there - here)).sum(-1)
            lengths = [len(row.ids) - row.answer_start for row in group]
            totals += [float(part.sum()) for part in each.split(lengths)]
            n_tokens += lengths
    return over_prompts(totals, n_tokens)


def _lay(base: Base, rows: list[Row]) -> Any:
    return lay_out(rows, DIVERGENCE_PACK, base.tokenizer.pad_token_id)
