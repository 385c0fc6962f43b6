"""The continual matrix: what of each night is known right after every night, and what follows from it.

`R[i][j]` is the share of night j's probes right after night i. Row 0 is the untouched base, and column
0 holds the first night's probes. What was not measured is None, never 0. The measures are those of
Lopez-Paz and Ranzato 2017 (https://arxiv.org/abs/1706.08840) and, for forgetting, of Chaudhry et al. 2018
(https://arxiv.org/abs/1801.10112).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Matrix = Sequence[Sequence[float | None]]


@dataclass(frozen=True)
class Continual:
    """What a matrix comes to; each None where a cell that it needs was not measured.

    Attributes:
        acc: the mean of the last row: what is known of every night at the end.
        bwt: backward transfer, the mean change of the earlier nights since each was learned.
        forgetting: the mean loss of the earlier nights against the best since each was learned.
        diagonal: the mean of what is known of each night right after it.
        base: the mean of the base row, over the nights measured there.
    """

    acc: float | None
    bwt: float | None
    forgetting: float | None
    diagonal: float | None
    base: float | None


def summarise(matrix: Matrix) -> Continual:
    """The measures of a matrix of one more row than columns.

    A mean is over the nights that both of its cells were measured for.

    Raises:
        ValueError: the rows do not fit the columns.
    """
    n_nights = len(matrix) - 1
    if any(len(row) != n_nights for row in matrix):
        raise ValueError(f"{len(matrix)} rows need {n_nights} columns each")
    if n_nights < 1:
        return Continual(None, None, None, None, None)
    learned = [matrix[night + 1][night] for night in range(n_nights)]
    last = matrix[-1]
    best = [
        max(
            (cell for row in matrix[night + 1 : -1] if (cell := row[night]) is not None),
            default=None,
        )
        for night in range(n_nights - 1)
    ]
    return Continual(
        acc=_mean(last),
        bwt=_mean_difference(last[:-1], learned[:-1]),
        forgetting=_mean_difference(best, last[:-1]),
        diagonal=_mean(learned),
        base=_mean(matrix[0]),
    )


def _mean(cells: Iterable[float | None]) -> float | None:
    measured = [cell for cell in cells if cell is not None]
    return sum(measured) / len(measured) if measured else None


def _mean_difference(these: Sequence[float | None], those: Sequence[float | None]) -> float | None:
    return _mean(
        None if this is None or that is None else this - that
        for this, that in zip(these, those, strict=True)
    )
