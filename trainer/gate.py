"""The gate: whether what was trained may serve.

Three questions, each on pooled probes, each refused with its reason: did it learn of the new what it did
not know, does it still know what it knew, is it still the model it was. A difference counts only where
chance does not explain it: probes are paired, a sign test says how likely their flips are, and a binomial
test how likely so many answers are right by luck.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .evaluate import Answered
from .options import Options

# Fewer probes than this decide nothing about recall; divergence still does.
FEWEST_PROBES = 8
CHANCE = 0.05
# So often, at most, does a probe turn right that nothing was learned for.
LUCK = 0.05
# What is trained is tried whole, then at three quarters and at half of its strength: the scale, and the
# factor that leads to it from the one before. Rewind along the line from the base to the adapted model
# trades what was learned for what was kept: https://arxiv.org/abs/2109.01903.
SCALES = ((1.0, 1.0), (0.75, 0.75), (0.5, 2 / 3))


@dataclass(frozen=True)
class Verdict:
    promoted: bool
    reason: str
    scale: float = 1.0  # of what was trained, as it was judged
    less_may_do: bool = False  # it is only too strong: scaled down it could pass


def judge(
    options: Options,
    new_before: Sequence[Answered],
    new_after: Sequence[Answered],
    old_before: Sequence[Answered],
    old_after: Sequence[Answered],
    divergence: float,
) -> Verdict:
    """Promote or refuse. Refusals name the figure and the bound."""
    too_strong, too_weak = [], []
    if not math.isfinite(divergence) or divergence > options.max_divergence:
        too_strong.append(
            f"it moved {divergence:.2f} nats a token from the base on general prompts"
            f" (at most {options.max_divergence:g})"
        )
    n_unknown = sum(not one.correct for one in new_before)
    if n_unknown >= FEWEST_PROBES and options.min_recall_gain > 0:
        won, lost = flips(new_before, new_after)
        if (won - lost) / n_unknown < options.min_recall_gain or _is_luck(won, lost, n_unknown):
            too_weak.append(
                f"it learned too little: {won} new probes won, {lost} lost, of {n_unknown} it did not"
                f" know (a gain of {options.min_recall_gain:.0%} wanted, beyond chance)"
            )
    for name, before, after in (("new", new_before, new_after), ("earlier", old_before, old_after)):
        won, lost = flips(before, after)
        if (
            len(after) >= FEWEST_PROBES
            and (lost - won) / len(after) > options.max_recall_loss
            and chance(lost, won) <= CHANCE
        ):
            too_strong.append(
                f"it forgot: {lost} {name} probes lost, {won} won, of {len(after)}"
                f" (a loss of {options.max_recall_loss:.0%} allowed)"
            )
    if too_strong or too_weak:
        return Verdict(False, "; ".join([*too_strong, *too_weak]), less_may_do=not too_weak)
    return Verdict(True, "learned, kept and close enough to the base")


def flips(before: Sequence[Answered], after: Sequence[Answered]) -> tuple[int, int]:
    """How many probes went from wrong to right, and from right to wrong."""
    pairs = list(zip(before, after, strict=True))
    won = sum(not earlier.correct and later.correct for earlier, later in pairs)
    lost = sum(earlier.correct and not later.correct for earlier, later in pairs)
    return won, lost


def chance(more: int, fewer: int) -> float:
    """One-sided sign test: how likely so many flips one way are if both ways were equally likely."""
    return at_least(more, more + fewer, 0.5)


def _is_luck(won: int, lost: int, n_unknown: int) -> bool:
    """Whether chance explains what was won: as many might be lost, or any change at all brings it."""
    if lost and chance(won, lost) > CHANCE:
        return True
    return at_least(won - lost, n_unknown, LUCK) > CHANCE


def at_least(k: int, n: int, p: float) -> float:
    """How likely `k` of `n` or more succeed where each does with probability `p`."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(max(0, k), n + 1))
