"""What is found in other people's documents and exports, as the table in docs/sources.md.

    python -m benchmarks.sources --data FOLDER

Counts and names of files, no texts and no names of people. Files of one form in one folder are one row where
they are many. Files that begin with `_` are notes on the data and are left out.
"""

import argparse
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from learnctl.memory.ingest import look

# In the folder of data, what is there to be read as people's files are.
FOLDERS = ("chat_exports", "documents", "emails", "ubuntu_irc")
MANY = 6
_NOT_TAKEN = "–"
_NOUNS = ("documents", "conversations", "messages")
_COLUMNS = ("format", "file", *_NOUNS, "speakers", "first", "last")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    print("\n".join(table(parser.parse_args().data)))


def table(data: Path) -> Iterator[str]:
    """The lines of the table: by format and name; what was not taken comes last."""
    yield _line((*_COLUMNS, "refused or passed over, and why"))
    yield _line(["---"] * (len(_COLUMNS) + 1))
    report = look([data / folder for folder in FOLDERS])
    left = [{"format": _NOT_TAKEN, **entry} for entry in report.refused + report.skipped]
    found = [file for file in report.files + left if not Path(file["path"]).name.startswith("_")]
    for group in _groups(sorted(found, key=_place)):
        yield _line(_row(group, data))


def _place(file: dict[str, Any]) -> tuple[Any, ...]:
    path = Path(file["path"])
    return (
        file["format"] == _NOT_TAKEN,
        file["format"],
        str(path.parent),
        file.get("reason", ""),
        path,
    )


def _groups(files: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Each file alone, or the many of one form in one folder."""
    for _, together in groupby(files, key=lambda file: _place(file)[:-1]):
        group = list(together)
        yield from [group] if len(group) >= MANY else ([file] for file in group)


def _row(group: list[dict[str, Any]], data: Path) -> list[str]:
    name = os.path.relpath(group[0]["path"], data.absolute())
    if len(group) > 1:
        name = f"{len(group)} files in {os.path.dirname(name)}"
    dates = sorted(
        date[:10] for file in group for end in ("first", "last") if (date := file.get(end))
    )
    speakers = {speaker for file in group for speaker in file.get("speakers", ())}
    return [
        group[0]["format"],
        name,
        *(str(sum(file.get(noun, 0) for file in group) or "") for noun in _NOUNS),
        str(len(speakers) or ""),
        *(dates[:1] or [""]),
        *(dates[-1:] or [""]),
        group[0].get("reason", ""),
    ]


def _line(cells: Any) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main()
