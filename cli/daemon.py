"""`learnctl daemon`: keeps the model loaded between questions."""

import signal
import subprocess
import sys
import time
from typing import Annotated

from typer import Context, Option, Typer

from ..memory.errors import LearnctlError, Locked
from . import flags
from .context import find_home
from .durations import duration, parse_duration
from .errors import Command, Group
from .job import program
from .output import counted, say, show, show_json
from .talking import version_name, waiting

START_S = 60.0

app = Typer(
    cls=Group, no_args_is_help=True, help="Keep the model loaded, so that `ask` answers at once."
)


UnloadAfter = Annotated[
    str,
    Option(metavar="TIME", help="Let go of the model when nothing was asked for this long."),
]


@app.command(cls=Command)
def start(ctx: Context, unload_after: UnloadAfter = "15m") -> None:
    """Start a daemon in the background; `ask` uses it from then on.

    The model is loaded at the first question, and let go of when nothing is asked for a while or a
    consolidation begins. A new version is taken up at the next question.

    Examples:

      learnctl daemon start

      learnctl daemon start --unload-after 1h
    """
    from ..trainer import warm

    home = find_home(ctx)
    parse_duration(unload_after)
    home.make()
    if warm.is_served(home):
        raise Locked(f"a daemon serves {home.path} already")
    home.daemon_log.unlink(missing_ok=True)
    home.daemon_log.touch(mode=0o600)
    command = [
        *program(),
        "--home",
        str(home.path),
        "daemon",
        "run",
        "--unload-after",
        unload_after,
    ]
    with home.daemon_log.open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    with waiting("starting"):
        until = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < until:
            try:
                found = warm.ask(home, "status")
            except warm.NoDaemon:
                time.sleep(0.05)
                continue
            if found["pid"] == process.pid:
                process.returncode = 0  # it outlives this process, which need not wait for it
                show(f"started: process {process.pid}")
                return
            time.sleep(0.05)
    said = home.daemon_log.read_text(errors="replace").strip().splitlines()
    raise LearnctlError(said[0].removeprefix("error: ") if said else "the daemon did not start")


@app.command(cls=Command)
def run(ctx: Context, unload_after: UnloadAfter = "15m") -> None:
    """Be the daemon, in the foreground, until Ctrl-C or `learnctl daemon stop`."""
    from ..trainer.daemon import Daemon

    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    Daemon(find_home(ctx), parse_duration(unload_after)).run()


@app.command(cls=Command)
def stop(ctx: Context) -> None:
    """Stop the daemon; it finishes the answer that it is giving."""
    from ..trainer import warm

    try:
        warm.ask(find_home(ctx), "stop")
    except warm.NoDaemon:
        say("no daemon is at work")
        return
    show("stopped")


@app.command(cls=Command)
def status(ctx: Context, as_json: flags.Json = False) -> None:
    """Show whether a daemon is at work, and what it holds."""
    from ..trainer import warm

    try:
        found = warm.ask(find_home(ctx), "status")
    except warm.NoDaemon:
        if as_json:
            show_json(None)
        else:
            show("no daemon is at work")
            say("hint: `learnctl daemon start` keeps the model loaded between questions")
        return
    found.pop("done")
    if as_json:
        show_json(found)
        return
    show(f"process {found['pid']}, {counted(found['answers'], 'answer')} so far")
    if found["version"] is None:
        show("no model is loaded; the next question loads it")
    else:
        show(f"loaded: {version_name(found['version'])} on {found['base']}")
        left = max(0.0, found["unload_after_s"] - found["idle_s"])
        show(f"let go of in {duration(left)} if nothing is asked")
