"""How far a model has moved from its base, how sure that is, and how far is usual for this store.

A divergence is a mean over some forty prompts, and over forty others it would be another: the prompts are drawn
again from themselves (Efron's bootstrap, 1979) to see by how much. A night that did no harm moves about
as far as those before it. So what is usual is learned from the nights that passed, as the bound that the
next one stays below in 19 of 20 cases: a prediction interval of logarithms, since nights differ by factors. A night is
beyond the noise where even the lower end of its own interval is above that.
"""

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ..memory.store import Record, Store

# What no night may exceed, whatever is usual. It stands alone until there are so many nights to learn from.
CEILING = 1.0
FEWEST_NIGHTS = 3
# Not further back: the base's ways with a growing store change.
LATEST_NIGHTS = 10
# Up to here nothing general was seen to be lost (docs/experiments.md), however still the earlier nights were.
HARMLESS = 0.3
RESAMPLES = 1000
Z = 1.644854  # of a one-sided 95% bound
# Student's t for the same bound, by degrees of freedom: nights less one.
T = {2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 8: 1.860, 9: 1.833}


@dataclass(frozen=True)
class Divergence:
    """Mean KL(base‖model), nats an answer token, between one-sided 95% bounds."""

    mean: float
    low: float
    high: float


def over_prompts(totals: Sequence[float], n_tokens: Sequence[int]) -> Divergence:
    """From each prompt's sum of KL over its answer tokens, and their number."""
    if not totals:
        return Divergence(0.0, 0.0, 0.0)
    chooser = random.Random(0)
    prompts = list(zip(totals, n_tokens, strict=True))
    if not math.isfinite(mean := _mean(prompts)):
        return Divergence(mean, mean, mean)
    means = sorted(_mean(chooser.choices(prompts, k=len(prompts))) for _ in range(RESAMPLES))
    low, high = means[RESAMPLES // 20], means[-1 - RESAMPLES // 20]
    return Divergence(round(mean, 4), round(low, 4), round(high, 4))


def earlier(store: Store, run: Record) -> list[float]:
    """The divergences of the latest versions of the level and the base of a run, latest first."""
    found = store.rows(
        "SELECT r.report ->> 'divergence' AS moved FROM adapters a JOIN runs r ON r.id = a.run_id"
        " WHERE a.level = ? AND a.base_digest = ? AND r.report ->> 'divergence' > 0"
        " ORDER BY a.version DESC LIMIT ?",
        run["level"],
        run["base_digest"],
        LATEST_NIGHTS,
    )
    return [float(row["moved"]) for row in found]


def usual(nights: Sequence[float], moved: Divergence) -> float | None:
    """How far a night may move, as far as the earlier ones tell. None where there are too few.

    Nights differ by no less than what the choice of prompts alone would change.
    """
    if len(nights) < FEWEST_NIGHTS or not 0 < moved.low <= moved.high < math.inf:
        return None
    logs = [math.log(one) for one in nights]
    noise = math.log(moved.high / moved.low) / (2 * Z)
    spread = max(statistics.stdev(logs), noise) * math.sqrt(1 + 1 / len(logs))
    bound = math.exp(statistics.fmean(logs) + T[len(logs) - 1] * spread)
    return round(min(CEILING, max(HARMLESS, bound)), 4)


def _mean(prompts: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in prompts) / max(1, sum(n for _, n in prompts))
