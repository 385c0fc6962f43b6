"""Whether 03/04/25 is in March or in April, told from all the dates of a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise

_ORDERS = ("DMY", "MDY", "YMD")
_CENTURY = 2000

Parts = tuple[str, str, str]


@dataclass(frozen=True)
class DateOrder:
    """`order` is DMY, MDY or YMD; `certain` says whether the dates left no other."""

    order: str
    certain: bool

    def date(self, parts: Parts) -> date | None:
        """The day that is meant; None where there is no such day."""
        return _day(parts, self.order)


def settle(dates: Iterable[Parts], likely: str, earliest: int = 1990) -> DateOrder:
    """The order that makes the most of the dates real, and then the one that keeps them ascending.

    Args:
        dates: the three numbers of each date, as they stand in the file, in its order.
        likely: the order to take where the dates leave several.
        earliest: the first year that is believed.
    """
    written = list(dict.fromkeys(dates))
    faults = {order: _faults(written, order, earliest) for order in _ORDERS}
    best = min(faults.values())
    left = [order for order in _ORDERS if faults[order] == best]
    order = likely if likely in left else left[0]
    days = [_day(parts, order) for parts in written]
    certain = all([_day(parts, other) for parts in written] == days for other in left)
    return DateOrder(order, certain)


def _faults(written: list[Parts], order: str, earliest: int) -> tuple[int, int]:
    days = [_day(parts, order) for parts in written]
    known = [day for day in days if day and day.year >= earliest]
    backwards = sum(later < earlier for earlier, later in pairwise(known))
    return len(days) - len(known), backwards


@lru_cache(maxsize=4096)  # a day has many messages
def _day(parts: Parts, order: str) -> date | None:
    numbers = dict(zip(order, parts, strict=True))
    if any(len(numbers[unit]) > 2 for unit in "DM") or len(numbers["Y"]) not in (2, 4):
        return None
    year = int(numbers["Y"])
    try:
        return date(
            year + _CENTURY if len(numbers["Y"]) == 2 else year,
            int(numbers["M"]),
            int(numbers["D"]),
        )
    except ValueError:
        return None
