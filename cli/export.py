"""`learnctl export`: the store as JSON lines."""

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

from typer import Context, Option

from ..memory.errors import LearnctlError
from .context import open_store
from .output import say

if TYPE_CHECKING:
    from ..memory.store import Store


def export(
    ctx: Context,
    to: Annotated[
        str,
        Option(
            "--to",
            metavar="FOLDER|-",
            help="A folder, where each type gets a file of its own, or - for stdout.",
        ),
    ] = "-",
) -> None:
    """Write the store as JSON lines: sources, documents, conversations, samples, probes, runs, versions.

    Each line is one object with a `type`. Secrets stay the placeholders that they are in the store.

    Examples:

      learnctl export | jq 'select(.type == "conversation") | .title'

      learnctl export --to ~/learnctl-export
    """
    from ..memory.export import records

    with open_store(ctx) as store:
        if to != "-":
            _into(store, Path(to).expanduser())
            return
        for record in records(store):
            sys.stdout.write(json.dumps(record) + "\n")


def _into(store: "Store", folder: Path) -> None:
    from ..memory.export import TYPES, records
    from ..memory.home import private_folder

    try:
        if folder.exists() and any(folder.iterdir()):
            raise LearnctlError(f"{folder} is not empty", hint="give a new folder")
        private_folder(folder)
        with ExitStack() as stack:
            files = {name: stack.enter_context(_new(folder / f"{name}s.jsonl")) for name in TYPES}
            for record in records(store):
                files[record["type"]].write(json.dumps(record) + "\n")
    except OSError as error:
        raise LearnctlError(f"{folder} cannot be written: {error.strerror}") from error
    say(f"written to {folder}")


def _new(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
