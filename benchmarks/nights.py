"""Night after night: what is known of each after every other, what it costs, and against what.

    python -m benchmarks.nights [--nights 20] [--facts 10] [--wordings 6] [--arm NAME ...] [--json]
    python -m benchmarks.nights --data FOLDER [--nights 8] [--passages 12] [--split tune|once]

Without `--data` the stream is of invented facts (`benchmarks/invented.py`); with it, of passages from
`FOLDER/squad`. After each night every question of all nights so far is asked, closed-book and greedy:
R[i, j] is the share of night j's questions right after night i. ACC is the mean of the last row, BWT the mean
change of the earlier nights since each was learned. Each night runs through `consolidate` as shipped, but for
the options of its arm and an open gate. Results stay in `benchmarks/results/nights.jsonl`, night by night.
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Record, Store
from learnctl.trainer import registry
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.examine import examine
from learnctl.trainer.matrix import summarise
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import hold_out

from .invented import nights as invented_nights
from .recall import OPEN_GATE, choose_passages
from .results import FOLDER, Results, label_of
from .settings import add_set, changes

# The options of an arm, and what else is special about it.
ARMS: dict[str, tuple[dict[str, Any], str]] = {
    "fast and slow": ({"fast": "anew"}, ""),
    "continued": ({"fast": "continue"}, ""),
    "continued, no replay": ({"fast": "continue", "replay_share": 0.0}, ""),
    "continued, 5% replay": ({"fast": "continue", "replay_share": 0.05}, ""),
    "continued, 10% replay": ({"fast": "continue", "replay_share": 0.10}, ""),
    "continued, 30% replay": ({"fast": "continue", "replay_share": 0.30}, ""),
    "continued, nothing rehearsed": (
        {"fast": "continue", "replay_share": 0.0, "general_rows": 0},
        "",
    ),
    "retrained": ({}, "retrain"),
    "joint": ({}, "joint"),
}

Questions = list[dict[str, Any]]


def invented(
    folder: Path, n_nights: int, n_facts: int, n_wordings: int
) -> list[tuple[Path, Questions]]:
    """A file a night, and its questions."""
    stream = []
    for number, night in enumerate(invented_nights(n_nights, n_facts)):
        file = folder / f"{number:02}.md"
        file.write_text(night.note)
        # The wordings go round over the facts, so that few of them still hold every kind.
        asked = [
            fact[(index + turn * 5) % len(fact)]
            for index, fact in enumerate(night.facts)
            for turn in range(n_wordings)
        ]
        stream.append(
            (
                file,
                [
                    {"night": number, "question": q.text, "gold": [q.gold], "wording": q.wording}
                    for q in dict.fromkeys(asked)
                ],
            )
        )
    return stream


def squad(
    folder: Path, data: Path, split: str, n_nights: int, n_passages: int
) -> list[tuple[Path, Questions]]:
    chosen = choose_passages(data, split, n_nights * n_passages)
    stream = []
    for number in range(n_nights):
        some = chosen[number * n_passages : (number + 1) * n_passages]
        place = folder / f"{number:02}"
        place.mkdir(exist_ok=True)
        for index, passage in enumerate(some):
            (place / f"{index:02}.md").write_text(f"# {passage['title']}\n\n{passage['context']}\n")
        asked = [
            {"night": number, "question": q["question"], "gold": [q["answer"]], "wording": 0}
            for passage in some
            for q in passage["questions"]
        ]
        stream.append((place, asked))
    return stream


def run_night(
    home: Path, stream: list[tuple[Path, Questions]], number: int, options: Options, special: str
) -> dict[str, Any]:
    """Take in one night's file, consolidate, and ask everything so far."""
    if number and not home.is_dir():
        raise SystemExit(
            f"the store that night {number} of {home.name} left was removed when its nights were done: remove"
            " the rows of that label from results/nights.jsonl to begin again, with as many nights as wanted"
        )
    with Store.open(Home(home), create=True) as store:
        ingest(store, [stream[number][0]])
        if special == "retrain":
            store.set_setting(registry.SLOW_DUE, "every night, in this arm")
        asked = [question for _, some in stream[: number + 1] for question in some]
        # Before anything is studied: a night must not be trained on the words it is examined in.
        hold_out(store, [question["question"] for question in asked])
        report = consolidate(store, options)
        exam = examine(store, options, asked)
    return {
        "cells": _shares(exam["answers"], number + 1),
        "wordings": _by_wording(exam["answers"]),
        **{key: report[key] for key in ("samples", "divergence", "elapsed_s", "level", "n_tokens")},
    }


def _shares(answers: list[Record], n_nights: int) -> list[float | None]:
    cells: list[float | None] = []
    for number in range(n_nights):
        right = [row["correct"] for row in answers if row["night"] == number]
        cells.append(sum(right) / len(right) if right else None)
    return cells


def _by_wording(answers: list[Record]) -> dict[str, list[int]]:
    """Right and asked, for questions in the direct form and in the reversed one."""
    found = {"direct": [0, 0], "reversed": [0, 0]}
    for row in answers:
        kind = found["reversed" if row["wording"] >= 4 else "direct"]
        kind[0] += row["correct"]
        kind[1] += 1
    return found


def matrix_of(rows: list[dict[str, Any]], n_nights: int) -> list[list[float | None]]:
    """R with a base row of nothing measured: of invented facts the base knows none."""
    lines: list[list[float | None]] = [[None] * n_nights]
    for row in rows:
        lines.append([*row["cells"], *[None] * (n_nights - len(row["cells"]))])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nights", type=int, default=None, help="20 invented ones, 8 of passages")
    parser.add_argument("--facts", type=int, default=10, help="invented facts a night")
    parser.add_argument("--wordings", type=int, default=6, help="questions asked of each fact")
    parser.add_argument("--data", type=Path, help="a folder with squad/ in it")
    parser.add_argument("--split", default="tune")
    parser.add_argument("--passages", type=int, default=12, help="passages a night")
    parser.add_argument("--arm", nargs="*", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--base", default="embedded")
    add_set(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.data and not (given.data / "squad" / "passages.json").exists():
        parser.exit(0, f"skipped: no squad/passages.json in {given.data}\n")
    n_nights = given.nights or (8 if given.data else 20)
    results = Results("nights")
    kind = f"squad {given.split} {given.passages}" if given.data else f"invented {given.facts}"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if given.data:
            stream = squad(folder, given.data, given.split, n_nights, given.passages)
        else:
            stream = invented(folder, n_nights, given.facts, given.wordings)
        for arm in given.arm:
            rows = _arm(arm, given, kind, stream, results)
            if given.json:
                for row in rows:
                    print(json.dumps(row), flush=True)
                continue
            _show(arm, rows, n_nights if ARMS[arm][1] != "joint" else 1)


def _arm(
    arm: str,
    given: argparse.Namespace,
    kind: str,
    stream: list[tuple[Path, Questions]],
    results: Results,
) -> list[dict[str, Any]]:
    own, special = ARMS[arm]
    options = replace(Options(base=given.base), **(OPEN_GATE | own | changes(given.set)))
    label = label_of(options, given.base, kind, given.wordings, arm, *given.set)
    # The store of an arm lies beside the results, so that a stopped arm goes on with its next night.
    home = FOLDER / "nights" / label.replace(" ", "_").replace(",", "").replace("%", "")
    if special == "joint":
        whole = stream[0][0].parent
        asked = [question for _, some in stream for question in some]
        stream = [(whole, asked)]
        label += f" {len(asked)}"
    rows = []
    for number in range(len(stream)):

        def make(night: int = number) -> dict[str, Any]:
            return {"arm": arm, "night": night, "options": asdict(options)} | run_night(
                home, stream, night, options, special
            )

        rows.append(results.get(f"{label} night {number}", make))
    # All its nights are rows now. They cannot be added to: see `run_night`.
    shutil.rmtree(home, ignore_errors=True)
    return rows


def _show(arm: str, rows: list[dict[str, Any]], n_nights: int) -> None:
    if len(rows) == 1:
        cells = [cell for cell in rows[0]["cells"] if cell is not None]
        print(f"{arm}: ACC {sum(cells) / max(1, len(cells)):.3f}, {_cost(rows)}")
        return
    found = summarise(matrix_of(rows, n_nights))
    print(
        f"{arm}: ACC {found.acc:.3f}, BWT {found.bwt:+.3f}, diagonal {found.diagonal:.3f}, {_cost(rows)}"
    )
    for row in rows:
        print("   " + " ".join("  . " if cell is None else f"{cell:.2f}" for cell in row["cells"]))


def _cost(rows: list[dict[str, Any]]) -> str:
    right, asked = rows[-1]["wordings"]["reversed"]
    seconds = sum(row["elapsed_s"] for row in rows)
    reverse = f", reversed {right / asked:.3f}" if asked else ""
    return f"divergence {rows[-1]['divergence']}{reverse}, {seconds:.0f} s"


if __name__ == "__main__":
    main()
