"""How much of a few passages is known afterwards, by recipe, between a floor and a ceiling.

    python -m benchmarks.recall --data FOLDER [--split tune|once] [--passages 20] [--seeds 0 1]
        [--arm NAME ...] [--base embedded] [--set option=value ...] [--json]

`FOLDER/squad` holds `passages.json` and `splits.json`, and for the ready-made arms `synthetic_*.json`.
Passages of that split's articles are taken in turn, article by article, those with ready-made text first. Every arm is asked
the same questions, greedy. *right* is the share answered with the gold in the answer: from weights alone, and
with retrieval. *normalised* is (right − floor) / (ceiling − floor), where the ceiling is the base with the
right passage in its prompt; its interval takes these two as they are. All arms of our own samples are made of one study, which is
kept beside the results. Results stay in `benchmarks/results/recall.jsonl` and are not made again.
"""

import argparse
import hashlib
import json
import re
import shutil
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Store
from learnctl.trainer import adapter
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.facts import contains
from learnctl.trainer.intervals import share
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row, pack
from learnctl.trainer.progress import silent
from learnctl.trainer.stop import StopSignals
from learnctl.trainer.synthesize import Sample, hold_out, keep_samples, study_chunks
from learnctl.trainer.talk import Talker, passages
from learnctl.trainer.train import train

from . import results
from .exam import Question, as_given, ask, closed, f1, in_view, retrieved, right
from .results import Results, digest_of, finished, label_of
from .settings import add_set, changes

# Here the figures are the point: everything passes.
OPEN_GATE: dict[str, Any] = {
    "max_divergence": 99.0,
    "min_recall_gain": -1.0,
    "max_recall_loss": 1.0,
}
# Trained arms: the options that differ from the shipped defaults, and where the samples come from.
ARMS: dict[str, tuple[dict[str, Any], str]] = {
    "untrained": ({}, ""),
    "raw text": ({"epochs": 8}, "raw"),
    "raw text and rewrites": ({"epochs": 4}, "raw rewrite_base"),
    "raw text and implications": ({"epochs": 4}, "raw implications_base"),
    "ours": ({}, "own"),
    "ours, kl": ({"loss": "kl"}, "own"),
    "ours, kl+ce": ({"loss": "both"}, "own"),
    "deterministic": ({"kinds": "cue,complete,blank"}, "own"),
    "ready-made, ce": ({"loss": "ce", "kinds": "ready"}, "self_qa_base"),
    "ready-made, kl": ({"loss": "kl", "kinds": "ready"}, "self_qa_base"),
    "ready-made, kl+ce": ({"loss": "both", "kinds": "ready"}, "self_qa_base"),
    "ready-made and ours": ({"kinds": "question,cue,ready"}, "self_qa_base"),
}

Passage = dict[str, Any]


def choose_passages(data: Path, split: str, n_passages: int) -> list[Passage]:
    """Passages of the split's articles in turn; those that ready-made text exists for come first."""
    folder = data / "squad"
    titles = json.loads((folder / "splits.json").read_text())[split]
    ready = ready_made(data, "self_qa_base")
    every = json.loads((folder / "passages.json").read_text())
    every.sort(key=lambda passage: passage["context"] not in ready)
    of = {title: [p for p in every if p["title"] == title] for title in titles}
    turns = [
        of[title][turn]
        for turn in range(max(map(len, of.values()), default=0))
        for title in titles
        if turn < len(of[title])
    ]
    turns.sort(key=lambda passage: passage["context"] not in ready)
    return turns[:n_passages]


def ready_made(data: Path, name: str) -> dict[str, list[str]]:
    """Completions by passage; nothing where the file is not there."""
    file = data / "squad" / f"synthetic_{name}.json"
    rows = json.loads(file.read_text()) if file.exists() else []
    return {row["context"]: row["completions"] for row in rows}


def questions_and_answers(completion: str) -> list[tuple[str, str]]:
    """Pairs out of a completion that begins with its first question."""
    parts = re.split(r"\n*\s*(Question|Answer)\s*\d+\s*:\s*", "Question 1: " + completion)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    found, asked = [], ""
    for kind, text in pairs:
        text = re.sub(r"^(?:(?:Question|Answer)\s*\d*\s*:|\d+\.)\s*", "", text.strip())
        if kind == "Question":
            asked = text
        elif asked.endswith("?") and text:
            found.append((asked, text.splitlines()[0]))
    return found


def run_arm(arm: str, options: Options, chosen: list[Passage], data: Path) -> dict[str, Any]:
    samples = ARMS[arm][1]
    is_studied = samples != "" and not samples.startswith("raw")
    taken_in = take_in(options, chosen, is_studied)
    began = time.monotonic()
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(taken_in, Path(scratch) / "home")
        with Store.open(Home(Path(scratch) / "home")) as store:
            if samples.startswith("raw"):
                texts = [f"{passage['title']}\n{passage['context']}" for passage in chosen]
                if name := samples.partition(" ")[2]:
                    ready = ready_made(data, name)
                    texts += [text for p in chosen for text in ready.get(p["context"], [])]
                talker = Talker(*_learn_raw(options, texts, Path(scratch)), version=1)
            else:
                if samples not in ("", "own"):
                    _put_ready_made(store, options.base, chosen, ready_made(data, samples))
                if samples:
                    report = finished(consolidate(store, options))
                talker = Talker.open(store, options)
            trained_s = time.monotonic() - began
            return _examine(store, talker, chosen) | {
                "arm": arm,
                "seed": options.seed,
                "trained_s": round(trained_s, 1),
                **{key: report.get(key) for key in ("samples", "divergence", "n_tokens", "recall")},
            }


def take_in(options: Options, chosen: list[Passage], is_studied: bool) -> Path:
    """A home that holds the passages, and where it is studied what was made of them; made where it is not there yet: generation
    takes as long as training, and is the same for all arms."""
    asked = [q["question"] for passage in chosen for q in passage["questions"]]
    made_with = (is_studied, options.base, options.questions_per_fact, asked)
    digest = hashlib.sha256(json.dumps(made_with).encode()).hexdigest()[:12]
    home = results.FOLDER / f"recall-{digest}"
    if (home / "ready").exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for index, passage in enumerate(chosen):
            text = f"# {passage['title']}\n\n{passage['context']}\n"
            (Path(folder) / f"{index:03}.md").write_text(text)
        with Store.open(Home(home), create=True) as store:
            ingest(store, [Path(folder)])
            hold_out(store, asked)
            if is_studied:
                base = bases.load(options.base)
                study_chunks(store, base, studied_chunks(store), options.questions_per_fact, 0)
    (home / "ready").touch()
    return home


def _learn_raw(options: Options, texts: list[str], scratch: Path) -> tuple[Base, Any]:
    """Next-token training on texts as they are."""
    base = bases.load(options.base)
    n_nodes = options.pack_tokens
    rows = []
    for text in texts:
        ids = base.tokenizer(text + base.tokenizer.eos_token, add_special_tokens=False)["input_ids"]
        rows += [Row(tuple(ids[i : i + n_nodes]), 1) for i in range(0, len(ids), n_nodes)]
    rows = [row for row in rows if len(row.ids) > 1] * int(options.epochs)
    model = adapter.new_adapter(base, options.rank, options.seed)
    with StopSignals() as stop:
        train(base, model, pack(rows, n_nodes), options, scratch / "checkpoint", stop, silent)
    return base, model


def _put_ready_made(
    store: Store, base_name: str, chosen: list[Passage], ready: dict[str, list[str]]
) -> None:
    """Ready-made questions and answers as samples of the chunks of their passage, beside our own."""
    digest = bases.load(base_name).digest
    by_opening = {_opening(passage["context"]): passage for passage in chosen}
    with store.db.atomic():
        for chunk in studied_chunks(store):
            passage = by_opening.get(_opening(chunk["text"]))
            if passage is None:  # the passage's second chunk: its samples are with the first
                continue
            keep_samples(
                store,
                digest,
                [
                    (chunk["id"], Sample("ready", question, answer))
                    for completion in ready.get(passage["context"], [])
                    for question, answer in questions_and_answers(completion)
                ],
            )


def _opening(text: str) -> str:
    return " ".join(text.split()[:8])


def _examine(store: Store, talker: Talker, chosen: list[Passage]) -> dict[str, Any]:
    """All questions from weights alone, with what retrieval finds, and with the right passage in view."""
    numbered = [(number, q) for number, passage in enumerate(chosen) for q in passage["questions"]]
    asked = [
        Question(q["question"], (q["answer"],), chosen[number]["context"]) for number, q in numbered
    ]
    forms = {"closed": closed, "retrieval": retrieved(store)}
    if not talker.version:
        forms["in view"] = in_view
    answers = {name: ask(talker, asked, form) for name, form in forms.items()}
    if talker.judges:
        for name in list(answers):
            given = as_given(store, talker, asked, answers[name], name == "retrieval")
            answers[f"{name}, as given"] = given
    hits = [passages(store, question.text, limit=5) for question in asked]
    found = [
        any(_answers(hit.text, question) for hit in some)
        for some, question in zip(hits, asked, strict=True)
    ]
    return {
        "n": len(asked),
        "passage": [number for number, _ in numbered],
        "right": {name: right(asked, said) for name, said in answers.items()},
        "f1": {name: f1(asked, said) for name, said in answers.items()},
        "hit_at_5": round(sum(found) / len(found), 4),
    }


def _answers(text: str, question: Question) -> bool:
    """Whether a hit is of the right passage, and of the half of it that holds the answer."""
    is_of_passage = " ".join(text.split()) in " ".join(question.source.split())
    return is_of_passage and any(contains(text, gold) for gold in question.gold)


def table(rows: list[dict[str, Any]]) -> None:
    """One line an arm, pooled over seeds, with 95% intervals clustered by passage."""
    untrained = next((row["right"] for row in rows if row["arm"] == "untrained"), None)
    floor = _mean(untrained["closed"]) if untrained else None
    ceiling = _mean(untrained["in view"]) if untrained else None
    if untrained:
        print(
            f"floor {floor:.3f}, ceiling {ceiling:.3f}, n {rows[0]['n']}, hit@5 {rows[0]['hit_at_5']}"
        )
    for arm in dict.fromkeys(row["arm"] for row in rows):
        some = [row for row in rows if row["arm"] == arm]
        for form in some[0]["right"]:
            right = [one for row in some for one in row["right"][form]]
            where = [number for row in some for number in row["passage"]]
            found = share(right, where)
            assert found is not None
            normalised = ""
            if floor is not None and ceiling is not None and ceiling > floor:
                value, low, high = (
                    (one - floor) / (ceiling - floor)
                    for one in (found.value, found.low, found.high)
                )
                normalised = f", normalised {value:.2f} [{low:.2f}, {high:.2f}]"
            print(
                f"{arm:20} {form:19} {found.value:.3f} [{found.low:.3f}, {found.high:.3f}]{normalised},"
                f" divergence {_over_seeds(some, 'divergence')}, {_over_seeds(some, 'trained_s')} s,"
                f" {len(some)} seeds"
            )


def _over_seeds(rows: list[dict[str, Any]], name: str) -> str:
    """The mean of a figure over seeds, with its range where there are several."""
    values = [row[name] for row in rows if row[name] is not None]
    if not values:
        return "–"
    mean = f"{sum(values) / len(values):.3g}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3g} to {max(values):.3g})"


def _mean(right: list[bool]) -> float:
    return sum(right) / len(right)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with squad/ in it")
    parser.add_argument("--split", default="tune", help="tune, or once: looked at once, at the end")
    parser.add_argument("--passages", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--arm", nargs="*", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--base", default="embedded")
    add_set(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (given.data / "squad" / "passages.json").exists():
        parser.exit(0, f"skipped: no squad/passages.json in {given.data}\n")
    chosen = choose_passages(given.data, given.split, given.passages)
    kept = Results("recall")
    rows = []
    for arm in given.arm:
        for seed in given.seeds[:1] if arm == "untrained" else given.seeds:
            options = replace(
                Options(base=given.base, seed=seed),
                **(OPEN_GATE | ARMS[arm][0] | changes(given.set)),
            )
            of_data = digest_of(chosen)
            label = label_of(options, given.base, given.split, of_data, arm, seed, "as given")
            make = partial(run_arm, arm, options, chosen, given.data)
            rows.append(kept.get(label, make))
            if given.json:
                print(json.dumps(rows[-1]), flush=True)
    if not given.json:
        table(rows)


if __name__ == "__main__":
    main()
