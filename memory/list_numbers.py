"""Whether a number at the beginning of a line counts the items of a list, or is part of what is said."""

# Ordinals end in a period: "am 3. Mai".
MONTHS = frozenset(
    [
        "Januar",
        "Jänner",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ]
)


class ListNumbers:
    """Told the numbers of a text's lists as they come; each depth goes on after what stood between, such as a list inside an item."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}  # by depth

    def begin(self, number: int, depth: int) -> None:
        """The list says itself with which number it begins."""
        self._last[depth] = number - 1

    def counts(self, number: int, following: str, depth: int) -> bool:
        """Whether it is the next one: 1 always is, "24. Dezember" and "1984. Ein Jahr" are not."""
        if names_a_month(following) or number not in (0, 1, self._last.get(depth, 0) + 1):
            return False
        self._last[depth] = number
        return True


def names_a_month(text: str) -> bool:
    return next(iter(text.split(maxsplit=1)), "").rstrip(".,:;") in MONTHS
