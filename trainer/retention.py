"""Whether a slow pass still can what the base could, on a general suite that the user has chosen.

`suite = FOLDER` in the settings names the sets (`suite.py`). The base is asked once for ever; what was trained
is asked before it may serve. Where no suite is chosen, or it cannot be read, nothing is measured, and the report
says so.
"""

from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.store import Record, Store
from . import suite
from .base import Base
from .intervals import Comparison, compare
from .options import Options
from .progress import OnProgress, Progress
from .suite import Item

# As many as `evaluate --suite` asks: enough for a bound of two points where six items in a hundred flip.
ITEMS = 930


class Retention:
    """A suite, and which of its items the base answers rightly.

    Attributes:
        seconds: about how long it takes to ask it once.
    """

    def __init__(
        self, store: Store, base: Base, items: list[Item], on_progress: OnProgress
    ) -> None:
        """No adapter may be on the base."""
        self._store = store
        self._base = base
        self._items = items
        self._on_progress = on_progress
        self._before = suite.of_version(store, base, base.model, 0, items, on_progress)
        self._after: list[bool] = []
        self.seconds = suite.seconds(store, base, items)

    def after(self, model: Any) -> Comparison | None:
        """What flipped between the base and a trained model."""
        self._after = suite.answer_items(self._base, model, self._items, self._on_progress, "suite")
        return compare(self._before, self._after)

    def keep(self, version: int) -> None:
        """The answers given last are those of a version."""
        suite.keep(self._store, self._base, version, self._items, self._after)


def around(
    store: Store, base: Base, run: Record, options: Options, on_progress: OnProgress
) -> Retention | None:
    """What a run is to be examined with; None for a fast night, and where there is no suite."""
    if not options.suite or run["level"] != "slow":
        return None
    try:
        found = suite.read_suite(Path(options.suite).expanduser(), ITEMS)
    except LearnctlError as error:
        on_progress(Progress("suite", 0, 0, note=f"not measured: {error}"))
        return None
    return Retention(store, base, found.items, on_progress)
