"""The general suite: items of every known form, scored as one by one, kept, and compared with the base."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.store import Store
from learnctl.trainer.base import Base
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.options import Options
from learnctl.trainer.progress import Progress
from learnctl.trainer.suite import Item, answer_items, of_version, read_suite, retention

CHOICES = {
    "question": "What do bees make?",
    "choices": {"text": ["honey", "wool", "paper"], "label": ["A", "B", "C"]},
    "answerKey": "A",
}
STEM = {
    "question_stem": "Rain falls from",
    "choices": {"text": ["roots", "clouds"], "label": ["1", "2"]},
    "answerKey": "2",
}
GOAL = {"goal": "To cut bread", "sol1": "use a knife", "sol2": "use a spoon", "label": 0}
SENTENCE = {
    "sentence": "The cup did not fit the box because the _ was too small.",
    "option1": "cup",
    "option2": "box",
    "answer": "2",
}
PASSAGE = {"question": "is ice cold", "answer": False, "passage": "Ice is frozen water."}
PREMISE = {
    "premise": "The glass fell.",
    "choice1": "It broke.",
    "choice2": "It sang.",
    "question": "effect",
    "label": 0,
}
EVERY = (CHOICES, STEM, GOAL, SENTENCE, PASSAGE, PREMISE)


def write(folder: Path, name: str, *lines: object) -> None:
    folder.mkdir(exist_ok=True)
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / name).write_text(text + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite of six tasks with an item each."""
    for number, row in enumerate(EVERY):
        write(tmp_path / "general", f"task{number}.jsonl", row)
    return tmp_path / "general"


def test_every_form_is_read(folder: Path) -> None:
    """Of each form the options, what stands before them, and which is right."""
    suite = read_suite(folder, 100)
    assert suite.left_out == []
    choices, stem, goal, sentence, passage, premise = suite.items
    assert choices.options[0] == ("Question: What do bees make?\nAnswer:", " honey")
    assert [item.answer for item in suite.items] == [0, 1, 0, 1, 1, 0]
    assert stem.options[1] == ("Question: Rain falls from\nAnswer:", " clouds")
    assert goal.options[1] == ("Question: To cut bread\nAnswer:", " use a spoon")
    assert [scored for _, scored in sentence.options] == [" was too small."] * 2
    assert sentence.options[1][0].endswith("because the box")
    assert passage.options[1] == ("Ice is frozen water.\nQuestion: is ice cold?\nAnswer:", " no")
    assert premise.options[0] == ("The glass fell so", " it broke.")


def test_all_tasks_alike(folder: Path) -> None:
    """Few items come from many tasks, and from the same lines at each call."""
    many = [GOAL | {"goal": f"Task {number}"} for number in range(50)]
    write(folder, "task2.jsonl", *many)
    some = read_suite(folder, 8)
    assert [item.task for item in some.items].count("task2") == 3
    assert len({item.task for item in some.items}) == 6
    write(folder, "task2.jsonl", *reversed(many))
    assert read_suite(folder, 8) == some


def test_what_is_no_item_is_named(folder: Path, tmp_path: Path) -> None:
    """Broken lines and other files cost a line each; a folder without items is refused."""
    bad: tuple[Any, ...] = (
        "{",
        "[]",
        "7",
        {"goal": "x"},
        GOAL | {"label": 2},
        CHOICES | {"answerKey": "Z"},
    )
    bad += (GOAL | {"sol1": 5}, SENTENCE | {"sentence": "no gap"})
    # Nothing stands before what would be scored.
    bad += (SENTENCE | {"sentence": "_ is small.", "option1": ""},)
    write(folder, "bad.jsonl", *bad, STEM)
    write(folder, "other.jsonl", {"prompt": "Write a poem."})
    (folder / "long.jsonl").write_text('{"goal": "' + "x" * 300_000 + '"}')
    suite = read_suite(folder, 100)
    assert len(suite.items) == 7
    assert suite.left_out == [
        "bad.jsonl: 9 lines are no items and were left out",
        "long.jsonl: no multiple-choice items of a known form",
        "other.jsonl: no multiple-choice items of a known form",
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(LearnctlError, match="no multiple-choice items in it"):
        read_suite(tmp_path / "empty", 10)
    with pytest.raises(LearnctlError, match="no such folder"):
        read_suite(tmp_path / "none", 10)


def likeliest(base: Base, model: Any, item: Item) -> int:
    """The option with the highest mean log-probability, each computed by itself."""
    import torch

    scores = []
    for before, scored in item.options:
        start = base.tokenizer(before)["input_ids"]
        rest = base.tokenizer(scored, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logits = model(torch.tensor([start + rest])).logits[0, len(start) - 1 : -1].float()
        found = torch.log_softmax(logits, -1).gather(-1, torch.tensor(rest)[:, None])
        scores.append(float(found.mean()))
    return scores.index(max(scores))


@pytest.mark.parametrize("family", ["llama", "qwen", "gemma"])
def test_scored_as_if_alone(
    tiny: Callable[[str], Base], folder: Path, family: str, tmp_path: Path
) -> None:
    """Packed together, each item is answered as by itself; progress runs to the last."""
    base = tiny(family)
    more = [GOAL | {"goal": f"To cut {what}", "sol2": what} for what in ("rope", "grass", "hair")]
    write(folder, "more.jsonl", *more)
    items = read_suite(folder, 100).items
    told: list[Progress] = []
    right = answer_items(base, base.model, items, told.append)
    assert right == [likeliest(base, base.model, item) == item.answer for item in items]
    assert 0 < sum(right) < len(items)
    assert (told[-1].done, told[-1].total) == (len(items), len(items))
    assert answer_items(base, base.model, []) == []


def test_a_text_that_is_too_long_loses_its_beginning(llama: Base, folder: Path) -> None:
    write(folder, "task4.jsonl", PASSAGE | {"passage": "Ice is frozen water. " * 200})
    assert len(answer_items(llama, llama.model, read_suite(folder, 100).items)) == 6


def test_retention(
    store: Store, house: int, folder: Path, settings: Callable[..., Options]
) -> None:
    """The base is asked with the adapter off, the version with it on, and nothing is asked twice."""
    options = settings(learning_rate=5e-2, epochs=4)
    suite = read_suite(folder, 100)
    untouched = retention(store, options, suite)
    assert (untouched["version"], untouched["n"], untouched["lost"]) == (0, 6, 0)
    store.db.execute("DELETE FROM suite_answers")
    consolidate(store, options)
    told: list[Progress] = []
    found = retention(store, options, suite, on_progress=told.append)
    assert {one.phase for one in told} == {"suite, base", "suite, version 1"}
    assert found["version"] == 1
    assert found["base"] == untouched["right"]
    assert found["right"] - found["base"] == pytest.approx(found["change"], abs=1e-3)
    assert found["change"] == pytest.approx((found["won"] - found["lost"]) / 6, abs=1e-3)
    assert found["low"] <= found["change"] <= found["high"]
    assert 0 < found["lost_at_most"] <= 1
    assert {task["n"] for task in found["tasks"].values()} == {1}
    kept = store.value("SELECT count(*) FROM suite_answers WHERE version = 1")
    assert kept == 6
    told.clear()
    assert retention(store, options, suite, on_progress=told.append) == found
    assert told == []
    fewer = retention(store, options, read_suite(folder, 3))
    assert fewer["n"] == 3


def test_what_was_interrupted_goes_on(store: Store, llama: Base, tmp_path: Path) -> None:
    """Answers that are there are not asked for again, and all are as if asked at once."""
    many = [GOAL | {"goal": f"To cut {number} breads"} for number in range(80)]
    write(tmp_path / "many", "piqa.jsonl", *many)
    items = read_suite(tmp_path / "many", 100).items
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        if progress.done > 70:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        of_version(store, llama, llama.model, 0, items, stop)
    right = of_version(store, llama, llama.model, 0, items, told.append)
    assert (told[-1].done, told[-1].total) == (16, 16)
    assert right == answer_items(llama, llama.model, items)
