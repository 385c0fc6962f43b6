"""Training rows as tensors of one fixed shape, with nothing computed twice.

A row is a chat that ends in an answer. Many rows begin alike: the system prompt, the turn markers,
an earlier turn of the same chat. Rows are therefore laid into a pack as a *trie*, at about half the
tokens of padded rows.

All packs have the same number of nodes. That keeps an allocator from growing and, on a CPU, is
several times faster than batches of changing shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..memory.errors import LearnctlError
from .chat_form import Chat, render
from .trie import Trie, insert, lay_out_trie, n_new_nodes

# For each answer token, tokens that are wanted there and how much of each: ids and shares, both
# (answer token, choice). What the shares lack of one is wanted of all other tokens together.
Targets = tuple[Any, Any]


@dataclass(frozen=True)
class Row:
    """Token ids of one chat; the answer, with its end-of-turn, starts at `answer_start`.

    Without `soft` the answer itself is the target. `weight` is how much the row counts beside others.
    """

    ids: tuple[int, ...]
    answer_start: int
    soft: Targets | None = None
    weight: float = 1.0


@dataclass
class Pack:
    """Rows laid into one trie, padded to a fixed number of nodes.

    tokens, positions: (node,); sees: (node, node), true where a node sees another;
    sources: (answer token,), the node that predicts each answer token;
    targets, shares: (answer token, choice), the tokens wanted there and how much of each;
    weights: (answer token,), so that each row counts by its mean times its weight.
    """

    tokens: Any
    positions: Any
    sees: Any
    sources: Any
    targets: Any
    shares: Any
    weights: Any
    n_tokens: int  # real nodes, padding not counted
    weight: float  # of all rows


def encode(tokenizer: Any, messages: Chat, answer: str, stop_ids: list[int]) -> Row:
    """A chat and its answer as a row whose last token is the end of the turn.

    Raises:
        LearnctlError: the chat template does not let the end of an answer be told.
    """
    prompt = render(tokenizer, messages, opens_answer=True)
    whole = render(tokenizer, [*messages, {"role": "assistant", "content": answer}], False)
    if not whole.startswith(prompt):
        # Templates that open a thinking block for the answer: an answer is trained in its final form.
        prompt = whole[: whole.rindex(answer)]
    start = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    rest = tokenizer(whole[len(prompt) :], add_special_tokens=False)["input_ids"]
    last = next((i for i in range(len(rest) - 1, -1, -1) if rest[i] in stop_ids), None)
    if last is None:
        raise LearnctlError(
            "the chat template of this base model does not end an answer with a stop token"
        )
    return Row(tuple(start) + tuple(rest[: last + 1]), len(start))


def pack(rows: Sequence[Row], n_nodes: int) -> list[list[Row]]:
    """Split rows, in their order, into groups whose tries fit `n_nodes`. Longer rows are cut off at
    the front of the chat by the caller; one that still does not fit raises `ValueError`."""
    groups: list[list[Row]] = []
    trie: Trie = {}
    for row in rows:
        if len(row.ids) > n_nodes:
            raise ValueError(f"a row of {len(row.ids)} tokens does not fit a pack of {n_nodes}")
        if not groups or len(trie) + n_new_nodes(trie, row.ids) > n_nodes:
            groups.append([])
            trie = {}
        insert(trie, row.ids)
        groups[-1].append(row)
    return groups


def n_nodes_of(rows: Sequence[Row]) -> int:
    """How many nodes the rows come to, what they share counted once."""
    trie: Trie = {}
    for row in rows:
        insert(trie, row.ids)
    return len(trie)


def lay_out(rows: Sequence[Row], n_nodes: int, pad_id: int) -> Pack:
    """One group of rows as tensors."""
    import torch

    trie: Trie = {}
    paths = [insert(trie, row.ids) for row in rows]
    tokens, positions, sees = lay_out_trie(trie, n_nodes, pad_id)
    n_answers = sum(len(row.ids) - row.answer_start for row in rows)
    n_choices = max((row.soft[0].shape[1] for row in rows if row.soft), default=1)
    sources = torch.zeros(n_answers, dtype=torch.long)
    targets = torch.zeros(n_answers, n_choices, dtype=torch.long)
    shares = torch.zeros(n_answers, n_choices)
    weights = torch.zeros(n_answers)
    start = 0
    for row, path in zip(rows, paths, strict=True):
        end = start + len(row.ids) - row.answer_start
        sources[start:end] = torch.tensor(path[row.answer_start - 1 : -1])
        if row.soft:
            n_own = row.soft[0].shape[1]
            targets[start:end, :n_own], shares[start:end, :n_own] = row.soft
        else:
            targets[start:end, 0] = torch.tensor(row.ids[row.answer_start :])
            shares[start:end, 0] = 1.0
        weights[start:end] = row.weight / (end - start)
        start = end
    return Pack(
        tokens,
        positions,
        sees,
        sources,
        targets,
        shares,
        weights,
        n_tokens=len(trie),
        weight=sum(row.weight for row in rows),
    )
