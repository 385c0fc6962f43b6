"""What a scheduler is told: which command to start for which home folder, and when."""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..memory.errors import LearnctlError
from ..memory.home import models_folder

DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class When:
    """Every day at a time of day; on Sundays alone; or several times a day, evenly from midnight."""

    hour: int = 3
    minute: int = 0
    weekly: bool = False
    every_minutes: int = 0

    def __str__(self) -> str:
        if self.every_minutes:
            hours, minutes = divmod(self.every_minutes, 60)
            return f"every {f'{minutes} minutes' if minutes else f'{hours} hours'}"
        day = "every Sunday" if self.weekly else "every day"
        return f"{day} at {self.hour:02d}:{self.minute:02d}"


@dataclass(frozen=True)
class Job:
    """One home folder's consolidation as a scheduler starts it.

    Attributes:
        arguments: what follows `consolidate --scheduled`.
    """

    home: Path
    when: When
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        return [
            *program(),
            "--home",
            str(self.home),
            "consolidate",
            "--scheduled",
            *self.arguments,
        ]

    @property
    def environment(self) -> dict[str, str]:
        """Where the models lie has to go along: schedulers start with hardly any environment."""
        return {"LEARNCTL_MODELS": str(models_folder().absolute())}

    def require_one_line(self, what: str) -> None:
        """Raises `LearnctlError` where a path or an option holds a line break, which no line of a file can hold."""
        words = [*self.command, *self.environment.values()]
        if any(mark in word for word in words for mark in "\n\r\0"):
            raise LearnctlError(f"a line break in a path or an option cannot stand in a {what}")


def name_of(home: Path) -> str:
    """The name of a home folder's job; another home has another."""
    return f"learnctl-{hashlib.sha256(os.fsencode(home)).hexdigest()[:10]}"


def parse_every(seconds: float) -> int:
    """Minutes between two runs; they have to divide the hour or the day.

    Raises:
        ValueError: they do not.
    """
    minutes = int(seconds // 60)
    fits = minutes > 0 and (60 % minutes == 0 or (minutes % 60 == 0 and DAY_MINUTES % minutes == 0))
    if not fits or seconds % 60:
        raise ValueError("runs must divide the day evenly: write 6h, 12h or 30m")
    return minutes


def program() -> list[str]:
    """How to start learnctl from anywhere, with this very installation."""
    beside = Path(sys.executable).parent / "learnctl"
    if beside.exists():
        return [str(beside)]
    return [sys.executable, "-m", "learnctl.cli"]
