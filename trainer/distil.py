"""Context distillation: the base with a passage in view teaches the base without it.

The teacher is the frozen base itself, asked the same question under the passage that the sample came
from; what it finds likely for each token of the answer is what the adapter is trained towards. Snell et
al. 2022, https://arxiv.org/abs/2209.15189; with top-k probabilities, https://arxiv.org/abs/2506.06266.

A small base reads poorly, and what it finds likely is then no lesson. So `both` follows the teacher at
each token as far as the teacher itself expects the source's own word there, and the source for the rest.
"""

from collections.abc import Sequence

from ..memory.store import Record, Store
from .base import Base
from .lessons import softened
from .pack import Row, Targets, encode

# Of these the passage is no lesson: it is in the prompt already, the answer is of two passages, or not what a reader would say.
NOT_READ_OUT = (
    "open", "absent", "asked", "decided", "told", "voice", "note", "across", "contrast",
)  # fmt: skip


def teach(
    store: Store, base: Base, samples: Sequence[Record], loss: str, longest: int
) -> dict[int, Targets]:
    """Targets for the answer tokens of each sample that has a passage, by sample number.

    Args:
        samples: with `id`, `kind`, `prompt`, `answer` and `passage`; of kinds that are `NOT_READ_OUT` the source alone teaches.
        loss: `ce` asks no teacher; `kl` follows it alone; `both` as far as it is right.
        longest: rows with their passage that have more tokens than this are left to the source.
    """
    if loss == "ce":
        return {}
    read_out = (s for s in samples if s["passage"] and s["kind"] not in NOT_READ_OUT)
    rows = {s["id"]: _with_passage(base, s) for s in read_out}
    rows = {number: row for number, row in rows.items() if len(row.ids) <= longest}
    return {
        number: row.soft if loss == "kl" else _trusted(row)
        for number, row in softened(store, base, rows, longest).items()
        if row.soft
    }


def _with_passage(base: Base, sample: Record) -> Row:
    asked = f"{sample['passage']}\n\n{sample['prompt']}"
    return encode(
        base.tokenizer, [{"role": "user", "content": asked}], sample["answer"], base.stop_ids
    )


def _trusted(row: Row) -> Targets:
    """The teacher's shares at each token times what it gave the source's word, which has the rest."""
    import torch

    assert row.soft is not None
    choices, shares = row.soft
    gold = torch.tensor(row.ids[row.answer_start :])[:, None]  # (answer token, 1)
    trust = (shares * (choices == gold)).sum(-1, keepdim=True)  # (answer token, 1)
    # No token stands twice among the choices, for its probability would be counted twice. Where the teacher
    # does not name the source's word it is not trusted at all, and that word takes its last choice's place.
    named = (choices == gold).any(-1, keepdim=True)
    choices = torch.cat([choices[:, :-1], torch.where(named, choices[:, -1:], gold)], -1)
    return choices, trust * shares + (1 - trust) * (choices == gold)
