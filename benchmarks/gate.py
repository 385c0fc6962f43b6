"""Does the gate tell good runs from bad ones?

    python -m benchmarks.gate [--good 10] [--bad 10] [--json]

Every run is a second night: one tuning note is learned before, once, another one is new. Good runs differ by seed.
Bad ones are planted: answers shuffled among the questions, ten times the learning rate, no rehearsal. Each trains,
measures and judges as a real night does, with all that is shipped. Results are kept in
`benchmarks/results/gate.jsonl`, the first night beside them; a run that is there is not made again.
"""

import argparse
import json
import random
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer import base as bases
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import study_chunks

from .recipe import OPEN_GATE, notes

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "gate.jsonl"
FAULTS = ("shuffled answers", "ten times the learning rate", "no rehearsal")


def shuffle_answers(store: Store, seed: int) -> None:
    rows = store.rows(
        "SELECT id, answer FROM samples WHERE chunk_id IS NOT NULL"
        " AND id NOT IN (SELECT sample_id FROM run_samples) ORDER BY id"
    )
    answers = [row["answer"] for row in rows]
    random.Random(seed).shuffle(answers)
    with store.db.atomic():
        for row, answer in zip(rows, answers, strict=True):
            store.db.execute("UPDATE samples SET answer = ? WHERE id = ?", [answer, row["id"]])


def first_night(home: Path) -> None:
    """A store that has learned the first note and studied the second."""
    nights = notes()[0]
    with Store.open(Home(home), create=True) as store:
        options = Options(base="embedded")
        ingest(store, nights[0])
        consolidate(store, replace(options, **OPEN_GATE))
        ingest(store, nights[-1])
        base = bases.load("embedded")
        study_chunks(store, base, studied_chunks(store), options.questions_per_fact, 0)


def judge(studied: Path, fault: str, seed: int, options: Options) -> dict[str, Any]:
    """One run on a copy of the studied store, and what the gate said of it."""
    options = replace(options, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(studied, folder, dirs_exist_ok=True)
        with Store.open(Home(Path(folder))) as store:
            if fault == "shuffled answers":
                shuffle_answers(store, seed)
            if fault == "ten times the learning rate":
                options = replace(options, learning_rate=10 * options.learning_rate)
            if fault == "no rehearsal":
                options = replace(options, general_rows=0, replay_share=0.0)
            try:
                report = consolidate(store, options)
            except Exception as error:  # a run whose weights went wrong is refused before the gate
                report = {"decision": "refused", "reason": str(error), "recall": None}
    kept = ("decision", "reason", "recall", "divergence", "elapsed_s")
    return {"fault": fault, "seed": seed, **{name: report.get(name) for name in kept}}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--good", type=int, default=10)
    parser.add_argument("--bad", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    options = Options(base="embedded")
    RESULTS.parent.mkdir(exist_ok=True)
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    done = {(row["fault"], row["seed"]): row for row in map(json.loads, lines)}
    wanted = [("none", seed) for seed in range(given.good)]
    wanted += [(FAULTS[number % len(FAULTS)], number) for number in range(given.bad)]
    # Good and bad in turn, so that a table cut short still holds both.
    wanted.sort(key=lambda one: one[1])
    studied = RESULTS.with_name("gate-first-night")
    if any(one not in done for one in wanted) and not (studied / "ready").exists():
        shutil.rmtree(studied, ignore_errors=True)
        first_night(studied)
        (studied / "ready").touch()
    for fault, seed in wanted:
        if (fault, seed) not in done:
            done[fault, seed] = judge(studied, fault, seed, options)
            with RESULTS.open("a") as file:
                file.write(json.dumps(done[fault, seed]) + "\n")
        row = done[fault, seed]
        if given.json:
            print(json.dumps(row), flush=True)
        else:
            print(f"{fault:28} {seed:2} {row['decision']:9} {row['reason']}", flush=True)
    good = [done[one] for one in wanted if one[0] == "none"]
    bad = [done[one] for one in wanted if one[0] != "none"]
    if not given.json:
        print(f"promoted {sum(r['decision'] == 'promoted' for r in good)} of {len(good)} good runs")
        print(f"refused {sum(r['decision'] == 'refused' for r in bad)} of {len(bad)} bad runs")


if __name__ == "__main__":
    main()
