"""What a person asked, decided and told in conversations, as it is taught."""

import json
import random
import time
from collections.abc import Callable, Iterator

import pytest

from learnctl.memory.learning import set_learn
from learnctl.memory.lineage import studied_chunks
from learnctl.memory.store import Record, Store
from learnctl.trainer.base import Base
from learnctl.trainer.cues import drawn_again
from learnctl.trainer.synthesize import hold_out, study_chunks

DAYS = ("2026-05-03T18:00:00", "2026-05-09T18:00:00")


@pytest.fixture
def talk(take: Callable[[str, str], int]) -> Callable[..., int]:
    def make(*said: tuple[str, str], title: str = "Kitchen") -> int:
        """A conversation of one's own with an assistant: a day and a text for each message."""
        messages = [{"role": "user", "content": text, "created_at": day} for day, text in said]
        lines = json.dumps({"title": title, "messages": messages}) + "\n"
        return take(f"{title}.jsonl", lines)

    return make


def made(store: Store, base: Base, kind: str) -> list[Record]:
    study_chunks(store, base, studied_chunks(store), 0, 0)
    return store.rows("SELECT prompt, answer FROM samples WHERE kind = ? ORDER BY id", kind)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            "We decided to take the blue tiles.",
            "On 3 May 2026 you said: You decided to take the blue tiles.",
        ),
        (
            "I have finally settled on my aunt's old stove.",
            "On 3 May 2026 you said: You have finally settled on your aunt's old stove.",
        ),
        (
            "Let's go with the oak shelves then.",
            "On 3 May 2026 you said: Let's go with the oak shelves then.",
        ),
        ("I have not decided about the tiles.", None),
        (
            "We agreed to move before the winter.",
            "On 3 May 2026 you said: You agreed to move before the winter.",
        ),
        ("If we agreed on a price we could start.", None),
        ("I had decided to quit, but I changed my mind.", None),
        ("The decision was hers, not mine.", None),
        ("My brother decided to take the blue tiles.", None),
        ("I agreed with the plumber, he was right.", None),
        ("Wir haben beschlossen, die blauen Fliesen zu nehmen, das ist nun sicher.", None),
    ],
)
def test_a_decision_is_taught_with_its_day(
    store: Store, llama: Base, talk: Callable[..., int], said: str, answer: str | None
) -> None:
    """What a person decided, in words that are said back to them; what is open or another's decision is none."""
    talk((DAYS[0], said))
    found = made(store, llama, "decided")
    wanted = [{"prompt": "What did I decide in the chat “Kitchen”?", "answer": answer}]
    assert found == (wanted if answer else [])


def test_what_is_told_is_taught_with_its_day(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    """The first fact of a message that has a name to ask for it by, beside the fact itself; a decision has its own, and what has no
    day none."""
    talk(
        (DAYS[0], "My ventilator was made in Malmo. I bought it for 90 euros."),
        (DAYS[0], "We decided to take the blue tiles of Harald Immer."),
        (DAYS[0], "My stove is 40 years old now."),
        (DAYS[1], "My neighbour Quimby repairs pianos."),
        (DAYS[1], "I sold the boat to Ottoline yesterday."),
    )
    talk(("", "My sister lives in Snorrebeck."), title="Family")
    assert [tuple(row.values()) for row in made(store, llama, "told")] == [
        (
            "What did I say in the chat “Kitchen” about Malmo?",
            "On 3 May 2026 you said: Your ventilator was made in Malmo.",
        ),
        (
            "What did I say in the chat “Kitchen” about Quimby?",
            "On 9 May 2026 you said: Your neighbour Quimby repairs pianos.",
        ),
        (
            "What did I say in the chat “Kitchen” about Ottoline?",
            "On 9 May 2026 you said: You sold the boat to Ottoline yesterday.",
        ),
    ]


def test_what_was_told_of_yesterday_has_its_day(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    """Without it nobody can tell which day that was; it is asked for as any fact is, and what has no day stays as it is."""
    passage = "I paint pictures. My sister sold her boat to Ottoline Brook last Sunday."
    talk((DAYS[1], passage))
    talk(("", "My brother moved to Snorrebeck two weeks ago."), title="Family")
    sold = "On 9 May 2026: Your sister sold her boat to Ottoline Brook last Sunday."
    moved = "Your brother moved to Snorrebeck two weeks ago."
    assert {sold, moved} < {row["answer"] for row in made(store, llama, "cue")}
    asked = {row["prompt"]: row["answer"] for row in made(store, llama, "question")}
    assert asked["Who sold her boat to Ottoline Brook last Sunday?"] == sold
    sample = {"id": 1, "kind": "cue", "prompt": "?", "answer": sold, "passage": passage}
    sample |= {"language": "en", "place": ""}
    drawn = [drawn_again(sample, frozenset(), random.Random(n))["prompt"] for n in range(40)]
    assert any(
        "paint" in prompt or "pictures" in prompt for prompt in drawn
    )  # of the sentence before


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the time zone of this process."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Auckland", "10 May"), ("UTC", "9 May")])
def test_a_day_is_the_one_that_it_was_where_the_user_is(
    store: Store,
    llama: Base,
    talk: Callable[..., int],
    live_in: Callable[[str], None],
    zone: str,
    day: str,
) -> None:
    """Chats are kept in UTC, where "yesterday" may be another day."""
    live_in(zone)
    talk(("2026-05-09T21:30:00+00:00", "My sister sold her boat to Ottoline Brook yesterday."))
    sold = f"On {day} 2026: Your sister sold her boat to Ottoline Brook yesterday."
    assert sold in {row["answer"] for row in made(store, llama, "cue")}


def test_each_of_several_is_asked_for_in_words_of_its_own(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    """What was asked on another day is told apart by the day, on the same day by what it was about."""
    talk(
        (DAYS[0], "Which grout suits slate?"),
        (DAYS[0], "Who mends a ventilator?"),
        (DAYS[1], "Where is the stopcock?"),
    )
    assert [tuple(row.values()) for row in made(store, llama, "asked")] == [
        (
            "What did I ask in the chat “Kitchen”?",
            "On 3 May 2026 you asked: Which grout suits slate?",
        ),
        (
            "What did I ask in the chat “Kitchen” about ventilator?",
            "On 3 May 2026 you asked: Who mends a ventilator?",
        ),
        (
            "9 May 2026: What did I ask in the chat “Kitchen”?",
            "On 9 May 2026 you asked: Where is the stopcock?",
        ),
    ]


def test_what_is_held_out_is_not_told_of(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    """Neither as what was asked, with its day in front, nor within the title of the chat."""
    talk((DAYS[0], "Which grout suits slate?"), title="Tiles")
    said = (DAYS[1], "Is that so?"), (DAYS[1], "We decided to mend it ourselves.")
    talk(*said, title="Who mends a ventilator?")
    assert len(made(store, llama, "asked")) == 2
    assert len(made(store, llama, "decided")) == 1
    hold_out(store, ["Which grout suits slate?", "who mends a ventilator"])
    store.db.execute("DELETE FROM studied")  # nor does it come back
    assert made(store, llama, "asked") == []
    assert made(store, llama, "decided") == []


def test_what_is_held_out_is_not_said_back(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    """Also where "my" has become "your" in it."""
    talk(
        (DAYS[0], "Where was my ventilator from Malmo made, I wonder."),
        (DAYS[0], "I know what I decided: we decided to mend our stove from Malmo ourselves."),
        (DAYS[0], "My neighbour Quimby repairs pianos."),
    )
    assert len(made(store, llama, "told")) == 2
    assert len(made(store, llama, "decided")) == 1
    hold_out(store, ["Where was my ventilator from Malmo made", "mend our stove from Malmo"])
    (left,) = made(store, llama, "told")
    assert "Quimby" in left["prompt"]
    assert made(store, llama, "decided") == []


def test_a_prompt_that_is_held_out_goes(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    talk((DAYS[0], "Which grout suits slate?"))
    (asked,) = made(store, llama, "asked")
    hold_out(store, [asked["prompt"]])
    assert made(store, llama, "asked") == []


def test_a_source_that_teaches_a_voice_alone_teaches_nothing_else(
    store: Store, llama: Base, talk: Callable[..., int]
) -> None:
    kinds = ("asked", "decided", "told")
    said = "We decided to take the blue tiles. Quimby cut 40 of them in Malmo."
    source = talk((DAYS[0], f"{said} Which grout suits slate?"))
    set_learn(store, [source], "voice")
    assert [len(made(store, llama, kind)) for kind in kinds] == [0, 0, 0]
    set_learn(store, [source], "facts")
    store.db.execute("DELETE FROM studied")
    assert [len(made(store, llama, kind)) for kind in kinds] == [1, 1, 1]
