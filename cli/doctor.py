"""`learnctl doctor`: is everything there that learnctl needs?"""

from dataclasses import asdict
from typing import TYPE_CHECKING

from typer import Context, Exit

from . import flags
from .context import find_home
from .output import console, plain, show_json

if TYPE_CHECKING:
    from .check_result import Check

COLOURS = {"ok": "green", "warn": "yellow", "stop": "red"}


def doctor(ctx: Context, as_json: flags.Json = False) -> None:
    """Check the machine, the installation, the base model and the store."""
    from .checks import examine

    found = list(examine(find_home(ctx)))
    if as_json:
        show_json([asdict(check) for check in found])
    else:
        for check in found:
            _render(check)
    if any(check.state == "stop" for check in found):
        raise Exit(1)


def _render(check: "Check") -> None:
    from rich.text import Text

    line = Text(f"{check.state:<5}", style=COLOURS[check.state])
    line.append(f"{check.name:<13} {plain(check.found)}", style="default")
    if check.remedy:
        line.append(f" – {plain(check.remedy)}", style="default")
    console().print(line, soft_wrap=True)
