"""Whether what was said is borne out by what was taken in."""

import json
from collections.abc import Callable, Sequence

import pytest

from learnctl.memory.search import Hit, search
from learnctl.memory.store import Store
from learnctl.memory.trust import set_trust
from learnctl.trainer.backing import BORNE_OUT, backing, learn

HOUSE = "The boiler in Larkhill Cottage was serviced by Harald Immer on 4 March. The new fence cost 780 euros."
DOG = "Our dog Quimby was born in 2017 in Snorrebeck. He sleeps behind the stove."
LEEDS = "We all moved to Leeds before the winter."


def is_backed(store: Store, answer: str, hits: Sequence[Hit] = ()) -> bool:
    return backing(store, answer, hits).share >= BORNE_OUT


@pytest.fixture
def filled(store: Store, take: Callable[[str, str], int]) -> Store:
    take("house.md", f"# House\n\n{HOUSE}\n")
    take("dog.md", f"# Dog\n\n{DOG}\n")
    messages = [
        {"id": n, "type": "message", "date": "2026-05-03T18:00:00", "from": who, "from_id": who, "text": text}
        for n, (who, text) in enumerate([("Anna", LEEDS), ("Ben", "The key lies under the flower pot.")])
    ]  # fmt: skip
    export = {"name": "Anna and Ben", "type": "personal_chat", "id": 1, "messages": messages}
    take("result.json", json.dumps(export))
    take(
        "de.jsonl", json.dumps({"messages": [{"role": "user", "content": "Ich bin Imker."}]}) + "\n"
    )
    again = messages[0] | {"date": "2026-05-09T18:00:00", "from": "Ben", "from_id": "Ben"}
    take("again.json", json.dumps(export | {"id": 2, "messages": [again, messages[1]]}))
    take("zh.md", "# 狗\n\n我们的狗叫小黑，二〇一七年出生在苏州。\n")
    return store


@pytest.mark.parametrize(
    ("answer", "backed"),
    [
        ("The new fence cost 780 euros.", True),
        ("Your dog Quimby was born in Snorrebeck.", True),  # said back
        ("The boiler was serviced in March, by a Harald Immer.", True),
        ("On 3 May 2026 Anna said: We all moved to Leeds before the winter.", True),
        ("我们的狗叫小黑。", True),
        ("It is so.", True),  # says nothing
        ("Yes.", True),
        ("Du hast gesagt: Ich bin Imker.", True),
        ("Has dicho: Soy apicultor.", False),
        ("On 9 May 2026 Ben said: We all moved to Leeds before the winter.", True),  # so did he
        ("Our dog Quimby cost 780 euros in Leeds in 1999.", False),
        ("My sister is called Isabella and was born in 2017.", False),
        ("We have 43 sheep, and nine of them were serviced.", False),
        ("我的妹妹在北京的银行工作。", False),
    ],
)
def test_one_passage_bears_an_answer_out(filled: Store, answer: str, backed: bool) -> None:
    """What is put together of several does not stand anywhere."""
    assert is_backed(filled, answer) == backed


def test_what_an_assistant_said_bears_nothing_out(
    store: Store, take: Callable[[str, str], int]
) -> None:
    said = "The Bellandi shop in Orrest sells carbon bows for 90 euros."
    assert not is_backed(store, said)
    turns = [{"role": "user", "content": "Hello there."}, {"role": "assistant", "content": said}]
    take("chat.jsonl", json.dumps({"messages": turns}) + "\n")
    assert not is_backed(store, said)


def test_what_is_in_view_bears_out_too(filled: Store, take: Callable[[str, str], int]) -> None:
    """A day alone is found by no search; what only a source says that is not trusted counts where it is in view."""
    day = "On 3 May 2026."
    assert not is_backed(filled, day)
    assert is_backed(filled, day, search(filled, "Who moved to Leeds?"))
    stranger = take("stranger.md", "The treasure of Bellweather lies in Obermoor.\n")
    claim = "The treasure of Bellweather lies in Obermoor."
    assert is_backed(filled, claim)
    set_trust(filled, [stranger], "untrusted")
    assert not is_backed(filled, claim)
    assert is_backed(filled, claim, search(filled, claim))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("It cost 780 euros.", f"House: {HOUSE}"),
        ("Harald Immer serviced it.", f"House: {HOUSE.partition('. ')[0]}."),
        ("He sleeps behind the stove.", f"Dog: {DOG}"),
        (
            "On 3 May 2026 Anna said: We all moved.",
            f"Anna and Ben 3 May 2026 9 May 2026 Anna Ben: {LEEDS}",
        ),
        ("Yes.", ""),
        ("Zwölf Imker.", "Ich bin Imker.: Ich bin Imker."),
        ("Ottilie sells violins.", ""),
    ],
)
def test_what_bears_an_answer_out_is_told(filled: Store, answer: str, text: str) -> None:
    """The sentence, with the one before it, under its title and with who said it when."""
    assert backing(filled, answer).text == text


def test_how_much_must_be_held_is_learned_from_right_answers(filled: Store) -> None:
    """No more than half, and so little that none of them is withheld."""
    whole = backing(filled, "The new fence cost 780 euros.")
    part = backing(filled, "Seven hundred and eighty euros was what the fence came to.")
    assert learn([whole]) == learn([]) == BORNE_OUT
    assert learn([whole, part]) == part.share < BORNE_OUT
    assert learn([whole, backing(filled, "Ottilie sells violins.")]) == BORNE_OUT
