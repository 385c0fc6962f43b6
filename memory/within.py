"""A part of what was taken in: some sources, a time, a speaker, some kinds of chunks."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .errors import LearnctlError
from .store import LISTED, marks, to_json

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d)?)?)?)?")

_FIRST_MOMENT = "0001-01-01T00:00:00"


@dataclass(frozen=True)
class Within:
    """Where and when to look; what is empty bounds nothing.

    Attributes:
        since: a beginning of an ISO date, as `parse_date` gives it; that day, month or year counts.
        until: the same; all of that day, month or year counts.
    """

    source_ids: tuple[int, ...] = ()
    since: str = ""
    until: str = ""
    speaker: str = ""
    kinds: tuple[str, ...] = ()

    def condition(self, origin: str = "o", kind: str = "c.kind") -> tuple[str, list[Any]]:
        """What to add to a WHERE over a row of `origins`, and its values."""
        parts: list[tuple[str, tuple[Any, ...]]] = []
        if self.source_ids:
            parts.append((f"{origin}.source_id IN {LISTED}", (to_json(self.source_ids),)))
        if self.since:
            at = f"substr({origin}.date, 1, {len(self.since)})"
            parts.append((f"{at} >= ?", (self.since,)))
        if self.until:
            at = f"substr({origin}.date, 1, {len(self.until)})"
            parts.append((f"{at} <= ?", (self.until,)))
        if self.speaker:
            parts.append((f"name_of({origin}.speaker) = name_of(?)", (self.speaker,)))
        if self.kinds:
            parts.append((f"{kind} IN ({marks(self.kinds)})", self.kinds))
        sql = " AND ".join(["1", *(part for part, _ in parts)])
        return sql, [value for _, values in parts for value in values]


def parse_date(text: str) -> str:
    """A year, a month, a day or a minute, as `2024`, `2024-03`, `2024-03-09` or `2024-03-09T18:30`.

    Raises:
        LearnctlError: it is none.
    """
    text = text.strip()
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        datetime.fromisoformat(text + _FIRST_MOMENT[len(text) :])
    except ValueError:
        hint = "write it as 2024, 2024-03 or 2024-03-09"
        raise LearnctlError(f"`{text}` is no date", hint=hint) from None
    return text.replace(" ", "T")
