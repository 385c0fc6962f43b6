"""How far a long piece of work is: bars on a terminal, one line per phase elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .durations import duration
from .output import console, plain, say

if TYPE_CHECKING:
    from rich.console import Console

    from ..trainer.progress import Progress

Reporter = Callable[["Progress"], None]


@contextmanager
def reporting(quiet: bool = False) -> Iterator[Reporter]:
    """What to hand to a function that reports its progress."""
    watching = console(stderr=True)
    if quiet:
        yield lambda progress: None
    elif watching.is_terminal:
        with _bars(watching) as report:
            yield report
    else:
        yield _lines()


def _lines() -> Reporter:
    phase = ""

    def report(progress: "Progress") -> None:
        nonlocal phase
        if progress.phase != phase:
            phase = progress.phase
            say(plain(f"{phase}: {progress.note}" if progress.note else phase))

    return report


@contextmanager
def _bars(watching: "Console") -> Iterator[Reporter]:
    from rich import progress as bars

    with bars.Progress(
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[pace]}", markup=False),
        console=watching,
    ) as display:
        tasks: dict[str, bars.TaskID] = {}

        def report(progress: "Progress") -> None:
            if progress.phase not in tasks:
                tasks[progress.phase] = display.add_task(progress.phase, total=None, pace="")
            display.update(
                tasks[progress.phase],
                total=progress.total or None,
                completed=progress.done,
                pace=plain(_pace(progress)),
            )

        yield report


def _pace(progress: "Progress") -> str:
    parts = []
    if progress.tokens_per_s:
        parts.append(f"{progress.tokens_per_s:,.0f} tokens/s")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    if progress.note:
        parts.append(progress.note)
    return ", ".join(parts)
