"""How likely something is where nothing is behind it but chance."""

from collections import defaultdict
from collections.abc import Sequence


def chance(more: int, fewer: int) -> float:
    """One-sided sign test: how likely so many flips one way are if both ways were equally likely."""
    return at_least(more, [0.5] * (more + fewer))


def chance_of(moves: Sequence[int]) -> float:
    """How likely a sum as large or larger is if each move had been as likely the other way.

    Pitman's exact one-sided test for pairs (Supplement to the Journal of the Royal Statistical Society 4, 1937, 119–130). A move is all
    that goes together, such as the trials of a fact; of moves by one it is the sign test.
    """
    sums = {0: 1.0}
    for move in filter(None, moves):
        next_sums: dict[int, float] = defaultdict(float)
        for so_far, p in sums.items():
            next_sums[so_far + move] += p / 2
            next_sums[so_far - move] += p / 2
        sums = next_sums
    return sum(p for total, p in sums.items() if total >= sum(moves))


def at_least(k: int, chances: Sequence[float]) -> float:
    """How likely `k` or more succeed, each with a probability of its own (Poisson binomial)."""
    exactly = [1.0]
    for p in chances:
        exactly = [
            missed * (1 - p) + hit * p
            for missed, hit in zip([*exactly, 0.0], [0.0, *exactly], strict=True)
        ]
    return sum(exactly[max(0, k) :])
