"""Results of long runs as lines of JSON: what is there is not made again, so every benchmark resumes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnctl.memory.store import Store
from learnctl.trainer.options import Options

FOLDER = Path(__file__).parent / "results"

Row = dict[str, Any]


def label_of(options: Options, *parts: object) -> str:
    """What a row is known by: some words, and a digest of all options, so that one that was made with other
    settings or other defaults is not taken for it."""
    digest = hashlib.sha256(json.dumps(asdict(options), sort_keys=True).encode()).hexdigest()
    return " ".join([*map(str, parts), digest[:12]])


def digest_of(asked: object) -> str:
    """What was asked, in short: other data of the same form has rows of its own."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:8]


def finished(report: Row) -> Row:
    """The report of a night, which was not stopped on the way: half a night is no result."""
    if report["decision"] == "paused":
        raise SystemExit("paused; the same command goes on from the last result")
    return report


def last_report(store: Store) -> Row:
    """The report of the last run that has one."""
    last = "SELECT report FROM runs WHERE report IS NOT NULL ORDER BY id DESC LIMIT 1"
    report: Row = json.loads(store.value(last))
    return report


class Results:
    """One file of rows, each known by a label that says all it was made with."""

    def __init__(self, name: str) -> None:
        self.path = FOLDER / f"{name}.jsonl"
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self._done: dict[str, Row] = {
            row["label"]: row for row in map(json.loads, lines) if "label" in row
        }

    def get(self, label: str, make: Callable[[], Row]) -> Row:
        """The row of that label, made now where there is none."""
        if label not in self._done:
            self._done[label] = {"label": label, **make()}
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps(self._done[label]) + "\n")
        return self._done[label]
