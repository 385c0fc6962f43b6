"""Whether a slow pass still can what the base could, on general sets that the user has chosen.

`suite = FOLDER` in the settings names them: multiple-choice sets (`suite.py`), and prompts that show whether
instructions are kept and what is declined (`conduct.py`), these only as far as the base can do them. The base is asked
once for ever; what was trained is asked before it may serve. Where nothing is chosen, or it cannot be read,
nothing is measured, and the report has null; what cannot be read is told of on the way.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from ..memory.store import Record, Store
from . import conduct, suite
from .base import Base
from .conduct import KINDS, Task, answer_tasks, within_reach
from .intervals import Comparison, compare
from .options import Options
from .progress import OnProgress, Progress, silent
from .suite import Item

# Of the time that is left for training, what asking may take of it.
SHARE = 0.5


@dataclass(frozen=True)
class Retained:
    """What flipped between the base and a trained model; None, and no kind, where it was not measured."""

    suite: Comparison | None
    conduct: dict[str, Comparison]


class Retention:
    """General sets, and what of them the base answers rightly.

    Attributes:
        seconds: about how long it takes to ask them once.
        beyond: the kinds of conduct that are not asked of what was trained, with the share that the base does of each.
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
        self._tasks, self._did, self.beyond = within_reach(store, base, tasks, on_progress)
        self._after: list[bool] = []
        self.seconds = suite.seconds(store, base, items) + conduct.seconds(store, base, self._tasks)

    def after(self, model: Any) -> Retained:
        base, tell = self._base, self._on_progress
        self._after = suite.answer_items(base, model, self._items, tell, "suite")
        does = answer_tasks(base, model, self._tasks, tell, "conduct")
        flips = list(zip(self._tasks, self._did, does, strict=True))
        kinds = {}
        for kind in KINDS:
            some = [(did, now) for task, did, now in flips if task.kind == kind]
            if found := compare([did for did, _ in some], [now for _, now in some]):
                kinds[kind] = found
        return Retained(compare(self._before, self._after), kinds)

    def keep(self, version: int) -> None:
        """The answers given last are those of a version."""
        suite.keep(self._store, self._base, version, self._items, self._after)


def around(
    store: Store, base: Base, run: Record, options: Options, on_progress: OnProgress
) -> Retention | None:
    """What a run is to be examined with; None for a fast night, and where there is nothing to ask."""
    items, tasks = _read(options, run["level"], on_progress)
    return Retention(store, base, items, tasks, on_progress) if items or tasks else None


def expected_s(store: Store, base: Base, options: Options, level: str) -> float:
    """About how long asking once will take a night of this level; 0 where nothing was ever asked."""
    items, tasks = _read(options, level, silent)
    return suite.seconds(store, base, items) + conduct.seconds(store, base, tasks)


def fits(asking_s: float, left_s: float) -> bool:
    """Whether training has enough of the time that is left when so much is taken from it."""
    return asking_s <= SHARE * left_s


def _read(
    options: Options, level: str, on_progress: OnProgress
) -> tuple[list[Item], Sequence[Task]]:
    """What a night of this level is asked; a line is told of whatever cannot be read."""
    if not options.suite or level != "slow":
        return [], []
    # Unlike `Path.expanduser`, this leaves the name of an unknown user as it is.
    folder = Path(os.path.expanduser(options.suite))
    items: list[Item] = []
    tasks: list[Task] = []
    no_items: set[str] = set()
    try:
        found = suite.read_suite(folder, suite.ITEMS)
        items = found.items
        no_items = {line for line in found.left_out if line.endswith(suite.NO_ITEMS)}
        for line in found.left_out:
            if line not in no_items:
                on_progress(Progress("suite", 0, 0, note=line))
    except (LearnctlError, OSError) as error:
        on_progress(Progress("suite", 0, 0, note=f"not measured: {error}"))
    try:
        prompts = conduct.read_tasks(folder, conduct.PROMPTS)
        tasks = prompts.tasks
        for line in prompts.left_out:
            # What holds items of the suite need not hold prompts too.
            name = line.removesuffix(conduct.NO_PROMPTS)
            has_items = name.endswith(".jsonl") and f"{name}{suite.NO_ITEMS}" not in no_items
            if name == line or not (items and has_items):
                on_progress(Progress("conduct", 0, 0, note=line))
    except (LearnctlError, OSError) as error:
        on_progress(Progress("conduct", 0, 0, note=f"not measured: {error}"))
    return items, tasks
