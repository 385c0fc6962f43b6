"""Whether what was found is about the question."""

import math
from pathlib import Path
from typing import Any

import pytest

from learnctl.trainer import adapter
from learnctl.trainer import base as bases
from learnctl.trainer.base import Base
from learnctl.trainer.bearing import (
    DECISIVE,
    LEAST_RIGHT,
    MOST_LED,
    MOST_TOKENS,
    bearing,
    learn,
    led_to,
)

TOLD = "The vet: Our dog Quimby had to be operated. It lasted 50 minutes and cost 315 euros."


@pytest.mark.parametrize(
    ("question", "bears"),
    [
        ("What did the operation of Quimby cost?", True),
        ("How much was the operation of our dog?", True),
        ("How long was Quimby under the knife?", True),
        ("What did the piano cost?", False),
        ("What is my sister called?", False),
        ("How many sheep do we keep?", False),
    ],
)
def test_what_answers_makes_a_question_likelier(
    embedded_models: Path, question: str, bears: bool
) -> None:
    base = bases.load("embedded")
    model = adapter.new_adapter(base, 4, 0)
    (found,) = bearing(base, model, question, [TOLD])
    assert (found >= DECISIVE) == bears


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where did we get our pet?", "Quimby came from the shelter in Snorrebeck."),
        ("What was the bill of the surgeon?", "The operation cost 315 euros."),
        ("What scares our pet?", "Quimby is afraid of umbrellas."),
    ],
)
def test_a_question_leads_to_its_answer(embedded_models: Path, question: str, answer: str) -> None:
    """In other words, too: rather than to any other of these."""
    base = bases.load("embedded")
    model = adapter.new_adapter(base, 4, 0)
    answers = [
        "Quimby is nine years old.",
        "Quimby came from the shelter in Snorrebeck.",
        "The operation cost 315 euros.",
        "Quimby is afraid of umbrellas.",
    ]
    led = dict(zip(answers, led_to(base, model, question, answers), strict=True))
    assert max(led, key=led.__getitem__) == answer


@pytest.mark.parametrize("ask", [bearing, led_to])
def test_the_base_is_asked_not_the_version(llama: Base, ask: Any) -> None:
    """A version may expect any question of what it was taught."""
    import torch

    model = adapter.new_adapter(llama, 8, 0)
    before = ask(llama, model, "Who is Quimby?", [TOLD])
    with torch.no_grad():
        for value in adapter.weights(model).values():
            torch.nn.init.normal_(value, std=2.0)
    assert all(map(math.isfinite, before))
    assert ask(llama, model, "Who is Quimby?", [TOLD]) == pytest.approx(before, abs=1e-4)


def test_each_answer_for_itself(llama: Base) -> None:
    model = adapter.new_adapter(llama, 8, 0)
    answers = ["Yes.", "Quimby is a dog.", "Quimby was born in 2017 in the village of Snorrebeck."]
    alone = [led_to(llama, model, "Who is Quimby?", [answer])[0] for answer in answers]
    assert led_to(llama, model, "Who is Quimby?", answers) == pytest.approx(alone, abs=1e-3)
    assert all(abs(one) <= MOST_LED for one in alone)
    assert led_to(llama, model, "Who is Quimby?", []) == []
    assert led_to(llama, model, "Who is Quimby?", ["", *answers])[1:] == pytest.approx(
        alone, abs=1e-3
    )
    assert led_to(llama, model, "Who is Quimby?", [""]) == [0.0]


def test_each_text_for_itself(llama: Base) -> None:
    model = adapter.new_adapter(llama, 8, 0)
    texts = [TOLD, "", "The fence is green.", TOLD]
    alone = [bearing(llama, model, "Who is Quimby?", [text])[0] for text in texts]
    assert bearing(llama, model, "Who is Quimby?", texts) == pytest.approx(alone, abs=1e-3)
    assert bearing(llama, model, "Who is Quimby?", []) == []
    assert bearing(llama, model, "", texts) == [0.0] * 4


def test_of_a_text_without_beginning_the_end_is_read(llama: Base) -> None:
    model = adapter.new_adapter(llama, 8, 0)
    long = "狗在磨坊里被发现了" * MOST_TOKENS
    once, twice = bearing(llama, model, "狗在哪里？", [long, long * 2])
    assert once == twice


def test_how_much_is_wanted_is_learned_from_right_answers() -> None:
    """No more than what is decisive; a few that are asked for oddly do not lower it."""
    sure = [DECISIVE + 1.0] * 19
    assert learn([]) == learn(sure) == learn([-3.0, *sure]) == DECISIVE
    assert learn([-3.0, 1.0, 2.0, *sure]) == 2.0
    assert learn([0.5] * LEAST_RIGHT) == 0.5
    assert learn([0.5] * (LEAST_RIGHT - 1)) == DECISIVE
    assert learn([-3.0] * LEAST_RIGHT) == 0.0
