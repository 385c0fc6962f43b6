"""What a frozen base says to a row, kept in the store by sample: no teacher is asked twice.

A base never changes, held in one precision, so its probabilities for the tokens of an answer hold for every night to come. They
go with their sample when that is forgotten.
"""

from collections.abc import Mapping
from dataclasses import replace

from ..memory.store import Store, marks
from .base import Base
from .pack import Row, Targets
from .train import soften

BATCH = 500


def softened(store: Store, base: Base, rows: Mapping[int, Row], n_nodes: int) -> dict[int, Row]:
    """Rows by sample number with the base's likeliest tokens as targets; no adapter may be on the base."""
    known = _read(store, base, list(rows))
    missing = [number for number in rows if number not in known]
    fresh = soften(base, [rows[number] for number in missing], n_nodes)
    with store.db.atomic():
        for number, row in zip(missing, fresh, strict=True):
            if row.soft:
                known[number] = row.soft
                _write(store, base, number, row.soft)
    return {number: replace(row, soft=known.get(number)) for number, row in rows.items()}


def _write(store: Store, base: Base, number: int, targets: Targets) -> None:
    import torch

    choices, shares = targets
    store.db.execute(
        "INSERT OR REPLACE INTO lessons (sample_id, base, n_choices, choices, shares)"
        " SELECT id, ?, ?, ?, ? FROM samples WHERE id = ?",
        [
            base.as_held,
            choices.shape[1],
            choices.to(torch.int32).numpy().tobytes(),
            shares.to(torch.float32).numpy().tobytes(),
            number,
        ],
    )


def _read(store: Store, base: Base, numbers: list[int]) -> dict[int, Targets]:
    import torch

    found = {}
    for start in range(0, len(numbers), BATCH):
        some = numbers[start : start + BATCH]
        for row in store.rows(
            f"SELECT * FROM lessons WHERE base = ? AND sample_id IN ({marks(some)})",
            base.as_held,
            *some,
        ):
            shape = (-1, row["n_choices"])
            choices = torch.frombuffer(bytearray(row["choices"]), dtype=torch.int32)
            shares = torch.frombuffer(bytearray(row["shares"]), dtype=torch.float32)
            found[row["sample_id"]] = choices.long().view(shape), shares.view(shape)
    return found
