"""What a night on small personal notes teaches, by recipe: questions right, divergence, cost.

    python -m benchmarks.notes [--arm NAME ...] [--set option=value ...] [--nights] [--json]

Trains on `benchmarks/data/tuning_notes`, which exists for tuning and is shown nowhere else, and asks its
36 questions, whose wordings are never trained on. Each arm is a fresh store; results are kept in
`benchmarks/results/notes.jsonl` and an arm that is there is not run again.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.examine import examine, read_questions
from learnctl.trainer.options import KINDS, Options

HERE = Path(__file__).parent
NOTES = HERE / "data" / "tuning_notes"
RESULTS = HERE / "results" / "notes.jsonl"
ARMS: dict[str, dict[str, object]] = {
    "default": {},
    "deterministic": {"kinds": "complete,blank"},
    "questions": {"kinds": "question"},
}


def run(name: str, options: Options, by_night: bool) -> dict[str, object]:
    questions = read_questions(NOTES / "questions.jsonl")
    files = sorted(NOTES.glob("*.md")) + sorted(NOTES.glob("*.txt"))
    order = {row["source"]: row["night"] for row in questions}
    files.sort(key=lambda file: order[file.name])
    with tempfile.TemporaryDirectory() as folder, Store.open(Home(Path(folder)), True) as store:
        # A gate that lets everything pass: here the figures are the point.
        open_gate = replace(options, max_divergence=99, min_recall_gain=-1, max_recall_loss=1)
        nights = []
        for group in [[file] for file in files] if by_night else [files]:
            ingest(store, group)
            report = consolidate(store, open_gate)
            exam = examine(store, options, questions)
            right = {
                file.name: sum(
                    row["correct"] for row in exam["answers"] if row["source"] == file.name
                )
                for file in files
            }
            report.pop("losses")
            nights.append({"right": right, "all": exam["right"], **report})
        missed = [
            (row["question"], row["gold"][0], row["answer"])
            for row in exam["answers"]
            if not row["correct"]
        ]
    return {"arm": name, "options": asdict(options), "nights": nights, "missed": missed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arm", nargs="*", default=list(ARMS))
    parser.add_argument("--set", nargs="*", default=[], help="option=value for every arm")
    parser.add_argument("--nights", action="store_true", help="a night a file")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chosen = {pair.split("=")[0]: pair.split("=")[1] for pair in given.set}
    changes = {name: KINDS[name](value) for name, value in chosen.items()}
    RESULTS.parent.mkdir(exist_ok=True)
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    done = {json.loads(line)["arm"]: json.loads(line) for line in lines}
    for arm in given.arm:
        label = " ".join([arm, *given.set, *(["by night"] if given.nights else [])])
        if label not in done:
            options = replace(Options(base="embedded"), **(ARMS.get(arm, {}) | changes))
            done[label] = run(label, options, given.nights)
            with RESULTS.open("a") as file:
                file.write(json.dumps(done[label]) + "\n")
        if given.json:
            print(json.dumps(done[label]))
            continue
        for night in done[label]["nights"]:
            print(
                f"{label:40} right {night['all']:.3f} {night['right']} probes {night['recall']['new']}"
                f" divergence {night['divergence']} tokens/s {night['tokens_per_s']}"
                f" seconds {night['elapsed_s']} samples {night['samples']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
