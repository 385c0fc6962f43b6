"""A clock that is set while programs run under it: libfaketime reads from a file how far it is ahead of the machine's."""

import os
import time
from datetime import datetime
from pathlib import Path

FILE = "FAKETIME_TIMESTAMP_FILE"


def variables(root: Path, file: Path) -> dict[str, str]:
    """What a program's environment needs so that it runs under a clock.

    Args:
        root: where libfaketime lies as under `/`.
    """
    library = next(root.glob("usr/lib/*/faketime/libfaketime.so.1"))
    return {"LD_PRELOAD": str(library), FILE: str(file), "FAKETIME_NO_CACHE": "1"}


def ours() -> Path | None:
    """The file of the clock that this very program runs under."""
    return Path(os.environ[FILE]) if FILE in os.environ else None


def turn(file: Path, moment: str) -> None:
    """Set the clock of a file to a moment, such as `2026-03-01 02:59:58`, from which it goes on. What programs measure
    durations with jumps along.
    """
    ahead = datetime.fromisoformat(moment).timestamp() - time.time()
    if file == ours():  # `time` is this clock's
        ahead += float(file.read_text())
    scratch = file.with_suffix(".new")
    scratch.write_text(f"{ahead:+.3f}\n")
    scratch.replace(file)
