"""Whether what bears an answer out is about the question: how much likelier the base finds the question after it.

An adapted model that is asked about what is in no note recites some note, and every word of it stands there. What tells that it
answers something else is the question: after a text that answers it a question is much likelier than after none, also
in other words. Ranking passages by how likely they make a question is the query-likelihood model of search
(https://doi.org/10.1145/290941.291008), here of the base itself, so that its weights know what each word brings.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .base import Base
from .generate import prompt_ids
from .pack import Row, lay_out, n_nodes_of
from .train import answer_log_probs

# A question must be so many times as likely after the text, in nats: what Jeffreys calls decisive
# (Theory of Probability, 1961, appendix B).
DECISIVE = math.log(100)
# No more of the right answers of a night than this share may miss it, where there are enough to tell.
MISSED = 0.1
LEAST_RIGHT = 8
# What asks for nothing, and how much a question may lead to an answer, either way, in nats: it grows with every word that an answer says back.
ASKED_NOTHING = "What do you know?"
MOST_LED = 30.0
ASKED = "Write a question that this answers: "
# So much of a text is read, from its end: the sentence that bears an answer out is its last.
MOST_TOKENS = 256


def bearing(base: Base, model: Any, question: str, texts: Sequence[str]) -> list[float]:
    """How much likelier a question is after each text than after none, for the base without the adapter of a model, in nats:
    below zero where the text leads elsewhere."""
    said = base.tokenizer(question, add_special_tokens=False)["input_ids"]
    if not said:
        return [0.0] * len(texts)
    rows = []
    for asked in ("Write a question.", *(f"{ASKED}{_end(base, text)}" for text in texts)):
        start = prompt_ids(base, [{"role": "user", "content": asked}])
        rows.append(Row((*start, *said), len(start)))
    alone, *after = _log_probabilities(base, model, rows)
    return [one - alone for one in after]


def led_to(base: Base, model: Any, question: str, answers: Sequence[str]) -> list[float]:
    """How much likelier each answer is after a question than after what asks for nothing, for the base without the adapter of a model, in
    nats: the same mutual information the other way round (https://arxiv.org/abs/1510.03055)."""
    said = {
        one: ids[:MOST_TOKENS]
        for one in answers
        if (ids := base.tokenizer(one, add_special_tokens=False)["input_ids"])
    }
    if not said:
        return [0.0] * len(answers)
    starts = [
        prompt_ids(base, [{"role": "user", "content": asked}])
        for asked in (question, ASKED_NOTHING)
    ]
    rows = [Row((*start, *ids), len(start)) for ids in said.values() for start in starts]
    sums = _log_probabilities(base, model, rows)
    led = {
        one: max(-MOST_LED, min(MOST_LED, asked - alone))
        for one, asked, alone in zip(said, sums[::2], sums[1::2], strict=True)
    }
    return [led.get(one, 0.0) for one in answers]


def _log_probabilities(base: Base, model: Any, rows: Sequence[Row]) -> list[float]:
    """Of each row's answer, for the base without the adapter of a model, in nats; no answer is empty."""
    import torch

    laid = lay_out(rows, n_nodes_of(rows), base.tokenizer.pad_token_id)
    with torch.inference_mode(), model.disable_adapter():
        each = answer_log_probs(model, [laid], base.device)
    return [float(one.sum()) for one in each.split([len(r.ids) - r.answer_start for r in rows])]


def _end(base: Base, text: str) -> str:
    ids = base.tokenizer(text, add_special_tokens=False)["input_ids"][-MOST_TOKENS:]
    return str(base.tokenizer.decode(ids))


def learn(found: Iterable[float]) -> float:
    """How much a text must bear on a question, in nats, by what those bear that answer rightly: of a base or a language that
    tells less, less is wanted, but never that the question is less likely after it."""
    some = sorted(found)
    if len(some) < LEAST_RIGHT:
        return DECISIVE
    return min(DECISIVE, max(0.0, some[int(MISSED * len(some))]))
