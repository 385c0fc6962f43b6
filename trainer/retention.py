"""Whether a slow pass still can what the base could, on general sets that the user has chosen.

`suite = FOLDER` in the settings names them: multiple-choice sets (`suite.py`), and prompts that show whether
instructions are kept and what is declined (`conduct.py`), these only as far as the base can do them. The base is asked
once for ever; what was trained is asked before it may serve. Where nothing is chosen, or it cannot be read,
nothing is measured, and the report says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.store import Record, Store
from . import conduct, suite
from .base import Base
from .conduct import Task, answer_tasks, read_tasks, within_reach
from .intervals import Comparison, compare
from .options import Options
from .progress import OnProgress, Progress
from .suite import Item

# As many as `evaluate` asks: enough for a bound of two points where six items in a hundred flip.
ITEMS = 930
PROMPTS = 120


@dataclass(frozen=True)
class Retained:
    """What flipped between the base and a trained model; None where it was not measured."""

    suite: Comparison | None
    conduct: Comparison | None


class Retention:
    """General sets, and what of them the base answers rightly.

    Attributes:
        seconds: about how long it takes to ask them once.
    """

    def __init__(
        self,
        store: Store,
        base: Base,
        items: list[Item],
        tasks: Sequence[Task],
        on_progress: OnProgress,
    ) -> None:
        """No adapter may be on the base."""
        self._store = store
        self._base = base
        self._items = items
        self._on_progress = on_progress
        self._before = suite.of_version(store, base, base.model, 0, items, on_progress)
        self._tasks, self._did = within_reach(store, base, tasks, on_progress)
        self._after: list[bool] = []
        self.seconds = suite.seconds(store, base, items) + conduct.seconds(store, base, self._tasks)

    def after(self, model: Any) -> Retained:
        base, tell = self._base, self._on_progress
        self._after = suite.answer_items(base, model, self._items, tell, "suite")
        does = answer_tasks(base, model, self._tasks, tell, "conduct")
        return Retained(compare(self._before, self._after), compare(self._did, does))

    def keep(self, version: int) -> None:
        """The answers given last are those of a version."""
        suite.keep(self._store, self._base, version, self._items, self._after)


def around(
    store: Store, base: Base, run: Record, options: Options, on_progress: OnProgress
) -> Retention | None:
    """What a run is to be examined with; None for a fast night, and where there is nothing to ask."""
    if not options.suite or run["level"] != "slow":
        return None
    folder = Path(options.suite).expanduser()
    items: list[Item] = []
    tasks: list[Task] = []
    try:
        items = suite.read_suite(folder, ITEMS).items
    except LearnctlError as error:
        on_progress(Progress("suite", 0, 0, note=f"not measured: {error}"))
    try:
        tasks = read_tasks(folder, PROMPTS).tasks
    except LearnctlError as error:
        on_progress(Progress("conduct", 0, 0, note=f"not measured: {error}"))
    return Retention(store, base, items, tasks, on_progress) if items or tasks else None
