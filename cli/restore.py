"""`learnctl restore`: back to what a backup holds."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option

from ..memory.errors import LearnctlError
from . import flags
from .context import find_home
from .output import counted, say, show, show_json


def restore(
    ctx: Context,
    file: Annotated[
        Path,
        Argument(metavar="FILE", help="What `learnctl backup` wrote.", show_default=False),
    ],
    yes: Annotated[
        bool, Option("--yes", "-y", help="Replace the store that is there, and all it holds.")
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Put a backup in the place of the store, its settings and its versions: whole or not at all.

    Everything is checked before anything is replaced. What was forgotten since comes back with it.

    Example:

      learnctl restore /media/stick/learnctl-2026-11.zip
    """
    from ..memory.backup import restore as put_back
    from ..trainer import warm

    home = find_home(ctx)

    def stop_daemon() -> None:
        """It would go on with a socket and a lock that nobody finds any more."""
        with suppress(LearnctlError):
            warm.ask(home, "stop")
            say("note: the daemon was stopped; `learnctl daemon start` starts it again")

    counts = put_back(home, file.expanduser().absolute(), yes, stop_daemon)
    if as_json:
        show_json(counts)
    else:
        held = ", ".join(counted(counts[f"{noun}s"], noun) for noun in ("source", "chunk"))
        show(f"restored: {held}")
