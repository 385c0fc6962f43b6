"""The command line: its global options and its commands."""

import os
import sys
from pathlib import Path
from typing import Annotated

from typer import BadParameter, Context, Exit, Option, Typer

from . import (
    ask,
    backup,
    chat,
    chats,
    check,
    compare,
    config,
    consolidate,
    daemon,
    diff,
    doctor,
    evaluate,
    export,
    forget,
    history,
    ingest,
    init,
    knows,
    model,
    prune,
    report,
    restore,
    rollback,
    schedule,
    search,
    show,
    sources,
    status,
    trust,
)
from .context import Settings
from .errors import Command, Group
from .output import show as print_line

MEMORY = "What it knows"
LEARNING = "What it learns"
TALKING = "Talking"
KEEPING = "Keeping it safe"
SETTING_UP = "Setting up"

app = Typer(
    name="learnctl",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print_line(f"learnctl {version('learnctl-llm')}")
        except PackageNotFoundError:  # run from a checkout that is not installed
            print_line("learnctl (not installed)")
        raise Exit


@app.callback()
def learnctl(
    ctx: Context,
    home: Annotated[
        str | None,
        Option(
            metavar="FOLDER",
            help="Where the store and the versions lie; else LEARNCTL_HOME, else the usual place.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, Option("--debug", help="Show where in the code a fault arose.")] = False,
    version: Annotated[
        bool,
        Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """A local language model that learns from your documents and chats at night."""
    if (
        home == ""
    ):  # such as of a variable that is not set; as a path it would be the folder one is in
        raise BadParameter("--home is empty")
    ctx.obj = Settings(None if home is None else Path(home))


for panel, functions in {
    MEMORY: (
        ingest.ingest,
        status.status,
        sources.sources,
        show.show,
        search.search,
        knows.knows,
        forget.forget,
        trust.trust,
    ),
    TALKING: (chat.chat, ask.ask, compare.compare),
    LEARNING: (
        consolidate.consolidate,
        history.history,
        report.report,
        diff.diff,
        evaluate.evaluate,
        rollback.rollback,
    ),
    KEEPING: (check.check, backup.backup, restore.restore, export.export, prune.prune),
    SETTING_UP: (init.init, doctor.doctor),
}.items():
    for function in functions:
        app.command(cls=Command, rich_help_panel=panel)(function)
app.add_typer(chats.app, name="chats", rich_help_panel=TALKING)
app.add_typer(daemon.app, name="daemon", rich_help_panel=TALKING)
app.add_typer(schedule.app, name="schedule", rich_help_panel=LEARNING)
app.add_typer(model.app, name="model", rich_help_panel=SETTING_UP)
app.add_typer(config.app, name="config", rich_help_panel=SETTING_UP)


def main() -> None:
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot show must not end a command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    app()


def _open_what_is_closed() -> None:
    """Streams that a shell closed (`>&-`) lead nowhere. Else the next file that is opened would be in their place,
    and what a library prints would be written into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
