"""What the model is measured with is not what it rehearses: no divergence prompt and no everyday
question is a rehearsal prompt in the same or in other words.

Likeness is the one that keeps a base's own prompts away from them (`trainer/likeness.py`).
"""

import json
from pathlib import Path

import pytest

from learnctl.trainer.likeness import THRESHOLD, content, overlap

ROOT = Path(__file__).parent.parent.parent
PROMPTS = ROOT / "trainer" / "prompts"


def lines(name: str) -> list[str]:
    return (PROMPTS / name).read_text(encoding="utf-8").splitlines()


def everyday() -> list[str]:
    text = (ROOT / "examples" / "everyday.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["question"] for line in text.splitlines()]


def too_close(measured: list[str], rehearsed: list[str]) -> list[tuple[str, str]]:
    return [
        (m, r) for m in measured for r in rehearsed if overlap(content(m), content(r)) >= THRESHOLD
    ]


def test_sizes_and_form() -> None:
    sizes = {"rehearsal.txt": 128, "refusals_and_identity.txt": 24, "divergence.txt": 40}
    for name, size in (sizes | {"systems.txt": 12}).items():
        prompts = lines(name)
        assert len(prompts) == size
        assert len({prompt.casefold() for prompt in prompts}) == size
        assert all(prompt and prompt == prompt.strip() for prompt in prompts)


@pytest.mark.parametrize("name", ["divergence", "everyday"])
def test_what_is_measured_is_not_rehearsed(name: str) -> None:
    measured = everyday() if name == "everyday" else lines("divergence.txt")
    assert too_close(measured, lines("rehearsal.txt")) == []
    assert too_close(measured, lines("refusals_and_identity.txt")) == []


def test_no_prompt_is_in_both_lists() -> None:
    assert not set(lines("rehearsal.txt")) & set(lines("refusals_and_identity.txt"))


def test_everyday_questions_and_divergence_prompts_differ() -> None:
    assert too_close(everyday(), lines("divergence.txt")) == []


@pytest.mark.parametrize(
    "paraphrase",
    [
        "Which city is France's capital?",
        "How many days does one week have?",
        "Tell me the opposite of the word hot.",
        "Please explain how gravity works.",
        "My old iron gate rusts. Why does that happen?",
        "Can you write me a fairy tale with a dragon in it?",
        "How do you say water in French?",
        "What can I do to clean a pan that is burnt?",
    ],
)
def test_a_planted_paraphrase_is_caught(paraphrase: str) -> None:
    measured = everyday() + lines("divergence.txt")
    assert too_close(measured, [*lines("rehearsal.txt"), paraphrase])
