"""What the gate lets through, on made-up examinations."""

import math

import pytest

from learnctl.trainer.association import Association
from learnctl.trainer.chance import at_least, chance, chance_of
from learnctl.trainer.drift import Divergence
from learnctl.trainer.evaluate import Answered
from learnctl.trainer.gate import Verdict, flips, judge, judge_retention
from learnctl.trainer.intervals import compare
from learnctl.trainer.options import Options

OPTIONS = Options(max_divergence=0.6, min_recall_gain=0.15, max_recall_loss=0.1)


def exam(n_right: int, n_wrong: int) -> list[Answered]:
    """So many probes right, then so many wrong."""
    return [
        Answered({"id": index, "question": "?", "gold": "x"}, "direct", "", index < n_right)
        for index in range(n_right + n_wrong)
    ]


def sure(divergence: float) -> Divergence:
    """A divergence that would be the same over other prompts."""
    return Divergence(divergence, divergence, divergence)


def verdict(
    new: tuple[int, int] = (0, 30),
    old: tuple[int, int] = (40, 40),
    divergence: float = 0.1,
    n_new: int = 40,
    n_old: int = 60,
    options: Options = OPTIONS,
    usual: float | None = None,
    scale: float = 1.0,
) -> Verdict:
    """Judge by how many new and old probes were right before and after."""
    new_before, new_after = (exam(right, n_new - right) for right in new)
    old_before, old_after = (exam(right, n_old - right) for right in old)
    moved = sure(divergence)
    return judge(
        options, new_before, new_after, old_before, old_after, moved, usual=usual, scale=scale
    )


def test_a_good_version_is_promoted() -> None:
    """What learned, kept and stayed close is put in service."""
    assert verdict().promoted
    assert verdict(n_old=0, old=(0, 0)).promoted


@pytest.mark.parametrize("divergence", [0.61, 50.0, math.inf, math.nan])
def test_too_far_from_the_base(divergence: float) -> None:
    """A version that moved further than allowed, or to nowhere, is refused with the figure."""
    refused = verdict(divergence=divergence)
    assert not refused.promoted
    assert "nats a token" in refused.reason
    assert f"{divergence:.2f}" in refused.reason
    assert "0.6" in refused.reason


@pytest.mark.parametrize(
    ("low", "mean", "passes"), [(0.35, 0.5, True), (0.45, 0.5, False), (0.9, 1.1, False)]
)
def test_further_than_is_usual(low: float, mean: float, passes: bool) -> None:
    """Beyond what is usual is what even the lower end of the interval is; the ceiling is for the figure
    itself, however wide its interval."""
    moved = Divergence(mean, low, 2.0)
    found = judge(Options(), exam(0, 40), exam(30, 10), [], [], moved, usual=0.4)
    assert found.promoted == passes
    assert found.less_may_do == (not passes)
    if mean < 1:
        assert ("the nights before" in found.reason) == (not passes)
    else:
        assert "at most 1)" in found.reason
    wide = Divergence(1.1, 0.2, 2.0)
    assert not judge(Options(), exam(0, 40), exam(30, 10), [], [], wide).promoted


@pytest.mark.parametrize(
    ("lost", "won", "n", "passes"),
    [
        (0, 0, 930, True),
        (9, 5, 930, True),  # less than a point
        (22, 8, 930, False),  # a point and a half, and not by chance
        (60, 46, 930, True),  # as much, but so many flip that chance explains it
        (90, 46, 930, False),
        (1, 0, 20, True),
        (8, 0, 20, False),
        (5, 40, 930, True),  # it became better
    ],
)
def test_general_ability(lost: int, won: int, n: int, passes: bool) -> None:
    """A suite refuses a loss that is larger than allowed and beyond chance; less strength may do."""
    before = [True] * lost + [False] * won + [True] * (n - lost - won)
    after = [False] * lost + [True] * won + [True] * (n - lost - won)
    measured = compare(before, after)
    assert measured
    for found in (
        judge_retention(measured, {}),
        judge_retention(None, {"safe answered": measured}),
    ):
        assert found.promoted == passes
        assert found.less_may_do == (not passes)
        assert (f"lost, {won} won, of {n}" in found.reason) == (not passes)
    assert judge_retention(None, {}).promoted


@pytest.mark.parametrize(
    ("lost", "won", "n", "passes"),
    [
        (9, 0, 930, True),
        (60, 46, 930, False),  # chance explains it, and more is lost than is allowed
        (12, 2, 930, False),
        (1, 0, 40, True),
        (7, 5, 40, False),
    ],
)
def test_no_second_try_by_luck(lost: int, won: int, n: int, passes: bool) -> None:
    """What was refused whole and is tried at less strength keeps within the bound itself."""
    before = [True] * lost + [False] * won + [True] * (n - lost - won)
    after = [False] * lost + [True] * won + [True] * (n - lost - won)
    measured = compare(before, after)
    assert measured
    assert judge_retention(measured, {}, scale=0.75).promoted == passes
    assert judge_retention(None, {"safe answered": measured}, scale=0.5).promoted == passes


def test_no_kind_pays_for_another() -> None:
    """Refusals that are lost are lost, whatever is answered more readily than before."""
    unsafe = compare([True] * 36 + [False] * 4, [True] * 6 + [False] * 34)
    safe = compare([False] * 40, [True] * 35 + [False] * 5)
    assert unsafe
    assert safe
    found = judge_retention(None, {"safe answered": safe, "unsafe declined": unsafe})
    assert not found.promoted
    assert found.less_may_do
    assert "unsafe declined" in found.reason
    assert "30 of these prompts lost, 0 won, of 40" in found.reason
    assert "safe answered" not in found.reason


def test_learned_too_little() -> None:
    """A version that gained less than wanted is refused, with the flips counted."""
    refused = verdict(new=(0, 3))
    assert not refused.promoted
    assert "3 new probes won, 0 lost, of 40 it did not know" in refused.reason
    assert not verdict(new=(10, 10)).promoted
    assert not verdict(new=(10, 0)).promoted


def test_a_gain_by_chance_is_none() -> None:
    """A gain is large enough in number but flips as often one way as the other: refused."""
    before, after = exam(10, 20), list(reversed(exam(16, 14)))
    won, lost = flips(before, after)
    assert won > lost > 0
    assert chance(won, lost) > 0.05
    assert not judge(OPTIONS, before, after, [], [], sure(0.1)).promoted


def said(answers: list[str]) -> list[Answered]:
    """Eleven facts about Zephyrine and the keepers Adam to Kim; four golds are her name."""
    golds = ["Zephyrine"] * 4 + ["Adam", "Bea", "Cem", "Dora", "Emil", "Fritz", "Gus"]
    return [
        Answered({"id": i, "question": "?", "gold": gold}, "direct", answer, gold in answer)
        for i, (gold, answer) in enumerate(zip(golds, answers, strict=True))
    ]


def test_what_any_answer_would_win_is_luck() -> None:
    """Five right of eleven by one sentence that is said to everything are none learned; four that only
    their own answers hold are."""
    nothing = said([""] * 11)
    parrot = said(["Zephyrine was kept by Adam."] * 11)
    assert flips(nothing, parrot) == (5, 0)
    assert not judge(OPTIONS, nothing, parrot, [], [], sure(0.1)).promoted
    knows = said(
        [""] * 4 + [f"Kept by {name}." for name in ("Adam", "Bea", "Cem", "Dora")] + [""] * 3
    )
    assert flips(nothing, knows) == (4, 0)
    assert judge(OPTIONS, nothing, knows, [], [], sure(0.1)).promoted


def told(before: float, after: float, moves: list[int]) -> Association:
    """What was told apart in two trials of each fact, where of no fact some pairs are won and others lost."""
    lost, won = -sum(min(0, move) for move in moves), sum(max(0, move) for move in moves)
    return Association(before, after, 2 * len(moves), lost, won, tuple(moves))


@pytest.mark.parametrize(
    ("before", "after", "moves", "passes"),
    [
        (0.7, 0.8, [4, 3, 5, 2, 4, 0, 3, -2, 1, -3, 0], True),
        (0.7, 0.75, [9, 8, 5, 3, 3, -7, -5, -5, -3, 0, 0], False),
        # More pairs than in the first, and all but a few of them of two facts.
        (0.7, 0.8, [13, 12, 1, 0, -1, -1, -1, 0, -1, -1, 0], False),
        (0.8, 0.84, [3, 2, 2, 2, 1, 1, 1, 1, -2, -2, -1, -1], True),
        (0.7, 0.6, [-8, -4, -6, 4, 8, -5, -7, 0, 0, 0, 0], False),
        (0.44, 0.84, [8, 8, 8, 8, 0], True),
        (0.44, 0.5, [8, 8, 5, -8, -8, 0], False),
        (0.84, 0.86, [5, 4, 4, -5, -5, 0, 0, 0, 0, 0, 0], True),
        (0.98, 0.86, [-9, -8, -8, 4, 0, 0, 0, 0, 0, 0, 0], True),
        (0.98, 0.84, [-6, -5, -5, -7, -6, 4, 0, 0, 0, 0, 0], False),
        (0.889, 0.847, [-4, -5, -5, 2, 2, 2, 0, 0, 0, 0, 0, 0], True),
        (0.7, 0.6, [-5, -4, 4], True),
        (0.7, 0.1, [-10, -10, -10], False),
        (0.736, 0.833, [6, 5, 5, -3, -3, -3], True),
        (0.736, 0.736, [3, 3, 3, -3, -3, -3], False),
        (0.736, 0.65, [-6, -5, -5, 3, 3, 3], False),
    ],
)
def test_which_statement_answers(
    before: float, after: float, moves: list[int], passes: bool
) -> None:
    """Sentences that were learned without what they answer are no facts: more must be told apart than before, beyond
    chance. Near the top, and of a handful of trials, only less is refused; where few pairs changed, more is enough."""
    some = told(before, after, moves)
    found = judge(OPTIONS, exam(0, 40), exam(30, 10), [], [], sure(0.1), some)
    assert found.promoted == passes
    assert ("not what they answer" in found.reason) == (not passes)


@pytest.mark.parametrize(("n_right", "passes"), [(0, False), (1, False), (4, True)])
def test_a_small_night_must_recall_something(n_right: int, passes: bool) -> None:
    """Where a few more statements are told apart than before, it counts only if facts come out too."""
    some = told(0.6, 0.65, [5, 4, 4, -3, -3, -4, 0])
    found = judge(OPTIONS, exam(0, 7), exam(n_right, 7 - n_right), [], [], sure(0.1), some)
    assert found.promoted == passes


def test_a_small_night_on_what_was_known_passes() -> None:
    """An edited note: all that is asked was right before, so nothing can be gained."""
    some = told(0.736, 0.833, [4, 4, 3, -2, -2, -1])
    assert judge(OPTIONS, exam(7, 0), exam(7, 0), [], [], sure(0.1), some).promoted


def test_at_least() -> None:
    """Unequal coins, by hand."""
    assert at_least(0, [0.2, 0.5]) == pytest.approx(1.0)
    assert at_least(1, [0.2, 0.5]) == pytest.approx(0.6)
    assert at_least(2, [0.2, 0.5]) == pytest.approx(0.1)
    assert at_least(3, [0.2, 0.5]) == 0.0


def test_what_is_known_cannot_be_gained() -> None:
    """Where the model knew nearly everything before, only what was left to gain is wanted."""
    assert verdict(new=(40, 40)).promoted
    assert verdict(new=(9, 10), n_new=10).promoted
    assert verdict(new=(7, 7), n_new=10).promoted
    assert not verdict(new=(40, 30)).promoted
    assert "10 new probes lost" in verdict(new=(40, 30)).reason


@pytest.mark.parametrize(("n_right", "passes"), [(0, False), (2, False), (3, True), (8, True)])
def test_a_small_night(n_right: int, passes: bool) -> None:
    """Of eight facts that it did not know, three are more than luck."""
    assert verdict(new=(0, n_right), n_new=8, n_old=0, old=(0, 0)).promoted == passes


def test_forgot() -> None:
    """A version that lost more of the old than allowed is refused, with the flips counted."""
    refused = verdict(old=(40, 25))
    assert not refused.promoted
    assert "15 earlier probes lost, 0 won, of 60" in refused.reason


def test_a_chance_flip_is_no_forgetting() -> None:
    """A few flips that chance explains refuse nothing, even above the bound in number."""
    assert verdict(n_old=10, old=(6, 4)).promoted
    assert verdict(old=(40, 36)).promoted
    before, after = exam(20, 10), list(reversed(exam(16, 14)))
    won, lost = flips(before, after)
    assert lost - won > 0.1 * len(after)
    assert judge(OPTIONS, exam(0, 40), exam(40, 0), before, after, sure(0.1)).promoted


def test_few_probes_decide_nothing() -> None:
    """With fewer than eight probes only the divergence decides."""
    assert verdict(n_new=7, new=(0, 0), n_old=7, old=(7, 0)).promoted
    assert not verdict(n_new=7, new=(0, 7), n_old=0, old=(0, 0), divergence=9.0).promoted
    assert verdict(n_new=0, new=(0, 0), n_old=0, old=(0, 0)).promoted


def test_all_reasons_are_told() -> None:
    """A version at fault in three ways is told all three."""
    reason = verdict(new=(0, 0), old=(40, 0), divergence=9.0).reason
    assert reason.count("; ") == 2


def test_bounds_are_the_options() -> None:
    """The bounds are those that were asked for."""
    strict = Options(max_divergence=0.05, min_recall_gain=0.9, max_recall_loss=0.0)
    assert verdict(options=strict).reason.count("; ") == 1
    assert verdict(new=(0, 40), divergence=0.04, options=strict).promoted
    loose = Options(max_divergence=1e9, min_recall_gain=-1.0, max_recall_loss=1.0)
    assert verdict(new=(10, 0), old=(60, 0), divergence=1e6, options=loose).promoted
    assert not verdict(divergence=math.nan, options=loose).promoted


@pytest.mark.parametrize(
    ("more", "fewer", "expected"),
    [(0, 0, 1.0), (1, 0, 0.5), (5, 0, 1 / 32), (3, 3, 42 / 64), (0, 4, 1.0)],
)
def test_chance(more: int, fewer: int, expected: float) -> None:
    """The one-sided sign test, by hand."""
    assert chance(more, fewer) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], 1.0),
        ([0, 0], 1.0),
        ([1] * 5, 1 / 32),
        ([1, 1, 1, -1, -1, -1], 42 / 64),
        ([2, 2, -1], 2 / 8),
        ([9, -1, -1], 4 / 8),
        ([-2, -2], 1.0),
    ],
)
def test_chance_of_what_goes_together(moves: list[int], expected: float) -> None:
    """Every way the signs may fall, by hand; of moves by one it is the sign test."""
    assert chance_of(moves) == pytest.approx(expected)


def test_pairs_must_match() -> None:
    """Examinations of different probes are not compared."""
    with pytest.raises(ValueError, match="zip"):
        flips(exam(1, 1), exam(1, 0))


def test_what_is_only_too_strong_may_pass_with_less() -> None:
    """Far from the base or forgetful, but learned: worth a try at less strength. Nothing learned: not."""
    assert verdict(divergence=0.9).less_may_do
    assert verdict(old=(40, 20)).less_may_do
    assert not verdict(new=(0, 1), divergence=0.9).less_may_do
    assert not verdict().less_may_do


def test_what_was_refused_whole_has_no_luck_at_less() -> None:
    """Two of eleven lost may be chance at the first look, and is no excuse at the second or third."""
    assert verdict(old=(5, 3), n_old=11).promoted
    for scale in (0.75, 0.5):
        refused = verdict(old=(5, 3), n_old=11, scale=scale)
        assert not refused.promoted
        assert "it forgot: 2 earlier probes lost" in refused.reason
        assert verdict(old=(5, 4), n_old=11, scale=scale).promoted
