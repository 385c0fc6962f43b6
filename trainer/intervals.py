"""How sure a share is, and a difference between two examinations of the same items.

Items of one source are not independent: they are right or wrong together. Every interval is therefore
widened by the *design effect*, the variance that the clusters show over the one that independent items
would have (Kish 1965); without clusters it is 1. What few clusters show is not known for certain either: there
Student's t with one degree of freedom less than clusters takes the place of the normal distribution. Of one cluster alone
nothing can be told about others, and its items count as independent.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from .chance import chance

# Each bound of an interval has so much of the distribution below it, and a bound that stands alone.
TWO_SIDED, ONE_SIDED = 0.975, 0.95


@dataclass(frozen=True)
class Share:
    """A share of `n` items with its 95% interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Comparison:
    """Two examinations of the same items.

    Attributes:
        won, lost: items that went from wrong to right, and from right to wrong.
        change: the share right after less the share right before, and its 95% interval.
        lost_at_most: the upper 95% bound of the share lost on balance; what retention is judged by.
        p: McNemar's exact test, two-sided: how likely such flips are if nothing has changed and the items are independent.
    """

    n: int
    won: int
    lost: int
    change: float
    low: float
    high: float
    lost_at_most: float
    p: float


def share(right: Sequence[bool], clusters: Sequence[Hashable] | None = None) -> Share | None:
    """The share right with Wilson's interval (1927). None where nothing was asked.

    Args:
        clusters: what each item belongs to, such as its source.
    """
    n = len(right)
    if not n:
        return None
    value = sum(right) / n
    z2 = _width(TWO_SIDED, [float(one) for one in right], clusters) ** 2
    middle = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * value * (1 - value) / n + z2**2 / (4 * n**2)) / (1 + z2 / n)
    return Share(value, max(0.0, middle - half), min(1.0, middle + half), n)


def compare(
    before: Sequence[bool], after: Sequence[bool], clusters: Sequence[Hashable] | None = None
) -> Comparison | None:
    """The flips between two examinations of the same items, in the same order. None where there are none.

    The interval is Tango's score interval for paired shares (Statistics in Medicine 17, 1998, 891–908), which
    also holds where few items flip, or none.
    """
    moves = [int(later) - int(earlier) for earlier, later in zip(before, after, strict=True)]
    n = len(moves)
    if not n:
        return None
    won, lost = moves.count(1), moves.count(-1)
    changes = [float(move) for move in moves]
    two_sided = _width(TWO_SIDED, changes, clusters)
    return Comparison(
        n=n,
        won=won,
        lost=lost,
        change=(won - lost) / n,
        low=-_upper_bound(lost, won, n, two_sided),
        high=_upper_bound(won, lost, n, two_sided),
        lost_at_most=_upper_bound(lost, won, n, _width(ONE_SIDED, changes, clusters)),
        p=min(1.0, 2 * chance(max(won, lost), min(won, lost))),
    )


def design_effect(values: Sequence[float], clusters: Sequence[Hashable] | None) -> float:
    """How many times the variance of the mean is what independent values would have; at least 1."""
    return max(1.0, _seen_effect(values, clusters))


def student_t(below: float, freedom: int) -> float:
    """Where Student's t with so many degrees of freedom has such a share of itself below; to within a hundredth.

    Exact for one and two; else the expansion in Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.5.
    """
    if freedom == 1:
        return math.tan(math.pi * (below - 0.5))
    if freedom == 2:
        both = 2 * below - 1
        return both * math.sqrt(2 / (1 - both * both))
    z = NormalDist().inv_cdf(below)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + ((third / freedom + second) / freedom + first) / freedom


def _width(below: float, values: Sequence[float], clusters: Sequence[Hashable] | None) -> float:
    """How many standard errors of independent values a bound is away; no fewer than for these."""
    alone = NormalDist().inv_cdf(below)
    n_clusters = len(set(clusters)) if clusters is not None else 1
    if n_clusters < 2:
        return alone
    together = student_t(below, n_clusters - 1) * math.sqrt(_seen_effect(values, clusters))
    return max(alone, together)


def _seen_effect(values: Sequence[float], clusters: Sequence[Hashable] | None) -> float:
    """The design effect as it was seen, which chance may have put below 1."""
    n = len(values)
    if clusters is None or n < 2:
        return 1.0
    mean = sum(values) / n
    alone = sum((value - mean) ** 2 for value in values)
    totals: dict[Hashable, float] = defaultdict(float)
    for value, cluster in zip(values, clusters, strict=True):
        totals[cluster] += value - mean
    if len(totals) < 2 or not alone:
        return 1.0
    together = len(totals) / (len(totals) - 1) * sum(total**2 for total in totals.values())
    return together / (alone * n / (n - 1))


def _upper_bound(more: int, fewer: int, n: int, z: float) -> float:
    """The largest difference (more - fewer) / n that is still within `z` of what was seen."""

    def distance(difference: float) -> float:
        b = (2 * n - more + fewer) * difference - more - fewer
        c = -fewer * difference * (1 - difference)
        other = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
        spread = n * (2 * other + difference * (1 - difference))
        return (more - fewer - n * difference) / math.sqrt(spread) if spread > 0 else math.inf

    return _root(lambda difference: distance(difference) + z, (more - fewer) / n, 1.0)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def rounded(measured: Any) -> dict[str, Any]:
    """The fields of a dataclass for printing, figures to four places."""
    return {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in asdict(measured).items()
    }
