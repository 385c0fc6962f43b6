"""What the model is measured with is not what it rehearses: no divergence prompt and no everyday
question is a rehearsal prompt in the same or in other words.

Two prompts are compared by the content words that they share (Jaccard: shared over all). Words
that say only what kind of request it is ("write", "explain", "three") are left out, because two
prompts may well ask for the same kind of thing; the rest is cut to five letters, so that "heat"
and "heating" or "France" and "Franc" meet.

The threshold: a prompt has two to four content words. A paraphrase keeps the topic, and so most of
these: two of three shared, one of them replaced, is 2/4; one of two kept beside two new ones is 1/4.
Two prompts on different topics that happen to share one word out of three each have 1/5. So 1/4 is
the lowest value at which a paraphrase is likely, and everything from there on is refused. A
paraphrase that keeps no word at all passes here; it was looked for by eye when the lists were written.
"""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROMPTS = ROOT / "trainer" / "prompts"

THRESHOLD = 0.25

FORM_WORDS = """
    a an the this that these those there here it its they them their he she his her we us our
    i me my you your who whom whose what which when where why how is are was were be been being am
    do does did done have has had can could will would should may might must shall not no nor
    of in on at to for from by with about into before after between through during as than
    and or but so if then because while very much too also just now right some any all each
    every other one two three four five ten many few
    write explain give name list tell describe suggest summarise translate correct say mean help
    word words sentence short simple kind kinds difference thing things
    """
FORM = frozenset(FORM_WORDS.split())


def lines(name: str) -> list[str]:
    return (PROMPTS / name).read_text(encoding="utf-8").splitlines()


def everyday() -> list[str]:
    text = (ROOT / "examples" / "everyday.jsonl").read_text(encoding="utf-8")
    return [json.loads(line)["question"] for line in text.splitlines()]


def content(prompt: str) -> frozenset[str]:
    """The words that carry the topic; all words where nothing else is left ("Who are you?")."""
    words = re.findall(r"[a-z]+|[0-9]+", prompt.lower().replace("'s", ""))
    topic = [word.removesuffix("s") for word in words if word not in FORM]
    return frozenset(word[:5] for word in topic or words)


def overlap(one: str, other: str) -> float:
    a, b = content(one), content(other)
    return len(a & b) / len(a | b)


def too_close(measured: list[str], rehearsed: list[str]) -> list[tuple[str, str]]:
    return [(m, r) for m in measured for r in rehearsed if overlap(m, r) >= THRESHOLD]


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
