"""The one place where faults become a line on stderr and an exit code."""

import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Any

from typer import Abort, Exit
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from ..memory.errors import LearnctlError
from .output import plain, say
from .output import show as print_line
from .plain_help import PlainHelp
from .readable import readable_values

INTERRUPTED = 130


class Command(PlainHelp, TyperCommand):
    def __init__(self, *args: Any, help: str | None = None, **more: Any) -> None:
        super().__init__(*args, help=_flowing(help or ""), **more)

    def invoke(self, ctx: Any) -> Any:
        ctx.params = readable_values(ctx.params)
        return super().invoke(ctx)


class Group(PlainHelp, TyperGroup):
    """A group of commands that shows every fault as one line; used for the outermost one."""

    debug = False
    home: str | None = None

    def invoke(self, ctx: Any) -> Any:
        self.debug = bool(ctx.params.get("debug", self.debug))
        self.home = ctx.params.get("home", self.home)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("interrupted")
            raise Exit(INTERRUPTED) from None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        def run() -> Any:
            return whole(args, prog_name, complete_var, False, windows_expand_args, **extra)

        whole = super().main
        return sys.exit(self._guarded(run)) if standalone_mode else run()

    def _guarded(self, run: Callable[[], Any]) -> int:
        """Run the command line; its exit code."""
        try:
            code = run()
            sys.stdout.flush()
            return code if isinstance(code, int) else 0
        except BrokenPipeError:
            _close_stdout()
            return 1
        except Exception as error:
            if self.debug:
                traceback.print_exc()
            return show(error, self.home)


def show(error: Exception, home: str | os.PathLike[str] | None = None) -> int:
    """Say what is wrong, in one line and perhaps a hint; the exit code that goes with it.

    Args:
        home: where `--home` named one, for the commands that a hint names.
    """
    if type(error).__name__ == "NoArgsIsHelpError":
        print_line(str(error))
        _say_first_steps()
        return 2
    message, hint, code = _explained(error)
    say(f"error: {plain(' '.join(message.split()))}")
    if hint:
        say(f"\nhint: {plain(_with_home(hint, home))}")
    if isinstance(error, OSError):
        _close_stdout()
    return code


def _with_home(hint: str, home: str | os.PathLike[str] | None) -> str:
    """The hint, its commands as they have to be given for that home."""
    if home is None:
        return hint
    given = f"`learnctl --home {shlex.quote(os.fspath(home))} "
    return re.sub(r"`learnctl (?![^`]*--help`)", lambda found: given, hint)


def _say_first_steps() -> None:
    """What to do first, where there is no store yet."""
    from ..memory.home import find_home

    if not find_home().database.exists():
        say("to begin: `learnctl init`, then `learnctl ingest PATH`, then `learnctl chat`")


def _explained(error: Exception) -> tuple[str, str, int]:
    """The message, the hint and the exit code of a fault."""
    import sqlite3

    if isinstance(error, LearnctlError):
        return str(error), error.hint, error.exit_code
    if isinstance(error, TyperException):
        message = error.format_message().strip().removesuffix(".")
        context = getattr(error, "ctx", None)
        hint = f"`{context.command_path} --help` shows how" if context else ""
        return message[:1].lower() + message[1:], hint, error.exit_code
    if isinstance(error, Abort):
        return "stopped before anything was done", "", 1
    if isinstance(error, sqlite3.Error):
        hint = "free some disk" if "full" in str(error) else "`learnctl doctor` looks for the cause"
        return f"the store cannot be used: {error}", hint, 1
    if isinstance(error, OSError):
        reason = (error.strerror or str(error)).lower()
        return f"{error.filename}: {reason}" if error.filename else reason, "", 1
    if isinstance(error, OverflowError):
        return "a number that is too large", "", 1
    if isinstance(error, MemoryError):
        return "out of memory", "close other programs, or choose a smaller base model", 1
    return f"{type(error).__name__}: {error}", "`learnctl --debug …` shows where it happened", 1


def _close_stdout() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, instead of failing again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _flowing(text: str) -> str:
    """A help text whose paragraphs are one line each; what is indented, and items of a list, keep theirs."""
    return re.sub(r"(?<=\S)\n(?=[^\s*-])", " ", cleandoc(text))
