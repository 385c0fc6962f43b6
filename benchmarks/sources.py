"""What is found in a folder of other people's documents and exports, as a table for docs/sources.md.

    python -m benchmarks.sources --data FOLDER [FOLDER ...]

Counts and names of files, no texts and no names of people. Files that begin with `_` are notes on
the data and are left out.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from learnctl.memory.ingest import look

_COLUMNS = ("format", "file", "documents", "conversations", "messages", "speakers", "first", "last")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FOLDER")
    folders: list[Path] = parser.parse_args().data
    print(_line((*_COLUMNS, "refused or passed over, and why")))
    print(_line(["---"] * (len(_COLUMNS) + 1)))
    for folder in folders:
        for row in rows(folder):
            print(_line(row))


def rows(folder: Path) -> Iterator[list[str]]:
    """A row for each file below a folder, by format and name; what was not taken comes last."""
    report = look([folder])
    found = [_taken(file, folder) for file in report.files]
    for entry in report.refused + report.skipped:
        row = ["–", _name(entry["path"], folder), *[""] * (len(_COLUMNS) - 2), entry["reason"]]
        found.append(row)
    for row in sorted(found, key=lambda row: (row[0] == "–", row)):
        if not Path(row[1]).name.startswith("_"):
            yield row


def _taken(file: dict[str, Any], folder: Path) -> list[str]:
    return [
        file["format"],
        _name(file["path"], folder),
        *(str(file[noun] or "") for noun in ("documents", "conversations", "messages")),
        str(len(file["speakers"]) or ""),
        *((file[end] or "")[:10] for end in ("first", "last")),
        "",
    ]


def _name(path: str, folder: Path) -> str:
    return os.path.relpath(path, folder.absolute().parent)


def _line(cells: Any) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    main()
