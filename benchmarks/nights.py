"""Night after night: what is known of each after every other, what it costs, and against what.

    python -m benchmarks.nights [--nights 20] [--facts 10] [--wordings 6] [--stream 0] [--arm NAME ...] [--suite FOLDER] [--json]
    python -m benchmarks.nights --data FOLDER [--nights 8] [--passages 12] [--split tune|once]

Without `--data` the stream is of invented facts (`benchmarks/invented.py`), others for each number of `--stream`; with it, of passages from
`FOLDER/squad`. After each night every question of all nights so far is asked, closed-book and greedy:
R[i, j] is the share of night j's questions right after night i. ACC is the share right of all after the last night, BWT the mean
change of the questions of earlier nights since each was learned; their 95% intervals know that questions of one fact or passage go
together. With `--suite`, general ability after the last night is set beside that after the first. Each night runs through `consolidate`
as shipped, but for the options of its arm and an open gate. Results stay in `benchmarks/results/nights.jsonl`, night by night.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import in_service, new_chunks
from learnctl.memory.store import Store
from learnctl.trainer import choice, registry
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.examine import examine
from learnctl.trainer.intervals import compare, share
from learnctl.trainer.matrix import summarise
from learnctl.trainer.options import Options
from learnctl.trainer.suite import ITEMS, Suite, read_suite, retention
from learnctl.trainer.synthesize import hold_out
from learnctl.trainer.talk import Talker

from . import exam
from .invented import nights as invented_nights
from .recall import OPEN_GATE, choose_passages
from .results import FOLDER, Results, Row, digest_of, finished, label_of, last_report
from .settings import add_set, changes

REVERSED = 4  # the first wording that asks from the value to the subject


@dataclass(frozen=True)
class Arm:
    """How the nights of a stream are trained.

    Attributes:
        slow_every: a slow pass in each so many nights and in no other, 0 for none after the first night; None for
            when it is due as shipped.
        joint: all in one night.
        timed: each has the time of a scheduled night, and rehearses what it has time for.
    """

    options: dict[str, Any] = field(default_factory=dict)
    slow_every: int | None = None
    joint: bool = False
    timed: bool = False


# A share of earlier samples is that share alone, without the least number that keeps a very small night from forgetting and without what
# keeps all that is known.
THAT_ALONE = {"replay_least": 0, "replay_of_known": 0}
ARMS = {
    "as shipped": Arm(),
    "scheduled": Arm(timed=True),
    # As it was shipped before.
    "35% alone": Arm({"replay_of_known": 0}),
    "no replay": Arm({"replay_share": 0.0}),
    "5% replay": Arm({"replay_share": 0.05} | THAT_ALONE),
    "10% replay": Arm({"replay_share": 0.10} | THAT_ALONE),
    "30% replay": Arm({"replay_share": 0.30} | THAT_ALONE),
    "nothing rehearsed": Arm({"replay_share": 0.0, "general_rows": 0}),
    "never slow": Arm(slow_every=0),
    "slow every 4 nights": Arm(slow_every=4),
    "fast anew, slow every 4 nights": Arm({"fast": "anew"}, slow_every=4),
    "retrained": Arm(slow_every=1),
    # As SEAL's continual setting (https://arxiv.org/abs/2506.10943): a fresh adapter a night on all those before, merged,
    # and nothing of theirs again.
    "merged": Arm({"fast": "stack", "replay_share": 0.0, "general_rows": 0}, slow_every=0),
    "joint": Arm(joint=True),
}

Question = dict[str, Any]
Night = tuple[Path, list[Question]]


def invented(
    folder: Path, n_nights: int, n_facts: int, n_wordings: int, seed: int = 0
) -> list[Night]:
    """A file a night, and its questions."""
    stream = []
    nights = invented_nights(n_nights, n_facts, seed)
    # Two people may have one birthday, and either is right then.
    golds: dict[str, list[str]] = {}
    for q in (q for night in nights for fact in night.facts for q in fact):
        golds.setdefault(q.text, []).append(q.gold)
    for number, night in enumerate(nights):
        file = folder / f"{number:02}.md"
        file.write_text(night.note)
        # The wordings go round over the facts, so that few of them still hold every kind.
        asked = {
            (index, (index + turn * 5) % len(fact))
            for index, fact in enumerate(night.facts)
            for turn in range(n_wordings)
        }
        questions = [(index, night.facts[index][wording]) for index, wording in sorted(asked)]
        stream.append(
            (
                file,
                [
                    {
                        "night": number,
                        "of": f"{number} {index}",
                        "question": q.text,
                        "gold": golds[q.text],
                    }
                    | {"reversed": q.wording >= REVERSED}
                    for index, q in questions
                ],
            )
        )
    return stream


def squad(folder: Path, data: Path, split: str, n_nights: int, n_passages: int) -> list[Night]:
    chosen = choose_passages(data, split, n_nights * n_passages)
    stream = []
    for number in range(n_nights):
        some = chosen[number * n_passages : (number + 1) * n_passages]
        place = folder / f"{number:02}"
        place.mkdir(exist_ok=True)
        for index, passage in enumerate(some):
            (place / f"{index:02}.md").write_text(f"# {passage['title']}\n\n{passage['context']}\n")
        asked = [
            {"night": number, "of": f"{number} {index}", "question": q["question"]}
            | {"gold": [q["answer"]], "reversed": False}
            for index, passage in enumerate(some)
            for q in passage["questions"]
        ]
        stream.append((place, asked))
    return stream


def run_night(
    home: Path,
    stream: list[Night],
    number: int,
    options: Options,
    arm: Arm,
    suite: Suite | None,
    given_every: int,
) -> Row:
    """Take in one night's file, consolidate, and ask everything so far."""
    if number and not home.is_dir():
        raise SystemExit(
            f"the store that night {number} of {home.name} left was removed when its nights were done: remove"
            " the rows of that label from results/nights.jsonl to begin again, with as many nights as wanted"
        )
    due_from = choice.SLOW_TOKENS if arm.slow_every is None else sys.maxsize
    with (
        Store.open(Home(home), create=True) as store,
        patch.object(choice, "SLOW_TOKENS", due_from),
    ):
        ingest(store, [stream[number][0]])
        if number and arm.slow_every and number % arm.slow_every == 0 and new_chunks(store):
            store.set_setting(registry.SLOW_DUE, "as the arm wants it")
        asked = [question for _, some in stream[: number + 1] for question in some]
        # Before anything is studied: a night must not be trained on the words it is examined in.
        hold_out(store, [question["question"] for question in asked])
        budget_s = 60.0 * options.night_minutes if arm.timed else None
        report = finished(consolidate(store, options, budget_s))
        if report["decision"] == "nothing":  # it was trained, and stopped before it was asked
            report = last_report(store)
        answers = examine(store, options, asked)["answers"]
        given: dict[int, bool] = {}
        if given_every:
            is_last = number == len(stream) - 1
            given = ask_as_given(
                store,
                options,
                {
                    index: question
                    for index, question in enumerate(asked)
                    if index % given_every == 0 and (is_last or question["night"] == number)
                },
            )
        of_suite = None
        if suite and number in (0, len(stream) - 1):
            retention(store, options, suite)
            of_suite = {"base": _suite_answers(store, 0)}
            of_suite["version"] = _suite_answers(store, in_service(store))
    cost = ("samples", "divergence", "elapsed_s", "level", "n_tokens")
    right_ones = [int(row["correct"]) for row in answers]
    return {"right": right_ones, "given": list(given.items()), "suite": of_suite} | {
        key: report[key] for key in cost
    }


def ask_as_given(store: Store, options: Options, asked: dict[int, Question]) -> dict[int, bool]:
    """Of some questions by their number, whether `ask` answers them rightly from the weights of the version in service."""
    talker = Talker.open(store, options)
    some = [exam.Question(one["question"], tuple(one["gold"])) for one in asked.values()]
    greedy = exam.ask(talker, some, exam.closed)
    said = exam.as_given(store, talker, some, greedy)
    return dict(zip(asked, exam.right(some, said), strict=True))


def _suite_answers(store: Store, version: int) -> list[int]:
    said = "SELECT correct FROM suite_answers WHERE version = ? ORDER BY item"
    return [row["correct"] for row in store.rows(said, version)]


def ask_base(options: Options, asked: list[Question]) -> Row:
    """What is right before anything was learned."""
    with tempfile.TemporaryDirectory() as home, Store.open(Home(Path(home)), True) as store:
        answers = examine(store, options, asked, version=0)["answers"]
    return {"right": [int(row["correct"]) for row in answers]}


def cells(right: list[int], asked: list[Question], n_nights: int) -> list[float | None]:
    """The share right of each night's questions, as far as they were asked."""
    of: list[list[int]] = [[] for _ in range(n_nights)]
    for one, question in zip(right, asked, strict=False):
        of[question["night"]].append(one)
    return [sum(some) / len(some) if some else None for some in of]


def show(arm: str, rows: list[Row], base: Row, asked: list[Question], n_nights: int) -> None:
    """The measures of an arm with their intervals, and its matrix."""
    last = rows[-1]["right"]
    clusters = [question["of"] for question in asked]
    known = share([bool(one) for one in last], clusters)
    assert known is not None
    nothing: list[float | None] = [None] * n_nights
    lines = [cells(row["right"], asked, n_nights) for row in rows]
    found = summarise(
        [cells(base["right"], asked, n_nights)]
        + (lines if len(rows) == n_nights else [nothing] * (n_nights - 1) + lines)
    )
    told = [f"ACC {known.value:.3f} [{known.low:.3f}, {known.high:.3f}]"]
    told.append(f"base {found.base:.3f}")
    if len(rows) > 1:
        told += [f"BWT {_backward(rows, asked)}", f"diagonal {found.diagonal:.3f}"]
    for name, wanted in (("direct", False), ("reversed", True)):
        some = [one for one, q in zip(last, asked, strict=True) if q["reversed"] == wanted]
        if some and len(some) < len(last):
            told.append(f"{name} {sum(some) / len(some):.3f}")
            if len(rows) > 1:
                told[-1] += f" (BWT {_backward(rows, asked, wanted)})"
    told += [f"divergence {rows[-1]['divergence']}"]
    told += [f"{sum(row['elapsed_s'] for row in rows):.0f} s"]
    print(f"{arm}: {', '.join(told)}")
    _show_given(rows, asked)
    _show_suite(rows)
    for row, line in zip(rows, lines, strict=True):
        shares = " ".join("  . " if cell is None else f"{cell:.2f}" for cell in line)
        print(f"   {shares}   {row['level']}, samples {row['samples']}")


def _backward(rows: list[Row], asked: list[Question], is_reversed: bool | None = None) -> str:
    """What became of the questions of all nights but the last since each was learned: of one kind, or of both."""
    earlier = [
        (bool(rows[q["night"]]["right"][index]), bool(rows[-1]["right"][index]), q["of"])
        for index, q in enumerate(asked)
        if q["night"] < len(rows) - 1 and is_reversed in (None, q["reversed"])
    ]
    then, now, clusters = zip(*earlier, strict=True)
    return _change(then, now, clusters)


def _change(then: Sequence[bool], now: Sequence[bool], clusters: Sequence[str]) -> str:
    changed = compare(then, now, clusters)
    assert changed is not None
    return f"{changed.change:+.3f} [{changed.low:+.3f}, {changed.high:+.3f}]"


def _show_given(rows: list[Row], asked: list[Question]) -> None:
    """The same measures of what `ask` gives."""
    given = [dict(row.get("given", [])) for row in rows]
    told = []
    for name, kinds in (("ACC", (False, True)), ("direct", (False,)), ("reversed", (True,))):
        now = {index: one for index, one in given[-1].items() if asked[index]["reversed"] in kinds}
        if not now:
            continue
        known = share(list(now.values()), [asked[index]["of"] for index in now])
        assert known is not None
        told.append(f"{name} {known.value:.3f} [{known.low:.3f}, {known.high:.3f}] of {known.n}")
        then = {i: given[asked[i]["night"]][i] for i in now if asked[i]["night"] < len(rows) - 1}
        if then:
            told[-1] += (
                f" (BWT {_change(list(then.values()), [now[i] for i in then], [asked[i]['of'] for i in then])})"
            )
    if told:
        print(f"   as given: {', '.join(told)}")


def _show_suite(rows: list[Row]) -> None:
    """General ability: of the last version beside the first, and beside the base."""
    first, last = rows[0].get("suite"), rows[-1].get("suite")
    if not (first and last):
        return
    beside = [("base", last["base"])] + ([("night 1", first["version"])] if len(rows) > 1 else [])
    for name, before in beside:
        found = compare(list(map(bool, before)), list(map(bool, last["version"])))
        assert found is not None
        print(
            f"   suite of {found.n} beside {name}: {100 * found.change:+.1f} points [{100 * found.low:+.1f},"
            f" {100 * found.high:+.1f}], lost at most {100 * found.lost_at_most:.1f}, {found.won} won, {found.lost} lost"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nights", type=int, default=None, help="20 invented ones, 8 of passages")
    parser.add_argument("--facts", type=int, default=10, help="invented facts a night")
    parser.add_argument("--wordings", type=int, default=6, help="questions asked of each fact")
    parser.add_argument("--data", type=Path, help="a folder with squad/ in it")
    parser.add_argument("--split", default="tune")
    parser.add_argument("--passages", type=int, default=12, help="passages a night")
    parser.add_argument("--stream", type=int, default=0, help="of invented facts, by its seed")
    parser.add_argument("--arm", nargs="*", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--suite", type=Path, help="a folder of sets of general ability")
    parser.add_argument("--items", type=int, default=ITEMS, help="of the suite")
    parser.add_argument("--base", default="embedded")
    parser.add_argument(
        "--given", type=int, default=0, metavar="N", help="ask every Nth as `ask` answers"
    )
    add_set(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.data and not (given.data / "squad" / "passages.json").exists():
        parser.exit(0, f"skipped: no squad/passages.json in {given.data}\n")
    n_nights = given.nights or (8 if given.data else 20)
    suite = read_suite(given.suite, given.items) if given.suite else None
    kind = f"squad {given.split} {given.passages}" if given.data else f"invented {given.facts}"
    if suite:
        kind += f" suite {len(suite.items)}"
    results = Results("nights")
    acc: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if given.data:
            stream = squad(folder, given.data, given.split, n_nights, given.passages)
        else:
            stream = invented(folder, n_nights, given.facts, given.wordings, given.stream)
        asked = [question for _, some in stream for question in some]
        options = Options(base=given.base)
        label = label_of(options, given.base, kind, digest_of(asked), "base")
        base = results.get(label, partial(ask_base, options, asked))
        for name in given.arm:
            rows = run_arm(name, given, kind, stream, results, suite)
            acc[name] = sum(rows[-1]["right"]) / len(asked)
            if given.json:
                for row in rows:
                    print(json.dumps(row), flush=True)
            else:
                show(name, rows, base, asked, n_nights)
    if "joint" in acc and not given.json:
        for name, known in acc.items():
            print(f"{name}: {known / acc['joint'] if acc['joint'] else 0:.2f} of joint training")


def run_arm(
    name: str,
    given: argparse.Namespace,
    kind: str,
    stream: list[Night],
    results: Results,
    suite: Suite | None,
) -> list[Row]:
    """A row for each night of an arm, made where it is not there yet."""
    arm = ARMS[name]
    options = replace(Options(base=given.base), **(OPEN_GATE | arm.options | changes(given.set)))
    # What is asked after the last night alone is not there of a night that was the last of fewer.
    asked_as = [f"given {given.given} of {len(stream)}"] if given.given else []
    asked_as += [f"suite of {len(stream)}"] if suite else []
    # What is asked of the first nights is asked of them in every longer stream.
    of_data = digest_of(stream[0][1])
    label = label_of(options, given.base, kind, of_data, name, *given.set, *asked_as)
    # The store of an arm lies beside the results, so that a stopped arm goes on with its next night.
    home = FOLDER / "nights" / hashlib.sha256(label.encode()).hexdigest()[:12]
    if arm.joint:
        asked = [question for _, some in stream for question in some]
        stream = [(stream[0][0].parent, asked)]
        label += f" {len(asked)}"
    rows = []
    for number in range(len(stream)):

        def make(night: int = number) -> Row:
            told = {"arm": name, "night": night, "options": asdict(options)}
            return told | run_night(home, stream, night, options, arm, suite, given.given)

        rows.append(results.get(f"{label} night {number}", make))
    # All its nights are rows now. They cannot be added to: see `run_night`.
    shutil.rmtree(home, ignore_errors=True)
    return rows


if __name__ == "__main__":
    main()
