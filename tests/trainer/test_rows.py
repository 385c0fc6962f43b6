"""Samples as rows: every sample in every epoch, in changing circumstances that the seed fixes."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from learnctl.memory.search import telling_words
from learnctl.memory.store import Record
from learnctl.trainer.absent import NOT_IN_NOTES, Strangers
from learnctl.trainer.base import Base
from learnctl.trainer.cues import Words
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row
from learnctl.trainer.prompt_lists import read_prompts
from learnctl.trainer.rows import (
    EPOCHS,
    LEAST_STEPS,
    MOST_EPOCHS,
    Material,
    anchors_beside,
    epoch_rows,
    general_rows,
    n_epochs,
    plain_row,
)

LONGEST = 512


def sample(number: int) -> Record:
    return {
        "id": number,
        "kind": "question",
        "prompt": f"What is the number of house {number}?",
        "answer": f"It is {number}.",
    }


SAMPLES = [sample(number) for number in range(100, 160)]
GENERAL = [
    {"id": 1, "kind": "general", "prompt": "Name a fruit.", "answer": "An apple is a fruit."},
    {"id": 2, "kind": "general open", "prompt": "Tell a story.", "answer": "Once there was a"},
]


def rows_of(base: Base, epoch: int = 0, seed: int = 0, longest: int = LONGEST) -> list[Row]:
    rehearsed = list(general_rows(base, GENERAL, longest).values())
    options = Options(general_rows=2, seed=seed, pack_tokens=longest)
    return epoch_rows(base, Material(SAMPLES, GENERAL, {}, rehearsed), options, epoch)


def texts(base: Base, rows: list[Row]) -> list[str]:
    return [base.tokenizer.decode(row.ids) for row in rows]


def answers(base: Base, rows: list[Row]) -> list[str]:
    return [base.tokenizer.decode(row.ids[row.answer_start :]) for row in rows]


@pytest.mark.parametrize("family", ["llama", "gemma"])
def test_every_sample_in_every_epoch(tiny: Callable[[str], Base], family: str) -> None:
    """An epoch has each sample once, ended by the end of its turn, and the general rows beside them,
    also where the chat form knows no system prompt."""
    base = tiny(family)
    end = "<end_of_turn>" if family == "gemma" else "<|eot_id|>"
    wanted = [f"It is {number}.{end}" for number in range(100, 160)]
    found = answers(base, rows_of(base))
    assert sorted(text for text in found if text.startswith("It is")) == wanted
    assert len(found) == len(wanted) + len(GENERAL)


@pytest.mark.parametrize("n_facts", [1, 60, 340, 4000])
def test_refusals_and_identity_in_every_epoch(llama: Base, n_facts: int) -> None:
    """One or two rows of a hundred, at least one, also where the list is shorter than that; going round from
    epoch to epoch; none where nothing general is rehearsed."""
    facts = [sample(number) for number in range(n_facts)]
    anchors = [
        {"id": 1, "kind": "general", "prompt": "Who are you?", "answer": "Someone."},
        {"id": 2, "kind": "general", "prompt": "What did I dream?", "answer": "Unknown."},
    ]
    rows = list(general_rows(llama, anchors, LONGEST).values())
    material = Material(facts, [], {}, [], anchors=rows)
    seen = set()
    for epoch in range(2):
        found = [
            answer
            for answer in answers(llama, epoch_rows(llama, material, Options(), epoch))
            if not answer.startswith("It is")
        ]
        assert len(found) == anchors_beside(n_facts, Options())
        share = len(found) / (n_facts + Options().general_rows)
        assert 0.01 <= share <= 0.02 or len(found) == 1
        seen |= set(found)
    assert len(seen) == 2
    assert anchors_beside(n_facts, Options(general_rows=0)) == 0


def test_order_and_forms_follow_from_the_seed(llama: Base) -> None:
    """The same epoch is always the same; another epoch and another seed are in another order."""
    first = rows_of(llama)
    assert rows_of(llama) == first
    assert rows_of(llama, epoch=1) != first
    assert rows_of(llama, seed=1) != first


def test_circumstances(llama: Base) -> None:
    """Over some epochs samples are asked alone, under a user's system prompt, and as a later turn."""
    found = [text for epoch in range(8) for text in texts(llama, rows_of(llama, epoch))]
    asked = [text for text in found if "of house" in text]
    systems = [text for text in asked if any(prompt in text for prompt in read_prompts("systems"))]
    later = [text for text in asked if "Name a fruit." in text or "Tell a story." in text]
    assert 0 < len(systems) < len(asked) / 2
    assert 0 < len(later) < len(asked) / 2
    assert all("It is" in text for text in asked)


def test_a_row_that_is_too_long_is_asked_alone(llama: Base) -> None:
    """Circumstances that do not fit a pack are left out; the sample is not."""
    usual = rows_of(llama)
    alone = max(
        len(row.ids)
        for row, text in zip(usual, texts(llama, usual), strict=True)
        if text.count("<|start_header_id|>") == 2
    )
    assert alone < max(len(row.ids) for row in usual)
    rows = rows_of(llama, longest=alone)
    assert max(len(row.ids) for row in rows) <= alone
    assert sum("of house" in text for text in texts(llama, rows)) == len(SAMPLES)


def test_where_an_answer_was_cut_no_end_is_trained(llama: Base) -> None:
    """A general answer that was cut off is trained without an end of turn."""
    ended, cut = general_rows(llama, GENERAL, LONGEST).values()
    assert ended.ids[-1] in llama.stop_ids
    assert cut.ids[-1] not in llama.stop_ids
    assert llama.tokenizer.decode(cut.ids[cut.answer_start :]) == "Once there was a"


def test_a_cue_is_asked_in_other_words_in_every_epoch(llama: Base) -> None:
    """The first epoch asks as the store has it; later ones with other words of the fact and of its passage, never in a
    wording that is held out, and the same again after a stop."""
    fact = "Our trainer is Ambrose Tilling, a former customs officer."
    passage = f"The dog school meets behind the Juniper Inn. {fact} The dog likes the school."
    cue = {
        "id": 7,
        "kind": "cue",
        "prompt": "Who officer?",
        "answer": fact,
        "passage": passage,
        "place": "Village notes › The Juniper Inn",
        "language": "en",
    }

    def asked(held: frozenset[Words], epoch: int) -> str:
        material = Material([cue], [], {}, [], held=held)
        [row] = epoch_rows(llama, material, Options(general_rows=0), epoch)
        return str(llama.tokenizer.decode(row.ids[: row.answer_start]))

    prompts = [asked(frozenset(), epoch) for epoch in range(40)]
    assert "Who officer?" in prompts[0]
    assert len(set(prompts)) > 20
    assert any("dog" in prompt or "school" in prompt for prompt in prompts)
    assert any("village" in prompt for prompt in prompts)  # of what the passage stands under
    assert prompts == [asked(frozenset(), epoch) for epoch in range(40)]
    assert not any("juniper" in prompt.lower() for prompt in prompts)  # another fact's value
    wording = next(prompt for prompt in prompts if "Who trainer?" in prompt)
    held = frozenset([frozenset(["trainer"])])
    assert wording not in [asked(held, epoch) for epoch in range(1, 40)]


def test_what_is_in_no_note_is_asked_of_another_in_each_epoch(llama: Base) -> None:
    """In no wording that is held out; of nobody where nobody is a stranger any more."""
    asked = "Where does Zenobia live?"
    absent = {"id": 7, "kind": "absent", "prompt": asked, "answer": NOT_IN_NOTES}

    def prompts(strangers: Strangers, held: frozenset[Words] = frozenset()) -> str:
        material = Material([absent], [], {}, [], held=held, strangers=strangers)
        epochs = [epoch_rows(llama, material, Options(general_rows=0), n) for n in range(30)]
        asked = [row.ids[: row.answer_start] for rows in epochs for row in rows]
        return " ".join(llama.tokenizer.decode(ids) for ids in asked)

    some = Strangers(("Zenobia", "Jocasta", "Thaddeus"), ())
    assert all(f"Where does {name} live?" in prompts(some) for name in some.names)
    held = frozenset([frozenset(telling_words("Where does Jocasta live?"))])
    assert "Jocasta" not in prompts(some, held)
    assert "Thaddeus" in prompts(some, held)
    assert "Zenobia" not in prompts(Strangers(("Jocasta",), ()))
    assert prompts(Strangers()) == ""


def test_what_was_learned_before_goes_round(llama: Base) -> None:
    """In each epoch as many as are wanted beside what is new; in a few epochs all of them, equally often."""
    earlier = [
        {
            "id": 100 + n,
            "kind": "question",
            "prompt": f"What is earlier {n}?",
            "answer": "A number.",
        }
        for n in range(100)
    ]
    options = Options(general_rows=0)
    n_each = 25
    material = Material(SAMPLES, [], {}, [], replayed=earlier, replayed_each=n_each)
    seen: Counter[str] = Counter()
    for epoch in range(5):
        rows = epoch_rows(llama, material, options, epoch)
        asked = [llama.tokenizer.decode(row.ids[: row.answer_start]) for row in rows]
        numbers = [found[0] for text in asked if (found := re.search(r"earlier \d+", text))]
        assert len(numbers) == len(set(numbers)) == n_each
        seen.update(numbers)
    assert len(seen) == len(earlier)
    assert set(seen.values()) <= {5 * n_each // 100, 5 * n_each // 100 + 1}


@pytest.mark.parametrize(("kind", "turns"), [("voice", {2, 3}), ("open", {4, 5})])
def test_a_voice_and_reading_are_not_overdone(llama: Base, kind: str, turns: set[int]) -> None:
    """All their samples in the first epoch, and each a few times in a long night, while facts are in all epochs."""
    some = [one | {"kind": kind} for one in SAMPLES[:30]]
    material = Material([*some, *SAMPLES[30:]], [], {}, [])
    seen: Counter[str] = Counter()
    for epoch in range(MOST_EPOCHS):
        rows = epoch_rows(llama, material, Options(general_rows=0), epoch)
        numbers = re.findall(r"It is (\d+)", " ".join(answers(llama, rows)))
        assert epoch or len(numbers) == len(SAMPLES)
        seen.update(numbers)
    assert {seen[str(one["id"])] for one in some} == turns
    assert {seen[str(one["id"])] for one in SAMPLES[30:]} == {MOST_EPOCHS}


def test_a_voice_that_is_replayed_has_its_turns(llama: Base) -> None:
    """It comes up as often as any other earlier sample."""
    earlier = [one | {"kind": "voice"} for one in SAMPLES]
    material = Material(SAMPLES[:1], [], {}, [], replayed=earlier, replayed_each=10)
    for epoch in range(4):
        assert len(epoch_rows(llama, material, Options(general_rows=0), epoch)) == 11


def test_a_voice_is_not_overdone_where_all_that_is_known_is_replayed(llama: Base) -> None:
    """Beside what else is replayed, which then comes up in every round, a voice has two."""
    voice = [one | {"id": 100 + one["id"], "kind": "voice"} for one in SAMPLES[:10]]
    material = Material(
        SAMPLES[:1], [], {}, [], replayed=[*voice, *SAMPLES[10:20]], replayed_each=15
    )
    seen: Counter[str] = Counter()
    for epoch in range(MOST_EPOCHS):
        rows = epoch_rows(llama, material, Options(general_rows=0), epoch)
        seen.update(re.findall(r"It is (\d+)", " ".join(answers(llama, rows))))
    assert {seen[str(one["id"])] for one in SAMPLES[1:10]} == {2}
    assert {seen[str(one["id"])] for one in SAMPLES[10:20]} == {9}


def test_a_small_night_goes_over_its_rows_oftener() -> None:
    """Few steps teach next to nothing: up to twice as many epochs, unless a number was set."""
    assert n_epochs(Options(), 200) == n_epochs(Options(), LEAST_STEPS / EPOCHS) == EPOCHS
    assert n_epochs(Options(), LEAST_STEPS / (EPOCHS + 2)) == EPOCHS + 2
    assert n_epochs(Options(), 1) == MOST_EPOCHS
    assert n_epochs(Options(epochs=3), 1) == 3


def test_rows_that_count_nothing_are_left_out(llama: Base) -> None:
    """A pack of nothing else would have no loss."""
    silent = [replace(plain_row(llama, sample), weight=0.0) for sample in SAMPLES[5:9]]
    material = Material(SAMPLES[:4], [], {}, silent)
    options = Options(general_rows=4, own_share=0.0)
    assert len(epoch_rows(llama, material, options, 0)) == 4
