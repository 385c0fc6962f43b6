"""Does the gate tell good runs from bad ones?

    python -m benchmarks.gate [--good 10] [--bad 10] [--json]
    python -m benchmarks.gate --paragraphs 2 [--good 6] [--bad 6]     (small nights)

Every run is a second night: one tuning note is learned before, once, another one is new. Good runs differ by seed.
Bad ones are planted: answers shuffled among the questions, ten times the learning rate, no rehearsal. With `--paragraphs`
every run is a first night on so many paragraphs of a tuning note, the next ones for each seed, and the bad ones are shuffled.
Each trains, measures and judges as a real night does, with all that is shipped. Results are kept in
`benchmarks/results/gate.jsonl`, the first night beside them; a run that is there is not made again.
"""

import argparse
import json
import random
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from learnctl.memory.errors import LearnctlError
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store, marks
from learnctl.trainer import base as bases
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import study_chunks

from .recall import OPEN_GATE
from .recipe import notes
from .results import FOLDER, Results, finished, label_of

EMBEDDED_RATE = 1e-3
FAULTS = ("shuffled answers", "ten times the learning rate", "no rehearsal")


def shuffle_answers(store: Store, seed: int) -> None:
    """Every question of the new note gets another one's answer. A cue would be drawn anew from its answer in every
    epoch and so be a good one again: it is made a question, whose wording stays."""
    kinds = Options().kinds.split(",")
    rows = store.rows(
        "SELECT id, answer FROM samples WHERE chunk_id IS NOT NULL"
        f" AND kind IN ({marks(kinds)}) AND id NOT IN (SELECT sample_id FROM run_samples) ORDER BY id",
        *kinds,
    )
    answers = [row["answer"] for row in rows]
    random.Random(seed).shuffle(answers)
    with store.db.atomic():
        for row, answer in zip(rows, answers, strict=True):
            store.db.execute(
                "UPDATE samples SET answer = ?, kind = iif(kind = 'cue', 'question', kind) WHERE id = ?",
                [answer, row["id"]],
            )


def first_night(home: Path, options: Options) -> None:
    """A store that has learned the first note and studied the second, where it is not there yet."""
    if (home / "ready").exists():
        return
    shutil.rmtree(home, ignore_errors=True)
    nights = notes()[0]
    with Store.open(Home(home), create=True) as store:
        ingest(store, nights[0])
        if consolidate(store, replace(options, **OPEN_GATE)).get("decision") != "promoted":
            raise SystemExit("the first night did not come to its end")
        ingest(store, nights[-1])
        base = bases.load("embedded")
        study_chunks(store, base, studied_chunks(store), options.questions_per_fact, 0)
    (home / "ready").touch()


def judge(studied: Path, fault: str, seed: int, options: Options) -> dict[str, Any]:
    """One run on a copy of the studied store, and what the gate said of it."""
    first_night(studied, options)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(studied, folder, dirs_exist_ok=True)
        with Store.open(Home(Path(folder))) as store:
            return _judged(store, fault, seed, options)


def judge_small(n_paragraphs: int, fault: str, seed: int, options: Options) -> dict[str, Any]:
    """A first night on a few paragraphs of a tuning note, and what the gate said of it."""
    notes_in_turn = [night[0] for night in notes()[0]]
    paragraphs = notes_in_turn[seed % len(notes_in_turn)].read_text().split("\n\n")[1:]
    first = seed // len(notes_in_turn) % (len(paragraphs) - n_paragraphs + 1)
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "note.txt"
        note.write_text("\n\n".join(paragraphs[first : first + n_paragraphs]))
        with Store.open(Home(Path(folder) / "home"), create=True) as store:
            ingest(store, [note])
            base = bases.load("embedded")
            study_chunks(store, base, studied_chunks(store), options.questions_per_fact, 0)
            return _judged(store, fault, seed, options)


def _judged(store: Store, fault: str, seed: int, options: Options) -> dict[str, Any]:
    """The night of a store in which all is studied, with a fault planted."""
    options = replace(options, seed=seed)
    if fault == "shuffled answers":
        shuffle_answers(store, seed)
    if fault == "ten times the learning rate":
        options = replace(options, learning_rate=10 * EMBEDDED_RATE)
    if fault == "no rehearsal":
        options = replace(options, general_rows=0, replay_share=0.0)
    try:
        report = finished(consolidate(store, options))
    except LearnctlError as error:  # weights that went wrong are refused before the gate
        report = {"decision": "refused", "reason": str(error), "recall": None}
    said = store.rows(
        "SELECT e.stage, p.question, p.gold, e.correct, e.answer FROM evaluations e"
        " JOIN probes p ON p.id = e.probe_id WHERE e.form = 'direct'"
        " AND e.run_id = (SELECT max(id) FROM runs) ORDER BY e.stage, p.id"
    )
    kept = ("decision", "reason", "recall", "association", "divergence", "elapsed_s")
    found = {name: report.get(name) for name in kept}
    return {"fault": fault, "seed": seed, **found, "said": said}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--good", type=int, default=10)
    parser.add_argument("--bad", type=int, default=10)
    parser.add_argument("--paragraphs", type=int, choices=(1, 2, 3), help="small first nights")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    options = Options(base="embedded")
    results = Results("gate")
    faults = FAULTS[:1] if given.paragraphs else FAULTS
    what = [f"{given.paragraphs} paragraphs"] if given.paragraphs else []
    studied = FOLDER / label_of(options, "gate-first-night").replace(" ", "-")
    wanted = [("none", seed) for seed in range(given.good)]
    wanted += [(faults[number % len(faults)], number) for number in range(given.bad)]
    # Good and bad in turn, so that a table cut short still holds both.
    wanted.sort(key=lambda one: one[1])
    rows = []
    for fault, seed in wanted:
        if given.paragraphs:
            make = partial(judge_small, given.paragraphs, fault, seed, options)
        else:
            make = partial(judge, studied, fault, seed, options)
        row = results.get(label_of(options, *what, fault, seed), make)
        rows.append(row)
        if given.json:
            print(json.dumps(row), flush=True)
        else:
            print(f"{fault:28} {seed:2} {row['decision']:9} {row['reason']}", flush=True)
    good = [row for row in rows if row["fault"] == "none"]
    bad = [row for row in rows if row["fault"] != "none"]
    if not given.json:
        print(f"promoted {sum(r['decision'] == 'promoted' for r in good)} of {len(good)} good runs")
        print(f"refused {sum(r['decision'] == 'refused' for r in bad)} of {len(bad)} bad runs")


if __name__ == "__main__":
    main()
