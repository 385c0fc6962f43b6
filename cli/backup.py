"""`learnctl backup`: all there is in one file."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Context

from . import flags
from .context import open_store
from .output import counted, n_bytes, show, show_json


def backup(
    ctx: Context,
    file: Annotated[
        Path, Argument(metavar="FILE", help="Where to; it must not exist.", show_default=False)
    ],
    as_json: flags.Json = False,
) -> None:
    """Write the store, the settings and every version to one file, and read it again to be sure.

    Not encrypted. What is forgotten later is still in it: make a new one then, and delete the old.

    Example:

      learnctl backup /media/stick/learnctl-2026-11.zip
    """
    from ..memory.backup import backup as write

    with open_store(ctx) as store:
        report = write(store, file.expanduser().absolute())
    if as_json:
        show_json(report)
    else:
        held = f"{n_bytes(report['n_bytes'])}, {counted(report['versions'], 'version')}"
        show(f"written and read again: {report['path']} ({held})")
