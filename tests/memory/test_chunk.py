"""Chunks: short, whole, in order, under one heading, and of the right kind."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnctl.memory.chunk import MOST_WORDS, document_chunks, message_chunks
from learnctl.memory.records import Document, Message, Section


def texts(*sections: Section) -> list[str]:
    return [chunk.text for chunk in document_chunks(Document("t", sections))]


def words(*found: str) -> list[str]:
    return " ".join(found).split()


def sentence(n_words: int, name: str = "word") -> str:
    return " ".join(f"{name}{n}" for n in range(n_words - 1)) + " end."


# Documents


def test_short_paragraphs_go_together() -> None:
    """A chunk is filled up with the paragraphs that follow."""
    assert texts(Section("", "One.\n\nTwo.\nThree.\n\n\n  \nFour.")) == [
        "One.\nTwo.\nThree.\nFour."
    ]


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    """The break is between two paragraphs rather than within one."""
    first, second, third = sentence(90, "a"), sentence(70, "b"), sentence(80, "c")
    assert texts(Section("", f"{first}\n\n{second}\n\n{third}")) == [first, f"{second}\n{third}"]


def test_a_long_paragraph_breaks_between_sentences() -> None:
    """No sentence is cut as long as one fits into a chunk."""
    said = [sentence(40, name) for name in "ABCDEFGH"]
    found = texts(Section("", " ".join(said)))
    assert len(found) == 3
    assert [line for text in found for line in text.splitlines()] == said


def test_a_sentence_that_fits_nowhere_breaks_between_words() -> None:
    long = sentence(2 * MOST_WORDS + 5)
    found = texts(Section("", long))
    assert [len(text.split()) for text in found] == [MOST_WORDS, MOST_WORDS, 5]
    assert words(*found) == words(long)


@pytest.mark.parametrize("text", ["x" * 10**5, "雪" * 10**5, "雪が降る。" * 10**4, "a1/" * 10**5])
def test_text_without_spaces_is_cut_too(text: str) -> None:
    """Encoded data, or a script that does not part its words, makes no chunk without end."""
    found = texts(Section("", text))
    assert max(map(len, found)) <= 24 * MOST_WORDS
    assert re.sub(r"\s", "", "".join(found)) == text


@pytest.mark.parametrize(
    "said",
    [
        "今天我去了市场买了三斤苹果和两斤梨然后回家。",
        "今日は市場へ行ってリンゴを三つ買いました。",
        "วันนี้ฉันไปตลาดเพื่อซื้อแอปเปิ้ลสามกิโลกรัม ",
        "雪" * 2000,
    ],
)
def test_scripts_without_spaces_make_chunks_as_long_as_others(said: str) -> None:
    """Two letters are taken for a word, as they are where texts are measured."""
    found = texts(Section("", said * 100))
    assert 200 < max(map(len, found)) <= 2.1 * MOST_WORDS


def test_chunks_do_not_cross_headings() -> None:
    """Each section has chunks of its own, which carry its heading, however short they are."""
    sections = (Section("A", "One."), Section("A › B", "Two."), Section("", "Three."))
    found = list(document_chunks(Document("t", sections)))
    assert [(c.kind, c.heading, c.text) for c in found] == [
        ("text", "A", "One."),
        ("text", "A › B", "Two."),
        ("text", "", "Three."),
    ]


def test_nothing_makes_no_chunk() -> None:
    assert texts(Section("A", " \n\n \n"), Section("", "")) == []
    assert list(message_chunks(Message("user", " \n"))) == []
    assert list(message_chunks(Message("assistant", ""))) == []


PROSE = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from([" ", ". ", "\n", "\n\n", "? ", " \n \n "])),
    max_size=12,
).map(lambda parts: "".join(sentence(n, f"w{i}x")[:-1] + end for i, (n, end) in enumerate(parts)))


@settings(max_examples=60, deadline=None)
@given(text=PROSE)
def test_no_word_is_lost_or_moved_and_none_too_many(text: str) -> None:
    """However a text is made up, its chunks are its words in order, at most `MOST_WORDS` at a time."""
    found = texts(Section("", text))
    assert words(*found) == words(text)
    replies = [chunk.text for chunk in message_chunks(Message("assistant", text))]
    assert replies == found
    said = list(message_chunks(Message("user", text)))
    assert sorted(words(*(chunk.text for chunk in said))) == sorted(words(text))
    for chunk in [*found, *(chunk.text for chunk in said)]:
        assert 0 < len(chunk.split()) <= MOST_WORDS


# Messages


def kinds(text: str) -> dict[str, str]:
    return {chunk.kind: chunk.text for chunk in message_chunks(Message("user", text))}


def test_what_is_told_and_what_is_asked_are_parted() -> None:
    """A statement can be learned from; a question or a request is none."""
    found = kinds("My sister lives in Turku. Where is that? Please show me a map. She is a vet.")
    assert found == {
        "told": "My sister lives in Turku. She is a vet.",
        "asked": "Where is that? Please show me a map.",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Who is Ann?",
        "You know Ann, right?",
        "Write a poem about Ann.",
        "please list the rivers of Spain",
        "Tell me about Ann.",
        "Translate this into French: the dog barks.",
    ],
)
def test_asked(text: str) -> None:
    assert list(kinds(text)) == ["asked"]


@pytest.mark.parametrize(
    "text",
    [
        "I am called Ann.",
        "Whatever happens, Ann comes on Monday.",
        "Island life suits me.",  # begins with the letters of a question word
        "Ann wrote: who dares wins.",
        "Mr. Immer services the boiler.",
    ],
)
def test_told(text: str) -> None:
    assert list(kinds(text)) == ["told"]


def test_a_reply_is_one_kind_whatever_it_says() -> None:
    """An assistant's statements and questions are kept for search alone."""
    said = "Turku is in Finland. Shall I show you a map?"
    (chunk,) = message_chunks(Message("assistant", said))
    assert (chunk.kind, chunk.text) == ("reply", said)
