"""Guesses: what an adapter moved and is not sure of is said not to be known; the rest is answered."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.search import search
from learnctl.memory.store import Store
from learnctl.trainer import adapter, certainty, evaluate
from learnctl.trainer.backing import BORNE_OUT, backing
from learnctl.trainer.base import Base
from learnctl.trainer.bearing import DECISIVE
from learnctl.trainer.certainty import LEAST_RIGHT, MOVED, Look, learn, look
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.evaluate import Answered
from learnctl.trainer.generate import prompt_ids
from learnctl.trainer.options import Options
from learnctl.trainer.prompt_cache import PromptCache
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.session import ChatSession
from learnctl.trainer.talk import GUESS, LEARNED, USUAL, Talker, is_known, wanted
from learnctl.trainer.wordings import not_known, says_not_known

QUESTION = "Who is Quimby?"


@pytest.fixture
def moved(llama: Base) -> Any:
    """A model whose adapter says something else than the base, whatever is asked."""
    import torch

    torch.manual_seed(0)
    model = adapter.new_adapter(llama, 8, 0)
    with torch.no_grad():
        for name, value in adapter.weights(model).items():
            if "lora_B" in name:
                torch.nn.init.normal_(value, std=2.0)
    return model.eval()


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_an_adapter_that_changes_nothing_moves_nothing(llama: Base) -> None:
    found = look(llama, adapter.new_adapter(llama, 8, 0), chat(QUESTION))
    assert found.moved == pytest.approx(0, abs=1e-4)
    assert found.sure < 0
    assert not found.is_guess(0.0)


def test_a_guess_is_moved_and_not_sure(llama: Base, moved: Any) -> None:
    found = look(llama, moved, chat(QUESTION))
    assert found.moved > MOVED
    assert found.is_guess(found.sure + 0.1)
    assert not found.is_guess(found.sure - 0.1)
    assert not Look(found.sure, MOVED).is_guess(0.0)  # what everybody knows


def test_how_sure_one_must_be_is_learned_from_right_answers(llama: Base, moved: Any) -> None:
    questions = [f"Who is number {n}?" for n in range(20)]
    least = learn(llama, moved, questions)
    assert least is not None
    looks = [look(llama, moved, chat(one)) for one in questions]
    assert not any(one.is_guess(least) for one in looks)
    assert any(one.is_guess(least + 0.01) for one in looks)
    assert learn(llama, moved, questions[: LEAST_RIGHT - 1]) is None


def test_an_answer_goes_on_from_how_it_begins(llama: Base, moved: Any) -> None:
    """Its prompt is read once, and what is said is what would have been said."""
    taken = []

    class Watched(PromptCache):
        def take(self, model: Any, ids: list[int]) -> Any:
            found = super().take(model, ids)
            taken.append(found.get_seq_length())
            return found

    talker, cache = Talker(llama, moved, 1, 0.0), Watched()
    assert talker.begins(chat(QUESTION), cache) == talker.begins(chat(QUESTION)) == GUESS
    goes_on = "".join(talker.stream(chat(QUESTION), Sampling(max_tokens=12), cache))
    assert goes_on == "".join(talker.stream(chat(QUESTION), Sampling(max_tokens=12)))
    assert taken == [0, len(prompt_ids(llama, chat(QUESTION))) - 1]


@pytest.fixture
def session(llama: Base, moved: Any, store: Store) -> Callable[..., ChatSession]:
    def start(least_sure: float | None, **more: Any) -> ChatSession:
        talker = Talker(llama, moved, 1, least_sure)
        return ChatSession(
            talker, store, Options(), is_kept=False, sampling=Sampling(max_tokens=4), **more
        )

    return start


def test_a_guess_is_not_given_for_an_answer(session: Callable[..., ChatSession]) -> None:
    """The first question is looked at; another try shows the guess, and so does a later turn."""
    talk = session(0.0)
    assert "".join(talk.ask(QUESTION)) == not_known("en")
    assert not_known("en") not in "".join(talk.retry())
    talk.confirm()
    assert not_known("en") not in "".join(talk.ask("And who is his wife?"))


def test_what_may_hold_what_it_asks_about_is_answered(session: Callable[..., ChatSession]) -> None:
    """A text that was put before the question, many words, or a prompt of the system."""
    for asked in (f"Dear Ann, I am Quimby.\n\n{QUESTION}", "I said so. " * 20 + QUESTION):
        assert not_known("en") not in "".join(session(0.0).ask(asked))
    talk = session(0.0, system="Quimby is a dog.")
    assert not_known("en") not in "".join(talk.ask(QUESTION))


def test_a_guess_is_not_given_in_the_language_of_the_question(
    session: Callable[..., ChatSession],
) -> None:
    asked = "Wie heißt der Hund von unserem Nachbarn?"
    assert "".join(session(0.0).ask(asked)) == not_known("de")
    assert "".join(session(0.0).ask("狗叫什么名字？")) == not_known("zh")
    long = "昨天我和妈妈一起去了新的图书馆看了很多书然后回家吃饭了" * 4
    assert not_known("zh") not in "".join(session(0.0).ask(f"{long}。狗叫什么名字？"))


def test_that_nothing_is_known_cannot_be_right(session: Callable[..., ChatSession]) -> None:
    """It must not be learned as an answer; what the user says instead is."""
    talk = session(0.0)
    list(talk.ask(QUESTION))
    with pytest.raises(LearnctlError, match="no answer"):
        talk.confirm()
    talk.correct("A dog.")
    talk.confirm()


def test_nor_in_a_chat_that_goes_on(llama: Base, moved: Any, store: Store) -> None:
    options, short = Options(), Sampling(max_tokens=4)
    talk = ChatSession(Talker(llama, moved, 1, 0.0), store, options, sampling=short)
    list(talk.ask(QUESTION))
    assert talk.number is not None
    again = ChatSession(Talker(llama, moved, 1, 0.0), store, options, sampling=short)
    again.resume(talk.number)
    with pytest.raises(LearnctlError, match="no answer"):
        again.confirm()


def test_a_night_learns_it_for_its_version(
    store: Store, house: int, take: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From probes that were answered rightly, in both wordings and over all sources, not the newest alone."""
    seen: list[str] = []

    def learned(base: Base, model: Any, answered: list[str]) -> float:
        seen.extend(answered)
        return -1.25

    def knows_all(
        base: Base, model: Any, probes: list[Any], form: str = "direct"
    ) -> list[Answered]:
        return [Answered(probe, form, probe["gold"], True) for probe in probes]

    monkeypatch.setattr(certainty, "learn", learned)
    monkeypatch.setattr(certainty, "MOST_LOOKS", 8)
    monkeypatch.setattr(evaluate, "ask_probes", knows_all)
    options = settings(epochs=1, min_recall_gain=-1.0)
    consolidate(store, options)
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    seen.clear()
    consolidate(store, options)
    assert wanted(store, options).least_sure == -1.25
    report = json.loads(store.value("SELECT report FROM runs ORDER BY id DESC"))
    assert report["least_backed"] <= BORNE_OUT
    assert report["least_bearing"] <= DECISIVE
    assert wanted(store, options, 0).least_sure is None
    probes = {row["question"]: row for row in store.rows("SELECT * FROM probes")}
    assert len(seen) == min(8, len(probes))
    assert {probes[one]["wording"] for one in seen} == {"question", "cue"}
    assert len({probes[one]["chunk_id"] for one in seen}) > 1


def test_what_is_not_measured_is_answered(session: Callable[..., ChatSession]) -> None:
    assert not_known("en") not in "".join(session(None).ask(QUESTION))


@pytest.fixture
def judged(store: Store, diary: Any, llama: Base, moved: Any) -> Callable[..., Talker]:
    def publish(least_backed: float | None, least_bearing: float | None = None) -> Talker:
        """A version whose night has learned how much of an answer must be held, and how much that must bear on a question; or
        has not."""
        version: int = diary(store).night([], {}, {})
        store.db.execute(
            "UPDATE runs SET report = json_set(report, '$.least_backed', ?, '$.least_bearing', ?)",
            [least_backed, least_bearing],
        )
        return Talker(llama, moved, version)

    return publish


def test_under_passages_it_is_enough_to_be_borne_out(
    store: Store, take: Any, judged: Callable[..., Talker]
) -> None:
    """However unsure an answer begins: what is read was perhaps never learned. From the weights alone a guess stays one."""
    take("dog.txt", "Quimby keeps bees in Dunmere Row.\n")
    hits, talker = search(store, QUESTION), judged(0.5)
    bees, violins = "Quimby keeps bees.", "Ottilie sells violins."
    assert is_known(store, talker, GUESS, QUESTION, bees, hits)
    assert not is_known(store, talker, GUESS, QUESTION, bees)
    assert not is_known(store, talker, GUESS, QUESTION, violins, hits)
    assert not is_known(store, talker, LEARNED, QUESTION, violins, hits)
    assert is_known(store, talker, USUAL, QUESTION, violins, hits)


def test_what_bears_an_answer_out_must_bear_on_the_question(
    store: Store, take: Any, judged: Callable[..., Talker]
) -> None:
    """As much as the night has learned; an answer of no telling words is taken from nothing."""
    bees = "Quimby keeps bees."
    take("dog.txt", f"{bees}\n")
    talker = judged(0.5)
    bears = talker.bearing(QUESTION, backing(store, bees).text)
    for least, known in ((bears - 0.1, True), (bears + 0.1, False)):
        talker = judged(0.5, least)
        assert is_known(store, talker, LEARNED, QUESTION, bees) == known
        assert is_known(store, talker, GUESS, QUESTION, bees, search(store, QUESTION)) == known
        assert is_known(store, talker, LEARNED, "Is he here?", "Yes.")


@pytest.mark.parametrize("least_backed", [0.0, None])
def test_where_words_of_its_own_are_right_nothing_must_be_held(
    store: Store, judged: Callable[..., Talker], least_backed: float | None
) -> None:
    """Nor where no night has learned how much must be."""
    assert is_known(store, judged(least_backed), LEARNED, QUESTION, "Ottilie sells violins.")


def test_what_was_looked_up_and_is_not_known_is_said_in_other_words(
    session: Callable[..., ChatSession], take: Any, judged: Callable[..., Talker]
) -> None:
    judged(0.5)
    take("dog.txt", "The dog Quimby was found at the mill.\n")
    looked_up = not_known("en", is_looked_up=True)
    assert "".join(session(0.0).ask(QUESTION)) == looked_up != not_known("en")
    assert "".join(session(0.0, retrieval=False).ask(QUESTION)) == not_known("en")


def test_what_was_learned_is_given_where_a_passage_bears_it_out(
    session: Callable[..., ChatSession], take: Any, judged: Callable[..., Talker]
) -> None:
    """However sure it is; what is written on request need not stand anywhere, and without an answer there is none to like."""
    judged(0.5)
    asked = session(-1000.0, retrieval=False)
    assert "".join(asked.ask(QUESTION)) == not_known("en")
    with pytest.raises(LearnctlError, match="no answer"):
        asked.confirm()
    for least_sure in (0.0, -1000.0):
        wanted = session(least_sure, retrieval=False)
        assert not says_not_known("".join(wanted.ask("Can you write a mail to Quimby?")))
    take("dog.txt", f"Of Quimby it is told: {''.join(session(None).ask(QUESTION))}\n")
    given = "".join(session(-1000.0, retrieval=False).ask(QUESTION))
    assert given == "".join(session(None, retrieval=False).ask(QUESTION))
