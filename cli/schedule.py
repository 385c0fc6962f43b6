"""`learnctl schedule`: a consolidation every night, by the system's own scheduler."""

import re
from typing import Annotated, Literal

from typer import BadParameter, Context, Option, Typer

from . import crontab
from .context import find_home
from .errors import Command, Group
from .output import say, show

app = Typer(cls=Group, no_args_is_help=True, help="Learn every night by itself.")


def _parse_time(text: str) -> str:
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text.strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadParameter(f"{text!r} is no time of day: write it like 03:00")
    return f"{int(found[1]):02d}:{found[2]}"


Daily = Annotated[
    str, Option(parser=_parse_time, metavar="HH:MM", help="When, in the machine's local time.")
]
Using = Annotated[Literal["crontab"], Option(help="The scheduler to use.", show_choices=True)]


@app.command(cls=Command)
def install(ctx: Context, daily: Daily = "03:00", using: Using = "crontab") -> None:
    """Consolidate every night; once more changes the time.

    A run at night waits for another one if the machine is busy or on battery.

    Example:

      learnctl schedule install --daily 02:30
    """
    home = find_home(ctx)
    crontab.write(crontab.with_line(crontab.read(), home.path, crontab.line(home.path, daily)))
    show(f"scheduled: every day at {daily}")


@app.command("print", cls=Command)
def print_line(ctx: Context, daily: Daily = "03:00", using: Using = "crontab") -> None:
    """Print what `install` would write, and change nothing."""
    show(crontab.line(find_home(ctx).path, daily))


@app.command(cls=Command)
def remove(ctx: Context, using: Using = "crontab") -> None:
    """Stop consolidating every night."""
    home = find_home(ctx)
    before = crontab.read()
    after = crontab.without_line(before, home.path)
    if after == before:
        say("nothing was scheduled")
        return
    crontab.write(after)
    show("removed: the nightly consolidation")
