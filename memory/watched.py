"""Folders that are looked through again before every consolidation."""

import os
from collections.abc import Iterable
from pathlib import Path

from .errors import LearnctlError
from .ingest import IngestReport, OnFile, ingest
from .store import Record, Store, now

ABSENT = "watched, and not there now: all of it stays"


def watch(store: Store, paths: Iterable[Path]) -> None:
    """Remember some folders.

    Raises:
        LearnctlError: one of them is no folder; none is remembered.
    """
    folders = [_absolute(path) for path in paths]
    for folder in folders:
        if not os.path.isdir(folder):
            raise LearnctlError(f"{folder} is no folder, and only folders are watched")
    with store.db.atomic():
        for folder in folders:
            record = {"path": folder, "since": now()}
            store.db.table("watched").insert(record, ignore=True)


def unwatch(store: Store, paths: Iterable[Path]) -> None:
    """Forget that some folders are watched; what was taken in from them stays.

    Raises:
        LearnctlError: one of them was not.
    """
    with store.db.atomic():
        for folder in map(_absolute, paths):
            if not store.db.execute("DELETE FROM watched WHERE path = ?", [folder]).rowcount:
                raise LearnctlError(
                    f"{folder} is not watched", hint="`learnctl sources --watched` lists what is"
                )


def watched(store: Store) -> list[Record]:
    """The watched folders: `path`, `since`, `trust` and `learn` where something was said of them (`manner`),
    and whether each is `there` now."""
    rows = store.rows("SELECT path, since, trust, learn FROM watched ORDER BY path")
    return [{**row, "there": os.path.isdir(row["path"])} for row in rows]


def take_in_watched(store: Store, on_file: OnFile = lambda path, done, total: None) -> IngestReport:
    """Take in what is new or changed in the watched folders; one that is away is said and passed over.
    What was forgotten by name stays out."""
    folders = watched(store)
    there = [Path(row["path"]) for row in folders if row["there"]]
    report = ingest(store, there, on_file, forgotten_too=False)
    report.skipped += [
        {"path": row["path"], "reason": ABSENT} for row in folders if not row["there"]
    ]
    return report


def not_taken_in(report: IngestReport) -> list[Record]:
    """What there is to tell of an ingest: `path` and `reason` of what was refused, and of what was away."""
    return report.refused + [entry for entry in report.skipped if entry["reason"] == ABSENT]


def _absolute(path: Path) -> str:
    return os.path.abspath(path.expanduser())
