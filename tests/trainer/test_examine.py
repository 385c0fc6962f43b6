"""A person's own questions: read from a file, asked closed-book, and never trained on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.store import Store
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.examine import examine, read_questions
from learnctl.trainer.facts import normalise
from learnctl.trainer.options import Options
from learnctl.trainer.ways import ask_all_ways

GOOD = {"question": "Who services the boiler?", "gold": "Harald Immer", "night": 1}


def write(path: Path, *lines: object) -> Path:
    rows = (x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines)
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_questions_are_read(tmp_path: Path) -> None:
    """One gold or several; what else a line says is kept, and empty lines are passed over."""
    several = {"question": "When?\u2028And how?", "gold": ["3", "three"]}
    first, second = read_questions(write(tmp_path / "q.jsonl", GOOD, "", several))
    assert first == {**GOOD, "gold": ["Harald Immer"]}
    assert second["gold"] == ["3", "three"]


@pytest.mark.parametrize("line", ["{", "[]", "3", '{"question": "Who?"}', '{"gold": ["x"]}'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(LearnctlError, match=r"q\.jsonl:2: expected an object"):
        read_questions(write(tmp_path / "q.jsonl", GOOD, line))


def test_no_questions_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(LearnctlError, match="no questions"):
        read_questions(write(tmp_path / "q.jsonl", ""))
    with pytest.raises(LearnctlError) as raised:
        read_questions(tmp_path / "none.jsonl")
    assert str(raised.value) == f"{tmp_path / 'none.jsonl'}: no such file or directory"


def test_every_question_is_answered_and_held_out(
    store: Store, house: int, settings: Callable[..., Options]
) -> None:
    """Each question comes back with an answer and a mark, and no later sample asks it."""
    prompts = store.rows("SELECT prompt FROM samples")
    assert not prompts
    questions = [{**GOOD, "gold": ["Harald Immer"]}]
    result = examine(store, settings(), questions, version=0)
    assert result["version"] == 0
    assert result["n"] == 1
    assert result["right"] == sum(row["correct"] for row in result["answers"])
    assert set(result["answers"][0]) == {*GOOD, "answer", "correct"}

    consolidate(store, settings())
    asked = {normalise(row["prompt"]) for row in store.rows("SELECT prompt FROM samples")}
    assert asked
    assert normalise(GOOD["question"]) not in asked  # type: ignore[arg-type]


def test_what_cannot_be_asked_holds_nothing_out(
    store: Store, house: int, settings: Callable[..., Options]
) -> None:
    questions = [{**GOOD, "gold": ["Harald Immer"]}]
    for ask in (examine, ask_all_ways):
        with pytest.raises(LearnctlError, match="no version 99"):
            ask(store, settings(), questions, version=99)
    assert not store.rows("SELECT * FROM held_out")
