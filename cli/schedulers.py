"""The schedulers there are, the best first, and which of them holds a home folder's job."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ..memory.errors import LearnctlError
from . import crontab, launchd, systemd
from .job import Job


class Scheduler(Protocol):
    NAME: str

    def why_not(self) -> str: ...
    def advice(self) -> str: ...
    def text(self, job: Job) -> str: ...
    def install(self, job: Job) -> None: ...
    def remove(self, home: Path) -> bool: ...
    def find(self, home: Path) -> str: ...


SCHEDULERS: tuple[Scheduler, ...] = (systemd, launchd, crontab)


def choose(name: str | None, must_work: bool = True) -> Scheduler:
    """The named scheduler, else the best that can be used here.

    Args:
        must_work: refuse one that cannot be used here.

    Raises:
        LearnctlError: there is none that can be used.
    """
    named = [scheduler for scheduler in SCHEDULERS if name == scheduler.NAME]
    usable = [scheduler for scheduler in named or SCHEDULERS if not scheduler.why_not()]
    if usable:
        return usable[0]
    if named and not must_work:
        return named[0]
    if not must_work:
        return launchd if sys.platform == "darwin" else systemd
    raise LearnctlError(
        "; ".join(scheduler.why_not() for scheduler in named or SCHEDULERS),
        hint="install cron, or give the command of `learnctl schedule print` to another scheduler",
    )


def holding(home: Path) -> Iterator[tuple[Scheduler, str]]:
    """Each scheduler that has a job for a home folder, and what it says of it; one that refuses this user has none."""
    for scheduler in SCHEDULERS:
        if not scheduler.why_not() and (found := _found(scheduler, home)):
            yield scheduler, found


def _found(scheduler: Scheduler, home: Path) -> str:
    try:
        return scheduler.find(home)
    except LearnctlError:
        return ""
