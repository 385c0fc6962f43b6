"""The gate: whether what was trained may serve.

Three questions, each on pooled probes, each refused with its reason: did it learn of the new what it did
not know, and which of it answers what; does it still know what it knew; is it still the model it was. A
difference counts only where chance does not explain it: probes are paired, and a sign test says how likely
their flips are. How far a harmless night moves is learned from those that passed before (`drift.py`), beside a
fixed ceiling. A model that was taught a few sentences and says any of them is right now and then: the same
answers given to each other's questions show how often.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .association import Association
from .chance import at_least, chance, chance_of
from .drift import CEILING, Divergence
from .evaluate import Answered
from .facts import contains
from .intervals import Comparison
from .options import AUTO, Options

# Fewer probes than this decide nothing about recall; divergence still does.
FEWEST_PROBES = 8
CHANCE = 0.05
# Of fewer pairs that changed, a real rise is often not beyond chance, and of fewer facts not by facts.
ENOUGH_CHANGED = 30
ENOUGH_FACTS = 8
# So often may a probe turn right by luck, where nothing shows that it is more.
LUCK = 0.05
# Of a general suite, the share that may be lost, and what the upper 95% bound of that share may be.
SUITE_LOSS = 0.01
SUITE_BOUND = 0.02
# What is trained is tried whole, then at three quarters and at half of its strength. Rewind along the line
# from the base to the adapted model trades what was learned for what was kept:
# https://arxiv.org/abs/2109.01903.
SCALES = (1.0, 0.75, 0.5)
PASSED = "learned, kept and close enough to the base"


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
    moved: Divergence,
    associated: Association | None = None,
    usual: float | None = None,
    scale: float = 1.0,
) -> Verdict:
    """Promote or refuse. Refusals name the figure and the bound.

    Args:
        associated: how well the new statements are told apart by their questions, where it was measured.
        usual: how far a night may move, as the earlier ones show; None where they are not asked, or too few.
        scale: of what was trained. What was refused whole and is tried at less must hold what it knew within the
            bound itself: of three tries, chance alone would let one through.
    """
    too_strong, too_weak = [], []
    if not math.isfinite(moved.mean) or moved.mean > ceiling(options):
        too_strong.append(
            f"it moved {moved.mean:.2f} nats a token from the base on general prompts"
            f" (at most {ceiling(options):g})"
        )
    elif usual is not None and moved.low > usual:
        too_strong.append(
            f"it moved {moved.mean:.2f} nats a token from the base on general prompts, beyond what the"
            f" prompts and the nights before explain (at least {moved.low:.2f}, at most {usual:.2f})"
        )
    n_unknown = sum(not one.correct for one in new_before)
    if n_unknown >= FEWEST_PROBES and options.min_recall_gain > 0:
        won, lost = flips(new_before, new_after)
        if (won - lost) / n_unknown < options.min_recall_gain or _is_luck(new_before, new_after):
            too_weak.append(
                f"it learned too little: {won} new probes won, {lost} lost, of {n_unknown} it did not"
                f" know (a gain of {options.min_recall_gain:.0%} wanted, beyond chance)"
            )
    if (
        associated
        and options.min_recall_gain > 0
        and not _is_told_apart(associated, 1 - options.min_recall_gain, _recalls(new_after))
    ):
        too_weak.append(
            f"it learned sentences and not what they answer: {associated.after:.1%} of wrong statements are told"
            f" from the right one, {associated.before:.1%} before ({associated.won} won, {associated.lost} lost)"
        )
    for name, before, after in (("new", new_before, new_after), ("earlier", old_before, old_after)):
        won, lost = flips(before, after)
        if (
            len(after) >= FEWEST_PROBES
            and (lost - won) / len(after) > options.max_recall_loss
            and (scale < 1 or chance(lost, won) <= CHANCE)
        ):
            too_strong.append(
                f"it forgot: {lost} {name} probes lost, {won} won, of {len(after)}"
                f" (a loss of {options.max_recall_loss:.0%} allowed)"
            )
    if too_strong or too_weak:
        return Verdict(False, "; ".join([*too_strong, *too_weak]), less_may_do=not too_weak)
    return Verdict(True, PASSED)


def judge_retention(
    suite: Comparison | None, conduct: Mapping[str, Comparison], scale: float = 1.0
) -> Verdict:
    """Whether general ability was kept, as far as it was measured. Each kind of conduct is judged by itself:
    what is gained of one makes up for nothing that is lost of another. `scale` is as in `judge`."""
    found = [_what_was_lost(suite, "general ability", "items of the suite", scale)] if suite else []
    found += [
        _what_was_lost(measured, f"conduct ({kind})", "of these prompts", scale)
        for kind, measured in conduct.items()
    ]
    if reasons := [reason for reason in found if reason]:
        return Verdict(False, "; ".join(reasons), less_may_do=True)
    return Verdict(True, PASSED)


def _what_was_lost(measured: Comparison, ability: str, items: str, scale: float) -> str:
    """Why it is refused, or nothing. A loss counts only where chance does not explain the flips, so a short
    suite refuses what is plain and lets the rest through. At less than its whole strength no more may be lost than
    the share allowed, or one item of a short list."""
    lost, allowed = measured.lost - measured.won, SUITE_LOSS * measured.n
    is_much = lost > allowed or measured.lost_at_most > SUITE_BOUND
    is_plain = is_much and chance(measured.lost, measured.won) <= CHANCE
    if not is_plain and (scale == 1 or lost <= max(1.0, allowed)):
        return ""
    return (
        f"it lost {ability}: {measured.lost} {items} lost, {measured.won} won, of"
        f" {measured.n} ({100 * measured.lost_at_most:.1f} points at the upper 95% bound; a loss of"
        f" {100 * SUITE_LOSS:g} allowed, and of {100 * SUITE_BOUND:g} at the bound)"
    )


def ceiling(options: Options) -> float:
    """What no night may exceed in nats a token, whatever is usual."""
    return CEILING if options.max_divergence == AUTO else float(options.max_divergence)


def flips(before: Sequence[Answered], after: Sequence[Answered]) -> tuple[int, int]:
    """How many probes went from wrong to right, and from right to wrong."""
    pairs = list(zip(before, after, strict=True))
    won = sum(not earlier.correct and later.correct for earlier, later in pairs)
    lost = sum(earlier.correct and not later.correct for earlier, later in pairs)
    return won, lost


def _is_told_apart(associated: Association, nearly_all: float, is_recalled: bool) -> bool:
    """Whether it is known which statement answers what: nearly always, or better than before beyond chance. What was
    told apart nearly always before can only vary, and a handful of trials shows no rise, so there no worse beyond chance is
    enough.

    The pairs of a fact go together, so a rise is counted by facts. Only where what is recalled is beyond chance, pairs are counted of few facts,
    and of few pairs better is enough.
    """
    won, lost, moves = associated.won, associated.lost, associated.moves
    if associated.after >= nearly_all:
        return True
    if associated.before >= nearly_all or associated.n < FEWEST_PROBES:
        return chance(lost, won) > CHANCE
    if is_recalled and won + lost < ENOUGH_CHANGED:
        return won > lost
    if is_recalled and sum(map(bool, moves)) < ENOUGH_FACTS:
        return chance(won, lost) <= CHANCE
    return chance_of(moves) <= CHANCE


def _recalls(after: Sequence[Answered]) -> bool:
    """Whether more is right than any answer would have right, learned now or before."""
    guessed = [max(LUCK, lucky) for lucky in by_luck(after)]
    return at_least(sum(one.correct for one in after), guessed) <= CHANCE


def _is_luck(before: Sequence[Answered], after: Sequence[Answered]) -> bool:
    """Whether chance explains what was won: as many might be lost, or any answer might be right."""
    won, lost = flips(before, after)
    if lost and chance(won, lost) > CHANCE:
        return True
    guessed = [
        max(LUCK, lucky)
        for earlier, lucky in zip(before, by_luck(after), strict=True)
        if not earlier.correct
    ]
    return at_least(won, guessed) > CHANCE


def by_luck(answers: Sequence[Answered]) -> list[float]:
    """For each probe the share of the answers to the others that would have been right for it too."""
    return [
        sum(contains(other.answer, one.probe["gold"]) for other in answers if other is not one)
        / max(1, len(answers) - 1)
        for one in answers
    ]
