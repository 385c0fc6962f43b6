"""Texts in other languages are asked about, and told back, in these."""

from collections.abc import Callable
from random import Random

import pytest

from learnctl.memory.languages import language_of
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.search import telling_words
from learnctl.memory.store import Record, Store
from learnctl.trainer.base import Base
from learnctl.trainer.cues import cue, drawn_again
from learnctl.trainer.facts import Span, contains, find_facts, supported
from learnctl.trainer.study import is_good
from learnctl.trainer.synthesize import deterministic_samples, study_chunks
from learnctl.trainer.wordings import spoken_to, wordings, write_in

GERMAN = "Der Dampfer Eisvogel fährt um sieben Uhr nach Tolm ab. Die Fahrt dauert drei Stunden und kostet 42 Kronen."
CHINESE = "图书馆的钥匙在厨房的抽屉里。我们于2021年5月3日搬到了北京，房租是8400元。"
JAPANESE = "図書館の鍵は台所の引き出しにあります。家賃は84000円です。"


def samples(store: Store, kind: str) -> list[Record]:
    return store.rows("SELECT * FROM samples WHERE kind = ? ORDER BY id", kind)


@pytest.mark.parametrize(
    ("text", "question_words"),
    [
        (GERMAN, {"Wann", "Wie viele", "Wer", "Wo", "Was"}),
        (
            "La clé du grenier est chez Mme Aubrac depuis le 3 mai, et elle coûte 12 euros.",
            {"Quand", "Combien", "Qui", "Où", "Que"},
        ),
        (CHINESE, {"什么时候", "多少", "谁", "哪里", "什么"}),
        (JAPANESE, {"いつ", "いくつ", "誰", "どこ", "何"}),
    ],
)
def test_cues_ask_in_the_language_of_the_text(
    store: Store, take: Callable[[str, str], int], llama: Base, text: str, question_words: set[str]
) -> None:
    take("note.txt", text)
    study_chunks(store, llama, studied_chunks(store), 0, 0)
    asked = samples(store, "cue")
    assert asked
    for sample in asked:
        assert any(sample["prompt"].startswith(word) for word in question_words), sample["prompt"]
        assert supported(sample["answer"], text)
        assert len(sample["prompt"]) < len(sample["answer"]) + 20
    assert not samples(store, "absent")


def test_and_so_does_every_epoch() -> None:
    fact = find_facts(GERMAN, "de")[-1]
    sample = {
        "prompt": "Was Fahrt?",
        "answer": fact.statement,
        "passage": GERMAN,
        "place": "",
        "language": "de",
    }
    drawn = {drawn_again(sample, frozenset(), Random(n))["prompt"] for n in range(20)}
    assert len(drawn) > 3
    assert all(prompt.split()[0] in {"Was", "Wer", "Wo", "Wie", "Wann"} for prompt in drawn)


@pytest.mark.parametrize("text", [CHINESE, JAPANESE])
def test_facts_where_words_have_no_spaces(text: str) -> None:
    """Each sentence is a fact with something to ask for, and an answer that holds it is seen to."""
    facts = find_facts(text, language_of(text))
    assert len(facts) == 2
    for fact in facts:
        span = fact.spans[-1]
        assert contains(f"是的，{fact.statement}", span.text)
        assert not contains("我不知道。", span.text)
        for turn in range(5):
            assert not contains(cue(fact, span, Random(turn)) or "", span.text)


def test_one_name_makes_no_chinese_of_english() -> None:
    (fact,) = find_facts("On 3 May we ate 寿司 with Harald Immer in Tolm.")
    assert [span.text for span in fact.spans][:1] == ["3 May"]
    assert "Tolm" in [span.text for span in fact.spans]
    assert not contains(fact.statement, "we at")


@pytest.mark.parametrize(
    ("gold", "holds"),
    [("8400", True), ("400", False), ("840", False), ("房租", True), ("元", True)],
)
def test_a_number_between_letters_is_a_whole_one(gold: str, holds: bool) -> None:
    assert contains("房租是8400元。", gold) == holds


@pytest.mark.parametrize(
    ("said", "language", "back"),
    [
        ("I keep my bees in Tolm.", "en", "You keep your bees in Tolm."),
        (
            "Ich halte meine Bienen in Tolm.",
            "de",
            "Du hast gesagt: Ich halte meine Bienen in Tolm.",
        ),
        ("Trzymam pszczoły w Tolm.", "pl", "Trzymam pszczoły w Tolm."),
    ],
)
def test_said_back(said: str, language: str, back: str) -> None:
    """Nobody is told of themselves as if they were the assistant."""
    assert spoken_to(said, language) == back


def test_a_chat_in_german(store: Store, take: Callable[[str, str], int], llama: Base) -> None:
    chat = (
        '{"messages": [{"role": "user", "content": "Ich habe gestern mein altes Fahrrad für 80 Euro an'
        ' Rosa verkauft und dafür einen Anhänger gekauft."}, {"role": "assistant", "content": "Schön!"}]}'
    )
    take("chat.jsonl", chat + "\n")
    study_chunks(store, llama, studied_chunks(store), 0, 0)
    (answer,) = {sample["answer"] for sample in samples(store, "cue")}
    assert answer.startswith("Du hast gesagt: Ich habe gestern")


@pytest.mark.parametrize(
    ("question", "good"),
    [
        ("Wann fährt der Dampfer Eisvogel ab?", True),
        ("Wann eröffnete Herr Okafor die Bäckerei?", False),
        ("Um wie viel Uhr fährt der Eisvogel?", True),
        ("Was fährt um sieben Uhr nach Tolm ab?", False),  # gives the answer away
    ],
)
def test_good_questions_in_german(question: str, good: bool) -> None:
    fact = find_facts(GERMAN, "de")[0]
    assert is_good(question, Span("number", "sieben Uhr"), fact) == good


def test_a_base_is_told_the_language() -> None:
    assert write_in("en") == write_in("xx") == ""
    assert write_in("de") == " Write in German."
    assert "{statement}" in wordings("de").examples


@pytest.mark.parametrize(
    "text", ["I am from Leeds.", "I was there in 1987.", "夏天不开。", CHINESE]
)
def test_a_cue_has_a_word_to_ask_with(text: str) -> None:
    """A question word alone asks for nothing."""
    for fact in find_facts(text, language_of(text)):
        for turn in range(40):
            asked = cue(fact, fact.spans[-1], Random(turn))
            assert asked is None or telling_words(asked), asked
    (leeds,) = find_facts("I am from Leeds.")
    assert cue(leeds, leeds.spans[-1], Random(0)) is None
    assert [one.kind for one in deterministic_samples(leeds, True, Random(0))].count("cue") == 0
