"""docs/commands.md, made of the help texts: `python -m learnctl.cli.reference > docs/commands.md`."""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any

WIDTH = 100
HEAD = """# Commands

Made of the help texts by `python -m learnctl.cli.reference > docs/commands.md`; a test keeps it true.

What a script sees is JSON on stdout with `--json`, what is told on stderr, and one of these exit codes:

| code | |
|---|---|
| 0 | done; of `consolidate`: a version was put in service |
| 1 | it could not be done, and a line says why; of `check` and `doctor`: something is not as it should be |
| 2 | the command line is wrong |
| 3 | `ingest`: some of it was not taken in; the rest was |
| 4 | `consolidate`: the gate refused what was trained |
| 5 | `consolidate`: there is nothing new to learn |
| 10 | there is no store yet |
| 11 | another consolidation is at work |
| 75 | `consolidate`: the time was over, or it gave way; the next one goes on there |
| 130 | interrupted; what was done is kept |
"""


def reference() -> str:
    """The whole document. Sets the width of this process: run it in one of its own."""
    os.environ["COLUMNS"] = str(WIDTH)
    from typer.main import get_command

    from .app import app

    command = get_command(app)
    parts = [HEAD]
    for path in _paths(command, []):
        title = " ".join(["learnctl", *path])
        parts.append(f"## {title}\n\n```text\n{_help(command, path)}\n```\n")
    return "\n".join(parts)


def _paths(command: Any, path: list[str]) -> Iterator[list[str]]:
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from _paths(below, [*path, name])


def _help(command: Any, path: list[str]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as caught:
        command.main([*path, "--help"], prog_name="learnctl", standalone_mode=False)
    return "\n".join(line.rstrip() for line in caught.getvalue().strip().splitlines())


if __name__ == "__main__":
    print(reference(), end="")
