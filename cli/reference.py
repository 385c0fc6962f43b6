"""docs/commands.md, made of the help texts: `python -m learnctl.cli.reference > docs/commands.md`."""

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any

WIDTH = 100
HEAD = """# Commands

Made of the help texts by `python -m learnctl.cli.reference > docs/commands.md`; a test keeps it true.
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
