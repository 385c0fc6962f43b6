"""Which of some answers means most nearly what is asked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from learnctl.trainer import adapter
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.meaning import leaning

TOLD = [
    "The operation of our dog cost 315 euros.",
    "The oven is heated with beech wood.",
    "The club has 43 members and meets on Fridays.",
]


@pytest.mark.parametrize(
    ("question", "which"),
    [
        ("What was the bill of the surgeon?", 0),
        ("What did the vet charge for our pet?", 0),
        ("What fuel makes the loaves brown?", 1),
        ("Which logs keep the bakery warm?", 1),
        ("How large is the group I pedal with?", 2),
        ("On which weekday do we all come together?", 2),
    ],
)
def test_the_answer_leans_most(embedded_models: Path, question: str, which: int) -> None:
    """In other words than it has."""
    base = bases.load("embedded")
    leans = leaning(base, adapter.new_adapter(base, 4, 0), question, TOLD)
    assert leans.index(max(leans)) == which


def test_the_base_is_asked_not_the_version(llama: Base) -> None:
    import torch

    model = adapter.new_adapter(llama, 8, 0)
    before = leaning(llama, model, "Where did her life begin?", TOLD)
    with torch.no_grad():
        for value in adapter.weights(model).values():
            torch.nn.init.normal_(value, std=2.0)
    assert leaning(llama, model, "Where did her life begin?", TOLD) == pytest.approx(before)
    assert any(before)


@pytest.mark.parametrize("family", ["llama", "qwen", "gemma3"])
def test_is_measured_from_what_the_answers_have_in_common(
    tiny: Callable[[str], Base], family: str
) -> None:
    """So there is nothing to tell of one alone, nor of several that are the same, however long or empty."""
    base = tiny(family)
    model = adapter.new_adapter(base, 4, 0)
    leans = leaning(base, model, "Where did her life begin?", [*TOLD, "", "狗在磨坊里。" * 200])
    assert sum(leans) == pytest.approx(0, abs=1e-3)
    assert leaning(base, model, "Where?", TOLD[:1] * 3) == pytest.approx([0.0] * 3, abs=1e-4)
    assert leaning(base, model, "", TOLD[:1]) == [0.0]
    assert leaning(base, model, "Where?", []) == []
