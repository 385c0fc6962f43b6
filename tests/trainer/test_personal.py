"""The benchmark of personal notes: what it asks when, how it scores, and that a stopped one goes on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import personal, results
from benchmarks.exam import abstains
from benchmarks.recall import OPEN_GATE
from learnctl.memory.home import Home
from learnctl.memory.sentences import sentences
from learnctl.memory.store import Store
from learnctl.trainer.absent import NOT_IN_NOTES
from learnctl.trainer.examine import read_questions
from learnctl.trainer.facts import contains, normalise
from learnctl.trainer.options import Options
from learnctl.trainer.synthesize import held_out

QUESTIONS: list[dict[str, Any]] = [
    {
        "night": 1,
        "until": 1,
        "kind": "direct",
        "question": "Where does Ada live?",
        "gold": ["Bree"],
    },
    {"night": 1, "kind": "direct", "question": "What is Ada's goat called?", "gold": ["Pim"]},
    {"night": 1, "kind": "paraphrased", "question": "Which name has the animal?", "gold": ["Pim"]},
    {"night": 1, "kind": "rephrased", "question": "How is Ada's goat named?", "gold": ["Pim"]},
    {"night": 1, "kind": "reversed", "question": "Whose goat is Pim?", "gold": ["Ada"]},
    {"night": 1, "kind": "unheard", "question": "Who sold us the boat?", "gold": []},
    {"night": 1, "kind": "absent", "question": "How old is Ada's goat?", "gold": []},
    {"night": 2, "kind": "direct", "question": "Where does Ada live now?", "gold": ["Holm"]},
    {"night": 2, "kind": "two-step", "question": "Where does Pim's owner live?", "gold": ["Holm"]},
]
NIGHTS = {
    1: "Ada lives in the town of Bree. Her goat is called Pim.\n",
    2: "On 3 May 2025 Ada moved from there to Holm by the sea.\n",
}
FORMS = (
    "weights",
    "as given",
    "retrieval and weights",
    "both as given",
    "retrieval alone",
    "passage in view",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two nights of one file, and their questions."""
    folder = tmp_path / "notes"
    for number, text in NIGHTS.items():
        night = folder / f"night-{number}"
        night.mkdir(parents=True)
        (night / "ada.md").write_text(text)
    rows = [
        row | ({} if row["kind"] == "unheard" else {"source": f"night-{row['night']}/ada.md"})
        for row in QUESTIONS
    ]
    (folder / "questions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results are kept in this test."""
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    return tmp_path / "results"


def test_nights(
    data: Path,
    kept: Path,
    tiny_folder: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One after the other, each on the store of the one before; stopped anywhere, the next call goes on."""
    few: dict[str, Any] = {
        "epochs": 1,
        "rank": 4,
        "general_rows": 4,
        "own_share": 0.0,
        "questions_per_fact": 0,
        "max_divergence": 1e9,
    }
    base = str(tiny_folder("llama"))
    options = Options(base=base, **(OPEN_GATE | few))

    def run(n_nights: int | None) -> list[dict[str, Any]]:
        return personal.run(data, n_nights, options, True, results.Results("personal"))

    (first,) = run(1)
    (home,) = (kept / "personal").iterdir()
    asked = {normalise(row["question"]) for row in QUESTIONS}
    with Store.open(Home(home)) as store:
        prompts = {normalise(row["prompt"]) for row in store.rows("SELECT prompt FROM samples")}
        assert asked <= held_out(store)
    assert prompts
    assert prompts.isdisjoint(asked)

    # As if it had been stopped between training and asking, or between what is asked greedily and what is given.
    rows = (kept / "personal.jsonl").read_text().splitlines(keepends=True)
    for n_kept in range(len(rows)):
        (kept / "personal.jsonl").write_text("".join(rows[:n_kept]))
        assert run(1) == [first]
        assert len((kept / "personal.jsonl").read_text().splitlines()) == len(rows)

    aside = home.rename(home.with_name("aside"))
    with pytest.raises(SystemExit, match="does not hold the notes up to night 2"):
        run(2)
    shutil.rmtree(home)
    aside.rename(home)

    again, second = run(None)
    greedy = {form: said for form, said in first["answers"].items() if "given" not in form}
    assert again == first | {"answers": greedy}
    assert [first["level"], second["level"]] == ["slow", "fast"]
    for row, number, n_asked in ((first, 1, 7), (second, 2, 8)):
        assert (row["night"], row["decision"]) == (number, "promoted")
        forms = {form: len(answers) for form, answers in row["answers"].items()}
        assert forms == dict.fromkeys(FORMS, n_asked)
    # All nights are done, so the store is not needed any more; the rows are enough.
    assert not home.exists()
    assert run(None) == [again, second]

    command = ["personal", "--data", str(data), "--base", base, "--both"]
    command += ["--set", *(f"{name}={value}" for name, value in few.items())]
    monkeypatch.setattr("sys.argv", command)
    personal.main()
    told = capsys.readouterr().out
    assert "night 1, weights: direct " in told
    for words in ("goal at least 0.75", "goal at most 0.1", "both beside retrieval alone"):
        assert words in told
    monkeypatch.setattr("sys.argv", [*command, "--json"])
    personal.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["night"] for line in lines] == [1, 2]
    assert {(one["form"], one["kind"]) for one in lines[1]["scores"]} == {
        (form, kind) for form in FORMS for kind in (*personal.GOALS, "false abstention")
    }


@pytest.mark.parametrize("changed", ["night-1/ada.md", "questions.jsonl"])
def test_other_notes_are_not_taken_for_these(data: Path, changed: str) -> None:
    before = personal.label_for(data, Options(), False)
    assert personal.label_for(data, Options(), False) == before
    (data / changed).write_text((data / changed).read_text() + "\n")
    assert personal.label_for(data, Options(), False) != before


def test_what_has_changed_is_no_more_asked_for(data: Path) -> None:
    questions = read_questions(data / "questions.jsonl")
    first = [row["question"] for row in personal.asked_after(questions, 1)]
    second = [row["question"] for row in personal.asked_after(questions, 2)]
    assert len(first) == 7
    assert [question for question in first if question not in second] == ["Where does Ada live?"]
    assert second[-2:] == ["Where does Ada live now?", "Where does Pim's owner live?"]


@pytest.mark.parametrize(
    ("answer", "direct", "absent", "false_abstention"),
    [
        ("Ada, with Pim, lives in Holm.", 1.0, 0.0, 0.0),
        (NOT_IN_NOTES, 0.0, 1.0, 1.0),
        ("The bridge is closed.", 0.0, 0.0, 0.0),
        ("I am not sure, but I think of Ada, Pim and Holm.", 1.0, 1.0, 0.0),
    ],
)
def test_scores(
    data: Path, answer: str, direct: float, absent: float, false_abstention: float
) -> None:
    """One answer to every question: what it makes of each kind. Who doubts and yet tells it does not abstain."""
    questions = read_questions(data / "questions.jsonl")
    row = {"night": 2, "answers": {"weights": [answer] * 8}}
    found = {line["kind"]: line for line in personal.scores(row, questions)}
    assert set(found) == {*personal.GOALS, "false abstention"}
    assert found["absent"]["value"] == found["unheard"]["value"] == absent
    for kind in ("direct", "rephrased", "paraphrased", "reversed", "two-step"):
        assert found[kind]["value"] == direct
    assert found["false abstention"]["value"] == false_abstention
    assert {kind: line["n"] for kind, line in found.items()} == {
        "direct": 2, "rephrased": 1, "paraphrased": 1, "reversed": 1, "two-step": 1, "absent": 1, "unheard": 1,
        "false abstention": 5
    }  # fmt: skip


def test_questions_of_one_source_widen_the_interval() -> None:
    """Sixteen questions of two sources, all right in one and all wrong in the other, are not sixteen trials."""

    def marks(sources: str) -> list[personal.Mark]:
        return [
            personal.Mark("direct", source, number < 8, False)
            for number, source in enumerate(sources)
        ]

    together = personal.share_right(marks("a" * 8 + "b" * 8), "direct")
    apart = personal.share_right(marks("abcdefghijklmnop"), "direct")
    assert together is not None
    assert apart is not None
    assert together.value == apart.value == 0.5
    assert together.high - together.low > apart.high - apart.low


@pytest.mark.parametrize(
    "answer",
    [
        NOT_IN_NOTES,
        "It is not in your notes.",
        "This is not mentioned in the notes.",
        "I don't know.",
        "I’m not sure what you mean.",
        "I'm sorry, but I don't have access to personal information.",
        "I am sorry. I cannot say how old the goat is.",
        "Unfortunately, there is no information about the goat.",
        "Your notes do not mention the age of the goat.",
        "The passage doesn't say who built it.",
        "It does not say who built it.",
        "Nothing is known about the goat.",
        "Your notes say nothing about a goat.",
        "The age of the goat is unknown.",
    ],
)
def test_what_says_that_it_is_not_known(answer: str) -> None:
    assert abstains(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Sorry.",
        "The goat is seven. I am not sure about that.",
        "Bram must not have kiwi.",
        "She cannot stand perfume.",
        "You do not have a goat.",
        "No.",
        "He writes notes in pencil.",
        "It does not give milk any more.",
        "They never tell anyone their age.",
        "He is not known for his patience.",
    ],
)
def test_what_claims_something(answer: str) -> None:
    assert not abstains(answer)


def test_nothing_that_the_notes_say_is_taken_for_not_knowing() -> None:
    """Nor any accepted answer in them: else knowing it would be counted as not knowing."""
    for file in personal.NOTES.glob("night-*/*"):
        for sentence in sentences(file.read_text(encoding="utf-8")):
            assert not abstains(sentence), sentence
    for row in read_questions(personal.NOTES / "questions.jsonl"):
        assert not any(abstains(f"It is {gold}.") for gold in row["gold"]), row["question"]
        assert not any(contains(NOT_IN_NOTES, gold) for gold in row["gold"]), row["question"]
