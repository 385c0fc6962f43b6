"""Intervals against figures that are known, and against what they must do."""

import math
import random

import pytest

from learnctl.trainer.intervals import compare, design_effect, share, student_t


def exam(n_right: int, n: int) -> list[bool]:
    return [index < n_right for index in range(n)]


def flipped(won: int, lost: int, n: int) -> tuple[list[bool], list[bool]]:
    """Two examinations of n items, of which so many flip; the rest is right both times."""
    before = [index >= won for index in range(n)]
    after = [not won <= index < won + lost for index in range(n)]
    return before, after


def test_wilson() -> None:
    """81 of 263, as in Newcombe's comparison of intervals (1998): .2553 to .3662."""
    found = share(exam(81, 263))
    assert found is not None
    assert found.low == pytest.approx(0.2553, abs=1e-4)
    assert found.high == pytest.approx(0.3662, abs=1e-4)
    none_right = share(exam(0, 10))
    assert none_right is not None
    assert none_right.low == 0
    assert none_right.high == pytest.approx(0.2775, abs=1e-4)
    assert share([]) is None


def test_paired_shares() -> None:
    """Flips are counted, McNemar's test says how likely they are, and the interval turns with them."""
    found = compare(*flipped(86, 150, 1600))
    assert found is not None
    assert (found.won, found.lost, found.n) == (86, 150, 1600)
    assert found.change == pytest.approx(-0.04)
    assert found.p == pytest.approx(2 * sum(math.comb(236, k) for k in range(150, 237)) / 2**236)
    other = compare(*flipped(150, 86, 1600))
    assert other is not None
    assert other.low == pytest.approx(-found.high)
    assert other.high == pytest.approx(-found.low)


def test_no_flip_is_not_certainty() -> None:
    """Where nothing flipped, the bound still says how little was looked at."""
    few, many = (compare(exam(n, n), exam(n, n)) for n in (30, 930))
    assert few is not None
    assert many is not None
    assert few.p == many.p == 1.0
    assert few.lost_at_most == pytest.approx(2.706 / (30 + 2.706), abs=1e-3)
    assert many.lost_at_most < 0.003
    assert compare([], []) is None


def test_interval_holds_what_it_says() -> None:
    """Of many examinations with a true loss of 5 points, about 95% have it within their bounds."""
    draw = random.Random(5)
    inside = below = 0
    for _ in range(400):
        kinds = draw.choices(("lost", "won", "same"), (0.1, 0.05, 0.85), k=120)
        found = compare([k != "won" for k in kinds], [k != "lost" for k in kinds])
        assert found is not None
        inside += found.low <= -0.05 <= found.high
        below += found.lost_at_most >= 0.05
    assert 0.92 <= inside / 400 <= 0.98
    assert 0.92 <= below / 400 <= 0.98


def test_items_of_one_source_count_for_less() -> None:
    """Ten sources that are each right or wrong as a whole say as much as ten items."""
    right = [source < 5 for source in range(10) for _ in range(20)]
    sources = [source for source in range(10) for _ in range(20)]
    effect = design_effect([float(one) for one in right], sources)
    assert effect == pytest.approx(20, rel=0.15)
    alone, together = share(right), share(right, sources)
    assert alone is not None
    assert together is not None
    assert together.value == alone.value
    assert together.high - together.low > 3 * (alone.high - alone.low)
    mixed = [index % 2 == 0 for index in range(200)]
    assert design_effect([float(one) for one in mixed], sources) == 1.0


def test_students_t() -> None:
    """As it stands in every table."""
    for freedom, wanted in {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 8: 2.306, 30: 2.042}.items():
        assert student_t(0.975, freedom) == pytest.approx(wanted, rel=0.01)


def test_few_sources_are_not_surer_than_they_are() -> None:
    """Of many examinations of four sources, which differ, about 95% have the true share within their bounds."""
    draw = random.Random(7)
    inside = wider = 0
    for _ in range(600):
        shares = [draw.betavariate(3, 3) for _ in range(4)]
        right = [draw.random() < one for one in shares for _ in range(12)]
        sources = [source for source in range(4) for _ in range(12)]
        found, alone = share(right, sources), share(right)
        assert found is not None
        assert alone is not None
        inside += found.low <= 0.5 <= found.high
        wider += found.high - found.low >= alone.high - alone.low - 1e-9
    assert inside / 600 >= 0.93
    assert wider == 600
