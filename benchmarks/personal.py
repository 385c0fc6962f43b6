"""One person's notes, night after night: what is known in which wording, and is it said where nothing is known?

    python -m benchmarks.personal [--nights 6] [--both] [--base embedded] [--set option=value ...] [--json]
    python -m benchmarks.personal --data FOLDER      (other notes of the same form)

`benchmarks/data/personal_notes` holds six nights of documents and `questions.jsonl`. After each night every
question that holds by then is asked: from weights alone, greedy, and after the last night also as `ask` does (*as given*), which takes of the
likeliest answers the one to the question or says that there is none; with `--both`, also with retrieval and weights,
and of the base with retrieval and with a passage in view that holds the answer. A fact is asked for directly; *rephrased*, as people do, with
another build and other words but for names; *paraphrased*, in content words that share next to nothing with the direct question; *reversed*, from the value to
the subject. *absent*: what no note tells of somebody or something that is in them; *unheard*: what no note has anything of. *right*: an accepted answer is
contained; of what is in no note, that the answer says so (`exam.abstains`). *false abstention*: it says so of a fact that the notes tell,
and does not tell it; *withheld*: that it says so of one that the greedy answer tells. Intervals know that questions of one source go together. The nights run as
scheduled ones do, with the time that `night_minutes` gives them, behind an open gate. Results stay in `benchmarks/results/personal.jsonl`, night by night.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.examine import read_questions
from learnctl.trainer.facts import contains
from learnctl.trainer.intervals import Share, compare, rounded, share
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import hold_out
from learnctl.trainer.talk import Talker
from learnctl.trainer.ways import holding

from .exam import Question, abstains, as_given, ask, closed, in_view, retrieved
from .recall import OPEN_GATE
from .results import Results, Row, finished, label_of, last_report
from .settings import add_set, changes

NOTES = Path(__file__).parent / "data" / "personal_notes"
# The share right that is wanted of each kind; of questions in two steps none.
GOALS = {
    "direct": 0.75,
    "rephrased": 0.55,
    "paraphrased": 0.55,
    "reversed": 0.4,
    "two-step": None,
    "absent": 0.7,
    "unheard": 0.7,
}
FACTS = ("direct", "rephrased", "paraphrased", "reversed")
MOST_FALSE_ABSTENTION = 0.1
# What `ask` gives, and of which answers.
AS_GIVEN = {"as given": "weights", "both as given": "retrieval and weights"}
COST = ("decision", "level", "samples", "divergence", "n_tokens", "elapsed_s")


@dataclass(frozen=True)
class Mark:
    """One question answered.

    Attributes:
        unknown: the answer only says that it is not known.
    """

    kind: str
    source: str
    right: bool
    unknown: bool


def nights_of(data: Path) -> list[Path]:
    """The folders of a set of notes, in the order of their nights."""
    return sorted(data.glob("night-*"), key=lambda folder: int(folder.name.removeprefix("night-")))


def asked_after(questions: Sequence[Row], night: int) -> list[Row]:
    """What holds after a night: what was told by then, less what a later note has changed."""
    return [row for row in questions if row["night"] <= night <= row.get("until", night)]


def mark(asked: Sequence[Row], answers: Sequence[str]) -> list[Mark]:
    marks = []
    for row, answer in zip(asked, answers, strict=True):
        says_so = abstains(answer)
        right = any(contains(answer, gold) for gold in row["gold"])
        if not row["gold"]:
            right = says_so
        # What no source has anything of is right or wrong by itself.
        source = row["source"] if "source" in row else row["question"]
        marks.append(Mark(row["kind"], source, right, says_so and not right))
    return marks


def share_right(marks: Sequence[Mark], kind: str) -> Share | None:
    some = [one for one in marks if one.kind == kind]
    return share([one.right for one in some], [one.source for one in some])


def false_abstention(marks: Sequence[Mark]) -> Share | None:
    some = [one for one in marks if one.kind in FACTS]
    return share([one.unknown for one in some], [one.source for one in some])


def withheld(raw: Sequence[Mark], marks: Sequence[Mark]) -> Share | None:
    """Of the facts that the weights tell, those that are not given."""
    some = [(one, other) for one, other in zip(raw, marks, strict=True) if one.right]
    some = [(one, other) for one, other in some if one.kind in FACTS]
    return share([other.unknown for _, other in some], [one.source for one, _ in some])


def run(
    data: Path, n_nights: int | None, options: Options, both: bool, results: Results
) -> list[Row]:
    """A row for each of the first nights, made where it is not there yet."""
    nights = nights_of(data)[:n_nights]
    questions = read_questions(data / "questions.jsonl")
    label = label_for(data, options, both)
    # The store lies beside the results, so that another call goes on with the next night.
    home = results.path.parent / "personal" / hashlib.sha256(label.encode()).hexdigest()[:12]
    rows = []
    for number in range(1, len(nights) + 1):
        make = partial(_run_night, home, nights[:number], questions, options, both)
        rows.append(results.get(f"{label} night {number}", make))
    # Some five seconds a question, and minutes with a larger base: what was asked greedily is kept by then.
    make = partial(_as_given, home, nights, questions, options, rows[-1]["answers"])
    given = results.get(f"{label} night {len(nights)} as given", make)
    rows[-1] = rows[-1] | {"answers": rows[-1]["answers"] | given["answers"]}
    if len(rows) == len(nights_of(data)):
        shutil.rmtree(home, ignore_errors=True)
    return rows


def label_for(data: Path, options: Options, both: bool) -> str:
    """What the rows are known by: the options, what is asked, and every byte of the notes and questions."""
    files = sorted([*data.glob("night-*/*"), data / "questions.jsonl"])
    whole = b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)
    notes = hashlib.sha256(whole).hexdigest()[:12]
    return label_of(
        options, options.base, "both, in view" if both else "weights", notes, "timed, as given"
    )


def _run_night(
    home: Path, nights: list[Path], questions: list[Row], options: Options, both: bool
) -> Row:
    """Take in the last night's documents, consolidate, and ask everything that holds by then."""
    number = len(nights)
    with Store.open(Home(home), create=True) as store:
        _must_hold(store, nights, _taken_in(store) | {nights[-1].name})
        ingest(store, [nights[-1]])
        # Before anything is studied: a night must not be trained on the words it is examined in.
        hold_out(store, [row["question"] for row in questions])
        report = finished(consolidate(store, options, 60 * options.night_minutes))
        if report["decision"] == "nothing":  # it was trained, and stopped before it was asked
            report = last_report(store)
        answers = _ask(store, options, asked_after(questions, number), both)
    cost = {key: report.get(key) for key in COST}
    return {"night": number, "options": asdict(options), **cost, "answers": answers}


def _taken_in(store: Store) -> set[str]:
    """The names of the nights whose documents are in the store."""
    return {Path(row["path"]).parent.name for row in store.rows("SELECT path FROM sources")}


def _must_hold(store: Store, nights: list[Path], found: set[str]) -> None:
    if found != {night.name for night in nights}:
        raise SystemExit(
            f"{store.home.path} does not hold the notes up to night {len(nights)} and no others:"
            " delete it and the rows of its nights, and begin again"
        )


def _ask(store: Store, options: Options, asked: list[Row], both: bool) -> dict[str, list[str]]:
    """The answers by form."""
    wanted = _wanted(asked)
    talker = Talker.open(store, options)
    answers = {"weights": ask(talker, wanted, closed)}
    if both:
        answers["retrieval and weights"] = ask(talker, wanted, retrieved(store))
        assert talker.switch(store, options, 0)
        answers["retrieval alone"] = ask(talker, wanted, retrieved(store, 0))
        # What is in no note is asked alone.
        shown = [
            replace(one, source=holding(store, row) or "")
            for one, row in zip(wanted, asked, strict=True)
        ]
        answers["passage in view"] = ask(talker, shown, in_view)
    return answers


def _as_given(
    home: Path,
    nights: list[Path],
    questions: list[Row],
    options: Options,
    greedy: dict[str, list[str]],
) -> Row:
    """What `ask` gives after the last night for the answers that the weights tell, alone and with retrieval."""
    wanted = _wanted(asked_after(questions, len(nights)))
    with Store.open(Home(home)) as store:
        _must_hold(store, nights, _taken_in(store))
        talker = Talker.open(store, options)
        answers = {
            form: as_given(store, talker, wanted, greedy[raw], raw != "weights")
            for form, raw in AS_GIVEN.items()
            if raw in greedy
        }
    return {"answers": answers}


def _wanted(asked: Sequence[Row]) -> list[Question]:
    return [Question(row["question"], tuple(row["gold"])) for row in asked]


def scores(row: Row, questions: Sequence[Row]) -> list[dict[str, Any]]:
    """The shares of one night, a line for each form and kind."""
    lines = []
    for form, answers in row["answers"].items():
        marks = mark(asked_after(questions, row["night"]), answers)
        shares = {kind: share_right(marks, kind) for kind in GOALS}
        shares["false abstention"] = false_abstention(marks)
        if form in AS_GIVEN:
            raw = mark(asked_after(questions, row["night"]), row["answers"][AS_GIVEN[form]])
            shares["withheld"] = withheld(raw, marks)
        lines += [
            {"form": form, "kind": kind, **rounded(found)}
            for kind, found in shares.items()
            if found
        ]
    return lines


def table(rows: list[Row], questions: Sequence[Row]) -> None:
    """A line for each night and form, then the last night with its intervals and goals."""
    for row in rows:
        lines = scores(row, questions)
        for form in row["answers"]:
            told = ", ".join(
                f"{one['kind']} {one['value']:.3f}" for one in lines if one["form"] == form
            )
            print(f"night {row['night']}, {form}: {told}")
        print(
            f"   {row['level']}, {row['decision']}, divergence {row['divergence']},"
            f" samples {row['samples']}, {row['elapsed_s']} s"
        )
    print()
    for one in scores(rows[-1], questions):
        print(
            f"{one['form']:22} {one['kind']:17} {one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
            f" of {one['n']:3}{_goal(one['kind'])}"
        )
    if "retrieval alone" in rows[-1]["answers"]:
        _beside_retrieval(rows[-1], questions)


def _goal(kind: str) -> str:
    if kind in ("false abstention", "withheld"):
        return f", goal at most {MOST_FALSE_ABSTENTION}"
    goal = GOALS[kind]
    return f", goal at least {goal}" if goal is not None else ""


def _beside_retrieval(row: Row, questions: Sequence[Row]) -> None:
    asked = asked_after(questions, row["night"])
    alone = mark(asked, row["answers"]["retrieval alone"])
    both = mark(asked, row["answers"]["retrieval and weights"])
    found = compare(
        [one.right for one in alone], [one.right for one in both], [one.source for one in alone]
    )
    assert found is not None
    print(
        f"both beside retrieval alone, all kinds: {found.change:+.3f} [{found.low:+.3f},"
        f" {found.high:+.3f}], {found.won} won, {found.lost} lost"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=NOTES, help="other notes of the same form")
    parser.add_argument("--nights", type=int, help="only the first of them")
    parser.add_argument("--both", action="store_true", help="ask with retrieval as well")
    parser.add_argument("--base", default="embedded")
    add_set(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.nights is not None and given.nights < 1:
        parser.error("--nights must be at least 1")
    options = replace(Options(base=given.base), **(OPEN_GATE | changes(given.set)))
    rows = run(given.data, given.nights, options, given.both, Results("personal"))
    questions = read_questions(given.data / "questions.jsonl")
    if given.json:
        for row in rows:
            told = {key: row[key] for key in ("night", *COST)}
            print(json.dumps(told | {"scores": scores(row, questions)}))
    else:
        table(rows, questions)


if __name__ == "__main__":
    main()
