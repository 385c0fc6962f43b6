"""What a night teaches, by recipe: questions right, divergence, cost.

    python -m benchmarks.recipe [--arm NAME ...] [--set option=value ...] [--nights] [--json]
    python -m benchmarks.recipe --data FOLDER [--passages 10]      (SQuAD passages instead of the notes)

Trains on `benchmarks/data/tuning_notes`, which exists for tuning and is shown nowhere else, or on passages
of the tuning articles of `FOLDER/squad`, and asks their questions, whose wordings are never trained on. Asks also
which of the everyday questions that the base answers are still answered. With `--given`, what `ask` gives in the end is set beside the greedy
answers, from the weights alone and with what search finds; also to the facts asked in other words (*reworded*) and to what is in no note (*absent*:
of other things, *near*: of things that are in them).
Each arm is a fresh store; results are kept in `benchmarks/results/recipe.jsonl` and an arm that is there is
not run again.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.examine import examine, read_questions
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import hold_out
from learnctl.trainer.talk import Talker

from .exam import Question, abstains, as_given, ask, closed, retrieved, right
from .recall import OPEN_GATE, choose_passages
from .results import Results, finished, label_of
from .settings import add_set, changes

HERE = Path(__file__).parent
NOTES = HERE / "data" / "tuning_notes"
EVERYDAY = HERE / "data" / "tuning_everyday.jsonl"
ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "deterministic": {"kinds": "cue,complete,blank"},
    "questions": {"kinds": "question"},
    "complete and blank too": {"kinds": "question,cue,complete,blank,absent"},
    "no replay": {"replay_share": 0.0},
    "no rehearsal": {"replay_share": 0.0, "general_rows": 0},
}

Questions = list[dict[str, Any]]


def notes() -> tuple[list[list[Path]], Questions]:
    """The tuning notes, a file a night, and their questions."""
    questions = read_questions(NOTES / "questions.jsonl")
    files = dict.fromkeys(row["source"] for row in sorted(questions, key=lambda q: q["night"]))
    return [[NOTES / name] for name in files], questions


def squad(folder: Path, data: Path, n_passages: int) -> tuple[list[list[Path]], Questions]:
    """Passages of the tuning articles, as `benchmarks.recall` chooses them, as files, with their questions."""
    files, questions = [], []
    for index, passage in enumerate(choose_passages(data, "tune", n_passages)):
        file = folder / f"{index:02}.md"
        file.write_text(f"# {passage['title']}\n\n{passage['context']}\n")
        files.append(file)
        for row in passage["questions"]:
            questions.append(
                {"source": file.name, "question": row["question"], "gold": [row["answer"]]}
            )
    return [files], questions


def ask_both_ways(store: Store, options: Options, sets: dict[str, Questions]) -> dict[str, Any]:
    """By set, form and manner (greedy, as given) how many answers are right, and how many only say that it is not known."""
    talker = Talker.open(store, options)
    found: dict[str, Any] = {}
    for name, rows in sets.items():
        asked = [Question(row["question"], tuple(row["gold"])) for row in rows]
        for form in ("closed", "retrieval"):
            is_looked_up = form == "retrieval"
            greedy = ask(talker, asked, retrieved(store) if is_looked_up else closed)
            given = as_given(store, talker, asked, greedy, is_looked_up)
            for manner, said in (("greedy", greedy), ("given", given)):
                found[f"{name}, {form}, {manner}"] = {
                    "n": len(asked),
                    "right": sum(right(asked, said)),
                    "unknown": sum(map(abstains, said)),
                }
    return found


def run(
    name: str,
    options: Options,
    nights: list[list[Path]],
    questions: Questions,
    asked_as_given: bool = False,
) -> dict[str, Any]:
    measured = []
    everyday = read_questions(EVERYDAY)
    asked_about = {
        name: read_questions(NOTES / f"{name}.jsonl") for name in ("reworded", "absent", "near")
    }
    with tempfile.TemporaryDirectory() as folder, Store.open(Home(Path(folder)), True) as store:
        everyday = [
            row for row in examine(store, options, everyday, 0)["answers"] if row["correct"]
        ]
        # Before anything is studied: a night must not be trained on the words it is examined in.
        # Every one of them: what is asked to see that it is not known must not be taught as a stranger's.
        rows = [*questions, *(row for some in asked_about.values() for row in some)]
        hold_out(store, [row["question"] for row in rows])
        for files in nights:
            ingest(store, files)
            report = finished(consolidate(store, options))
            exam = examine(store, options, questions)
            by_source: dict[str, int] = {}
            for row in exam["answers"]:
                by_source[row["source"]] = by_source.get(row["source"], 0) + row["correct"]
            report["losses"] = report["losses"][-8:]
            kept = examine(store, options, everyday)
            measured.append(
                {
                    "right": by_source,
                    "all": exam["right"],
                    "n": exam["n"],
                    "everyday": sum(row["correct"] for row in kept["answers"]),
                    "n_everyday": len(everyday),
                    "everyday_lost": [
                        (row["question"], row["answer"])
                        for row in kept["answers"]
                        if not row["correct"]
                    ],
                    **report,
                }
            )
        missed = [
            (row["question"], row["gold"][0], row["answer"])
            for row in exam["answers"]
            if not row["correct"]
        ]
        sets = {"notes": questions, "everyday": everyday, **asked_about}
        given = ask_both_ways(store, options, sets) if asked_as_given else {}
    told = {"arm": name, "options": asdict(options), "nights": measured, "missed": missed}
    return told | {"given": given}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--arm", nargs="*", default=list(ARMS))
    add_set(parser)
    parser.add_argument("--nights", action="store_true", help="a night a file, not one for all")
    parser.add_argument(
        "--data", type=Path, help="a folder with squad/ in it, instead of the notes"
    )
    parser.add_argument("--passages", type=int, default=10)
    parser.add_argument("--base", default="embedded")
    parser.add_argument("--given", action="store_true", help="ask as `ask` answers, too")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.data and given.given:
        parser.error("--given goes with the notes: what is in none of them is asked about, too")
    material = f"squad tune {given.passages}" if given.data else "notes"
    results = Results("recipe")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        nights, questions = squad(folder, given.data, given.passages) if given.data else notes()
        if not given.nights:
            nights = [[file for files in nights for file in files]]
        for arm in given.arm:
            asked_as = ["by night"] * given.nights + ["given"] * given.given
            name = " ".join([material, arm, *given.set, *asked_as])
            options = replace(
                Options(base=given.base), **(OPEN_GATE | ARMS[arm] | changes(given.set))
            )
            make = partial(run, name, options, nights, questions, given.given)
            row = results.get(label_of(options, given.base, name), make)
            if given.json:
                print(json.dumps(row), flush=True)
                continue
            for night in row["nights"]:
                print(
                    f"{name}: right {night['all']:.3f} of {night['n']},"
                    f" probes {night['recall']['new']}, old {night['recall']['old']},"
                    f" everyday {night['everyday']} of {night['n_everyday']},"
                    f" divergence {night['divergence']}, {night['tokens_per_s']} tokens/s,"
                    f" {night['elapsed_s']} s, samples {night['samples']}, by source {night['right']}",
                    flush=True,
                )
            for what, found in row.get("given", {}).items():
                print(
                    f"{name}: {what:26} right {found['right']}, not known {found['unknown']}, of {found['n']}"
                )


if __name__ == "__main__":
    main()
