"""How likely something is where nothing is behind it but chance."""

from collections.abc import Sequence


def chance(more: int, fewer: int) -> float:
    """One-sided sign test: how likely so many flips one way are if both ways were equally likely."""
    return at_least(more, [0.5] * (more + fewer))


def at_least(k: int, chances: Sequence[float]) -> float:
    """How likely `k` or more succeed, each with a probability of its own (Poisson binomial)."""
    exactly = [1.0]
    for p in chances:
        exactly = [
            missed * (1 - p) + hit * p
            for missed, hit in zip([*exactly, 0.0], [0.0, *exactly], strict=True)
        ]
    return sum(exactly[max(0, k) :])
