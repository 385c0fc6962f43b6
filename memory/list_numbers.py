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
    """Told the numbers of a list as they come."""

    def __init__(self) -> None:
        self._last = 0

    def counts(self, number: int, following: str) -> bool:
        """Whether it is the next one: 1 always is, "24. Dezember" and "1984. Ein Jahr" are not."""
        if names_a_month(following) or number not in (0, 1, self._last + 1):
            return False
        self._last = number
        return True


def names_a_month(text: str) -> bool:
    return next(iter(text.split(maxsplit=1)), "").rstrip(".,:;") in MONTHS
