"""The personal notes and their questions: every answer stands where it is said to stand, and nothing is
shared with the notes of the demo or of tuning."""

import json
import re
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.search import telling_words
from learnctl.memory.store import Store
from learnctl.trainer.examine import read_questions
from learnctl.trainer.facts import contains, normalise
from learnctl.trainer.prompt_lists import read_prompts

ROOT = Path(__file__).parent.parent
NOTES = ROOT / "benchmarks" / "data" / "personal_notes"
OTHERS = (ROOT / "examples", ROOT / "benchmarks" / "data" / "tuning_notes")
EVERYDAY = ROOT / "benchmarks" / "data" / "tuning_everyday.jsonl"
KINDS = ("direct", "rephrased", "paraphrased", "reversed", "two-step", "absent", "unheard")
# Months, days and what a sentence may begin with stand in everybody's notes.
EVERYBODYS = """
    january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday mondays sundays mother could please journey present house diary work
    """
# Two wordings of one question may share the name of what it is about, but hardly another word.
SHARED_AT_MOST = 0.34
# Of what people ask again, in the mean, half of the words that are no names are others.
REPHRASED_SHARE_AT_MOST = 0.5


@pytest.fixture(scope="module")
def questions() -> list[dict[str, Any]]:
    return read_questions(NOTES / "questions.jsonl")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is studied of each file, as it lies in the store."""
    folder = tmp_path_factory.mktemp("personal")
    texts: dict[str, str] = {}
    with Store.open(Home(folder / "home"), create=True) as store:
        report = ingest(store, sorted(NOTES.glob("night-*")))
        assert not report.refused
        for chunk in studied_chunks(store):
            name = str(Path(chunk["path"]).relative_to(NOTES))
            texts[name] = f"{texts.get(name, '')}\n{chunk['text']}"
    return texts


def test_every_file_is_studied_and_asked_about(
    questions: list[dict[str, Any]], told: dict[str, str]
) -> None:
    """Six nights of three files, in four formats; each is read as what it is."""
    files = {str(file.relative_to(NOTES)) for file in NOTES.glob("night-*/*")}
    assert set(told) == files == {row["source"] for row in questions if "source" in row}
    assert Counter(name.split("/")[0] for name in files) == {f"night-{n}": 3 for n in range(1, 7)}
    assert {Path(name).suffix for name in files} == {".md", ".txt", ".jsonl", ".eml"}


def test_every_gold_stands_in_its_source(
    questions: list[dict[str, Any]], told: dict[str, str]
) -> None:
    """In the words in which an answer is looked for; and never in the question, which an echo would answer."""
    for row in questions:
        for gold in row["gold"]:
            assert contains(told[row["source"]], gold), (row["question"], gold)
            assert not contains(row["question"], gold), (row["question"], gold)
        assert bool(row["gold"]) == (row["kind"] not in ("absent", "unheard")), row["question"]


def test_nights_and_kinds(questions: list[dict[str, Any]]) -> None:
    """Of each night enough of every kind; a question is asked from the night on that tells its answer."""
    counts = Counter((row["night"], row["kind"]) for row in questions)
    nights = range(1, 7)
    assert set(counts) <= {(night, kind) for night in nights for kind in KINDS}
    for night in nights:
        n_facts = counts[night, "direct"]
        assert n_facts == counts[night, "rephrased"] == counts[night, "paraphrased"] >= 20
        assert counts[night, "reversed"] >= counts[night, "direct"] / 2
        assert counts[night, "absent"] == counts[night, "unheard"] >= 5
    totals = Counter(row["kind"] for row in questions)
    assert totals["direct"] >= 120
    assert totals["two-step"] >= 20
    assert totals["absent"] >= 40
    for row in (row for row in questions if "source" in row):
        told_in = [row["source"], *([row["via"]] if "via" in row else [])]
        assert row["night"] == max(int(name[len("night-")]) for name in told_in)
        assert row["night"] <= row.get("until", row["night"]) <= 6


def test_each_fact_has_its_wordings(questions: list[dict[str, Any]]) -> None:
    """A direct one, one rephrased as people do, one paraphrased in other words, all with the same answer, and one reversed at most."""
    by_fact: dict[str, dict[str, dict[str, Any]]] = {}
    for row in questions:
        if "fact" in row:
            assert row["kind"] not in by_fact.setdefault(row["fact"], {})
            by_fact[row["fact"]][row["kind"]] = row
    shared = []
    for fact, wordings in by_fact.items():
        assert set(KINDS[:3]) <= set(wordings) <= set(KINDS[:4]), fact
        direct, other = wordings["direct"], wordings["paraphrased"]
        assert direct["gold"] == wordings["rephrased"]["gold"] == other["gold"]
        assert overlap(direct["question"], other["question"]) <= SHARED_AT_MOST, fact
        shared.append(overlap(direct["question"], wordings["rephrased"]["question"]))
        if "reversed" in wordings:
            asked = wordings["reversed"]["question"]
            assert set(direct["gold"]).isdisjoint(wordings["reversed"]["gold"]), fact
            assert any(shares(asked, gold) for gold in direct["gold"]), fact
    assert mean(shared) <= REPHRASED_SHARE_AT_MOST


def test_two_steps_meet_in_what_both_documents_say(
    questions: list[dict[str, Any]], told: dict[str, str]
) -> None:
    """The link stands in both documents, and the one with the answer cannot be found by the question's name for it."""
    for row in (row for row in questions if row["kind"] == "two-step"):
        assert row["via"] != row["source"]
        assert contains(told[row["via"]], row["through"]), row["question"]
        assert contains(told[row["source"]], row["through"]), row["question"]
        assert not contains(row["question"], row["through"]), row["question"]


def test_what_is_absent_is_about_what_is_there(
    questions: list[dict[str, Any]], told: dict[str, str]
) -> None:
    """Somebody or something of the question stands in the source: that it is a stranger gives nothing away."""
    for row in (row for row in questions if row["kind"] == "absent"):
        assert shares(row["question"], told[row["source"]]), row["question"]


def test_what_is_unheard_of_is_nowhere(
    questions: list[dict[str, Any]], told: dict[str, str]
) -> None:
    """No name in such a question stands in any note, nor all of its words; and no stranger that samples ask of is in it."""
    text = "\n".join(told.values())
    taught = [*read_prompts("things"), *read_prompts("names")]
    heard = {word[:6] for word in telling_words(text)}
    for row in (row for row in questions if row["kind"] == "unheard"):
        assert names(row["question"]) & names(text) == set(), row["question"]
        words = content(row["question"])
        assert words - heard or names(row["question"]), row["question"]
        assert not any(contains(row["question"], one) for one in taught), row["question"]


def test_what_changes_is_asked_of_the_night_it_holds(questions: list[dict[str, Any]]) -> None:
    """Three facts change: the old answer is no more asked for once a later night has told the new one."""
    changed = {row["fact"]: row for row in questions if "until" in row}
    assert {fact: row["until"] for fact, row in changed.items()} == {
        "1-diary-10": 3,
        "1-archive-log-11": 5,
        "2-stargazers-minutes-03": 4,
    }


def test_no_question_twice_and_none_of_the_other_sets(questions: list[dict[str, Any]]) -> None:
    asked = Counter(normalise(row["question"]) for row in questions)
    assert [question for question, n in asked.items() if n > 1] == []
    elsewhere = {
        normalise(json.loads(line)["question"])
        for file in [EVERYDAY, *(file for folder in OTHERS for file in folder.glob("*.jsonl"))]
        for line in file.read_text(encoding="utf-8").splitlines()
    }
    assert asked.keys() & elsewhere == set()


def test_no_name_of_the_other_notes(told: dict[str, str]) -> None:
    elsewhere = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in OTHERS
        for file in folder.rglob("*")
        if file.suffix in {".md", ".txt", ".json", ".jsonl"}
    )
    own = names("\n".join(told.values()))
    assert len(own) > 60
    assert own & names(elsewhere) == set()


def names(text: str) -> set[str]:
    """Capitalised words that do not begin a sentence."""
    found = {word.lower() for word in re.findall(r"(?<=[a-z,] )[A-Z][\w-]{2,}", text)}
    return found - set(EVERYBODYS.split())


def overlap(one: str, other: str) -> float:
    """The share of the words of two questions that both have, but for names and what says little."""
    a, b = content(one), content(other)
    return len(a & b) / len(a | b)


def content(question: str) -> set[str]:
    named = {word.lower() for word in re.findall(r"(?<=\s)[A-Z]\w+", question)}
    return {word[:6] for word in telling_words(question) if word not in named}


def shares(one: str, other: str) -> bool:
    return not set(telling_words(one)).isdisjoint(telling_words(other))
