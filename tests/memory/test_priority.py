"""What is learned first: one's own, the small, the recent; and large sources do not fill a night."""

from typing import Any

from learnctl.memory.lineage import studied_chunks
from learnctl.memory.people import remember
from learnctl.memory.priority import TURN_WORDS, in_priority
from learnctl.memory.store import Record, Store


def source(number: int, n_chunks: int, date: str = "", n_own: int = 0) -> list[Record]:
    return [
        {"id": 100 * number + n, "source_id": number, "n_words": 150, "date": date}
        | {"is_own": n < n_own}
        for n in range(n_chunks)
    ]


def order(*sources: list[Record]) -> list[int]:
    """The sources in the order in which they first come."""
    chosen = in_priority([chunk for one in sources for chunk in one])
    assert len(chosen) == sum(map(len, sources))
    return list(dict.fromkeys(chunk["source_id"] for chunk in chosen))


def test_own_words_before_what_was_collected() -> None:
    assert order(source(1, 2), source(2, 8, n_own=8)) == [2, 1]
    assert order(source(1, 2), source(2, 8, n_own=1)) == [2, 1]


def test_a_mailbox_with_a_letter_of_one_s_own_was_collected() -> None:
    assert order(source(1, 40), source(2, 40, n_own=1)) == [1, 2]


def test_small_before_large_and_recent_before_old() -> None:
    assert order(source(1, 60), source(2, 2)) == [2, 1]
    assert order(source(1, 2, "2024-01-01"), source(2, 2, "2026-01-01")) == [2, 1]


def test_sources_take_turns() -> None:
    """A book gives as much as a letter before the next book's turn, in its own order."""
    books = [source(1, 40), source(2, 40)]
    chosen = in_priority([chunk for book in books for chunk in book])
    n_turn = TURN_WORDS // 150
    assert [chunk["source_id"] for chunk in chosen[: 2 * n_turn]] == [1] * n_turn + [2] * n_turn
    assert [chunk["id"] for chunk in chosen if chunk["source_id"] == 1] == list(range(100, 140))


def test_one_s_own_is_what_was_said_in_chats_or_bears_one_s_name(store: Store, take: Any) -> None:
    remember(store, ["Ottilie Brand"])
    letter = "From: {} <x@example.org>\nSubject: The fence\nMessage-ID: <{}@example.org>\n\nThe fence of the mill is {}.\n"
    take(
        {
            "mine.eml": letter.format("Ottilie Brand", 1, "green"),
            "theirs.eml": letter.format("Quimby Vale", 2, "red"),
            "note.txt": "The gate is blue.\n",
            "talk.txt": "[01.03.26, 10:00:00] Ottilie Brand: My cart is yellow. What is teal?\n"
            "[01.03.26, 10:01:00] Quimby Vale: My barn is black.\n"
            "[01.03.26, 10:02:00] Ottilie Brand: My sledge is brown.\n",
        }
    )
    of_word = {
        word: chunk["is_own"]
        for chunk in studied_chunks(store)
        for word in ("green", "red", "blue", "teal", "yellow", "black")
        if word in chunk["text"]
    }
    assert of_word == {
        **dict.fromkeys(("green", "teal", "yellow"), True),
        **dict.fromkeys(("red", "blue", "black"), False),
    }


def test_nothing() -> None:
    assert in_priority([]) == []
