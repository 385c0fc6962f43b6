"""Lived material: news of 2025 and a long talk between two people. Retrieval, weights, or both?

    python -m benchmarks.lived --data FOLDER --what news [--items 40] [--json]
    python -m benchmarks.lived --data FOLDER --what locomo [--conversation 0] [--sessions 8] [--nights 2]

News: `FOLDER/news/*.jsonl`, the items whose evidence holds the answer, as dated notes in one night. LoCoMo:
`FOLDER/locomo/conversations.json`, the first sessions of one conversation in so many nights (as many as sessions: session by
session), as a chat export; asked are the questions whose evidence lies in them. *right*: an accepted answer is contained in
the greedy answer; *f1*: word overlap. Base and version are asked the same, from weights alone and with retrieval.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.intervals import compare, share
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import hold_out
from learnctl.trainer.talk import Talker

from .exam import Question, as_given, ask, closed, f1, in_view, retrieved, right
from .recall import OPEN_GATE
from .results import Results, digest_of, finished, label_of
from .settings import add_set, changes

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop"}


def news(folder: Path, data: Path, n_items: int) -> tuple[list[Path], list[Question]]:
    """Dated notes, and a question for each."""
    file = next(iter(sorted((data / "news").glob("*.jsonl"))))
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row.get("answer_in_evidence") and row.get("evidence_text")]
    step = max(1, len(rows) // n_items)
    questions = []
    night = folder / "news"
    night.mkdir()
    for number, row in enumerate(rows[::step][:n_items]):
        day = row["question_date"].replace("/", "-")
        text = f"---\ndate: {day}\n---\n\n# News of {day}\n\n{row['evidence_text']}\n"
        (night / f"{number:03}.md").write_text(text, encoding="utf-8")
        questions.append(
            Question(
                row["question_sentence"],
                tuple(row["answer_text"]),
                row["evidence_text"],
                cluster=row["evidence_text"],
            )
        )
    return [night], questions


def locomo(
    folder: Path, data: Path, number: int, n_sessions: int, n_nights: int
) -> tuple[list[Path], list[Question]]:
    """Sessions as exports of a chat, and the questions about them that have an answer."""
    whole = json.loads((data / "locomo" / "conversations.json").read_text(encoding="utf-8"))[number]
    talk = whole["conversation"]
    said: dict[str, str] = {}
    nights = []
    for session in range(1, n_sessions + 1):
        turns = talk.get(f"session_{session}")
        if not turns:
            break
        began = datetime.strptime(talk[f"session_{session}_date_time"], "%I:%M %p on %d %B, %Y")
        night = folder / f"night-{(session - 1) * n_nights // n_sessions}"
        night.mkdir(exist_ok=True)
        messages = [
            {
                "id": index,
                "type": "message",
                "date": began.isoformat(),
                "from": turn["speaker"],
                "from_id": turn["speaker"],
                "text": turn["text"],
            }
            for index, turn in enumerate(turns)
        ]
        name = f"{talk['speaker_a']} and {talk['speaker_b']}"
        export = {"name": name, "type": "personal_chat", "id": session, "messages": messages}
        (night / f"session-{session:02}.json").write_text(json.dumps(export), encoding="utf-8")
        nights.append(night)
        said |= {turn["dia_id"]: f"{turn['speaker']}: {turn['text']}" for turn in turns}
    questions = [
        Question(
            row["question"],
            (str(row["answer"]),),
            "\n".join(said[one] for one in row["evidence"]),
            cluster=row["evidence"][0].split(":")[0],  # `D3:7` is the seventh turn of session 3
            kind=CATEGORIES[row["category"]],
        )
        for row in whole["qa"]
        if row["category"] in CATEGORIES
        and row.get("evidence")
        and all(one in said for one in row["evidence"])
    ]
    return list(dict.fromkeys(nights)), questions


def run(options: Options, nights: list[Path], questions: list[Question]) -> dict[str, Any]:
    found: dict[str, Any] = {"n": len(questions)}
    with tempfile.TemporaryDirectory() as home, Store.open(Home(Path(home)), True) as store:
        hold_out(store, [question.text for question in questions])
        reports = []
        for night in nights:
            ingest(store, [night])
            reports.append(finished(consolidate(store, options)))
        for name, version in (("base", 0), ("version", None)):
            talker = Talker.open(store, options, version)
            forms = {"closed": closed, "retrieval": retrieved(store, version)}
            if not version and name == "base":
                forms["in view"] = in_view
            said = {form: ask(talker, questions, chat) for form, chat in forms.items()}
            if talker.judges:
                for form in list(said):
                    is_looked_up = form == "retrieval"
                    given = as_given(store, talker, questions, said[form], is_looked_up)
                    said[f"{form}, as given"] = given
            for form, answers in said.items():
                found[f"{name}, {form}"] = {
                    "right": right(questions, answers),
                    "f1": f1(questions, answers),
                }
    kept = ("samples", "divergence", "elapsed_s")
    return found | {"reports": [{key: report[key] for key in kept} for report in reports]}


def _of_kind(right: list[bool], questions: list[Question], kind: str) -> str:
    some = [one for one, question in zip(right, questions, strict=True) if question.kind == kind]
    return f"{kind} {sum(some)} of {len(some)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--what", choices=("news", "locomo"), required=True)
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--conversation", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--nights", type=int, default=2)
    parser.add_argument("--base", default="embedded")
    add_set(parser)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not (given.data / given.what).is_dir():
        parser.exit(0, f"skipped: no {given.what}/ in {given.data}\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if given.what == "news":
            what = f"news {given.items}"
            nights, questions = news(folder, given.data, given.items)
        else:
            what = f"locomo {given.conversation} {given.sessions} {given.nights}"
            nights, questions = locomo(
                folder, given.data, given.conversation, given.sessions, given.nights
            )
        options = replace(Options(base=given.base), **(OPEN_GATE | changes(given.set)))
        row = Results("lived").get(
            label_of(options, what, digest_of(list(map(asdict, questions))), "as given"),
            lambda: run(options, nights, questions),
        )
    if given.json:
        print(json.dumps(row))
        return
    arms = [name for name in row if name.startswith(("base", "version"))]
    clusters = [question.cluster for question in questions]
    kinds = dict.fromkeys(question.kind for question in questions)
    for name in arms:
        found = share(row[name]["right"], clusters)
        assert found is not None
        of_kinds = [_of_kind(row[name]["right"], questions, kind) for kind in kinds if kind]
        print(
            f"{what}: {name:29} right {found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
            f" of {row['n']}, f1 {row[name]['f1']:.3f}{', '.join(['', *of_kinds])}"
        )
    for name in [arm for arm in arms if arm.startswith("version, retrieval")]:
        both = compare(row["base, retrieval"]["right"], row[name]["right"], clusters)
        assert both is not None
        print(
            f"{name.replace('version, retrieval', 'both')} beside retrieval alone: {both.change:+.3f} [{both.low:+.3f}, {both.high:+.3f}],"
            f" {both.won} won, {both.lost} lost"
        )


if __name__ == "__main__":
    main()
