"""Facts that would be asked in one wording are told apart by their day or their section: one wording has one answer.

"What is the boat called?" of another boat becomes "3 May 2026: What is the boat called?", where no fact that is asked in that
wording stands in an entry of that day.
"""

from collections import defaultdict
from collections.abc import Iterable, Set
from datetime import datetime

from ..memory.store import Record
from .facts import normalise
from .wordings import ENGLISH


class Asked:
    """The wordings that facts are asked in, and where these facts stand.

    Args:
        held: wordings, normalised, that nothing is asked in.
        before: what was asked already: rows with `prompt`, `title`, `heading`, `date` and `language`.
    """

    def __init__(self, held: Set[str], before: Iterable[Record]) -> None:
        self._held = held
        self._places: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in before:
            self.add(row["prompt"], row)

    def hold(self, held: Set[str]) -> None:
        """These wordings, normalised, are held now."""
        self._held = held

    def add(self, question: str, place: Record) -> None:
        """A fact that stands there is asked so."""
        self._places[normalise(question)].append((day_of(place), _section(place)))

    def of_its_own(self, question: str, place: Record) -> str | None:
        """The question as no other fact is asked: as it is, or with what tells this fact from the others in front. None
        where nothing does, or it is held."""
        others = self._places.get(normalise(question), [])
        wordings = [] if others else [question]
        for where, theirs in (
            (day_of(place), {day for day, _ in others}),
            (_section(place), {section for _, section in others}),
        ):
            if others and where and where not in theirs:
                wordings.append(f"{where}: {question}")
        free = (one for one in wordings if normalise(one) not in self._held)
        return next((one for one in free if not self._places.get(normalise(one))), None)


def written_day(date: str, language: str = ENGLISH) -> str:
    """The day of a date or a moment where the user is, as people write it: `7 May 2023`, and `2023-05-07` where that is not English;
    what is no full date stays as it is."""
    try:
        day = datetime.fromisoformat(date)
    except ValueError:
        return date
    if len(date) < len("2023-05-07"):
        return date
    if day.tzinfo:
        # The store keeps moments in UTC, whose day may be another: "yesterday" is told from this one.
        day = day.astimezone()
    return f"{day.day} {day:%B %Y}" if language == ENGLISH else f"{day:%Y-%m-%d}"


def day_of(place: Record) -> str:
    """The day of a place, as people write it there; empty where it has none."""
    return written_day(str(place["date"] or ""), place["language"])


def _section(place: Record) -> str:
    return str(place["heading"] or place["title"] or "").split(" › ")[-1]
