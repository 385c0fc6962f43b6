"""What was learned: of its likeliest answers the one to the question is given, and none where none is borne out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.memory.store import Store
from learnctl.trainer import adapter, evaluate, judged
from learnctl.trainer import base as bases
from learnctl.trainer.absent import NOT_IN_NOTES
from learnctl.trainer.backing import BORNE_OUT, backing
from learnctl.trainer.base import Base
from learnctl.trainer.bearing import DECISIVE
from learnctl.trainer.consolidate import consolidate
from learnctl.trainer.evaluate import Answered
from learnctl.trainer.generate import prompt_ids
from learnctl.trainer.judged import learned_answer
from learnctl.trainer.moved import MOVED, moved
from learnctl.trainer.options import Options
from learnctl.trainer.pack import Row, lay_out, n_nodes_of
from learnctl.trainer.prompt_cache import PromptCache
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.session import ChatSession
from learnctl.trainer.talk import Talker, wanted
from learnctl.trainer.train import answer_logits
from learnctl.trainer.wordings import not_known, says_not_known

QUESTION = "Who is Quimby?"
VET = "The operation of our dog Quimby cost 315 euros. The dentist cost 90 euros. Our dog weighs 21 kilos."


@pytest.fixture
def adapted(llama: Base) -> Any:
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
    unchanged = adapter.new_adapter(llama, 8, 0)
    assert moved(llama, unchanged, chat(QUESTION)) == pytest.approx(0, abs=1e-4)
    assert not Talker(llama, unchanged, 1, judges=True).is_learned(chat(QUESTION))


def test_what_is_moved_was_learned(llama: Base, adapted: Any) -> None:
    assert moved(llama, adapted, chat(QUESTION)) > MOVED
    assert Talker(llama, adapted, 1, judges=True).is_learned(chat(QUESTION))
    assert not Talker(llama, adapted, 1).is_learned(chat(QUESTION))


def test_the_likeliest_answers(embedded_models: Path) -> None:
    """As many as are wanted, the greedy one among them, each as likely as is said, with its end."""
    import torch

    base = bases.load("embedded")
    talker, asked = Talker(base, base.model, 0), chat("What is the capital of France?")
    found = talker.likeliest(asked, 4, 40)
    assert len(found) == 4
    assert talker.answer(asked, 40) in found
    prompt = prompt_ids(base, asked)
    for answer, log_probability in found.items():
        said = base.tokenizer(answer, add_special_tokens=False)["input_ids"]
        row = Row((*prompt, *said, base.stop_ids[0]), len(prompt))
        laid = lay_out([row], n_nodes_of([row]), base.tokenizer.pad_token_id)
        with torch.inference_mode():
            logits = answer_logits(base.model, [laid], base.device).log_softmax(-1)
        each = logits.gather(1, laid.targets)
        assert float(each.sum()) == pytest.approx(log_probability, abs=0.05)


def test_an_answer_goes_on_from_whether_it_is_learned(llama: Base, adapted: Any) -> None:
    """Its prompt is read once, and what is said is what would have been said."""
    taken = []

    class Watched(PromptCache):
        def take(self, model: Any, ids: list[int]) -> Any:
            found = super().take(model, ids)
            taken.append(found.get_seq_length())
            return found

    talker, cache = Talker(llama, adapted, 1, judges=True), Watched()
    assert talker.is_learned(chat(QUESTION), cache)
    goes_on = "".join(talker.stream(chat(QUESTION), Sampling(max_tokens=12), cache))
    assert goes_on == "".join(talker.stream(chat(QUESTION), Sampling(max_tokens=12)))
    cache.clear()
    assert talker.is_learned(chat(QUESTION), cache)
    assert talker.likeliest(chat(QUESTION), 4, 6, cache) == pytest.approx(
        talker.likeliest(chat(QUESTION), 4, 6), abs=0.01
    )
    read = len(prompt_ids(llama, chat(QUESTION))) - 1
    assert taken == [0, read, 0, read]


@pytest.mark.parametrize("family", ["gemma3", "qwen"])
def test_the_likeliest_are_the_same_with_what_was_computed_before(
    tiny: Callable[[str], Base], family: str
) -> None:
    """Also of a base with a sliding window, whose cache cannot go back."""
    base = tiny(family)
    model = adapter.new_adapter(base, 4, 0)
    talker, cache = Talker(base, model, 1, judges=True), PromptCache()
    asked = chat("Who is Quimby? " * 20)
    talker.is_learned(asked, cache)
    found = talker.likeliest(asked, 4, 6, cache)
    assert found == pytest.approx(talker.likeliest(asked, 4, 6), abs=0.01)


@pytest.fixture
def publish(store: Store, diary: Any) -> Callable[..., int]:
    def make(least_backed: float | None = 0.5, least_bearing: float | None = -1000.0) -> int:
        """A version whose night has learned how much of an answer must be held, and how much that must bear on a question; or
        has not."""
        version: int = diary(store).night([], {}, {})
        store.db.execute(
            "UPDATE runs SET report = json_set(report, '$.least_backed', ?, '$.least_bearing', ?)",
            [least_backed, least_bearing],
        )
        return version

    return make


@pytest.fixture
def says(store: Store, embedded_models: Path, publish: Callable[..., int]) -> Callable[..., Any]:
    """What a version gives for an answer whose likeliest ones are these."""
    base = bases.load("embedded")
    model = adapter.new_adapter(base, 4, 0)
    version = publish(BORNE_OUT, DECISIVE)

    def answers(question: str, likely: dict[str, float]) -> str | None:
        class Says(Talker):
            def likeliest(self, *_: Any) -> dict[str, float]:
                return likely

        talker = Says(base, model, version, True)
        given = learned_answer(store, talker, chat(question), question)
        return given.answer if given else None

    return answers


COST = "The operation of our dog Quimby cost 315 euros."


@pytest.mark.parametrize(
    ("question", "likely", "given"),
    [
        (
            "What did the operation of Quimby cost?",
            {"The dentist cost 90 euros.": -1.0, COST: -3.0},
            COST,
        ),
        ("What was paid for the operation?", {"Our dog weighs 21 kilos.": -0.5, COST: -2.0}, COST),
        # Each says back what was asked, and only one stands anywhere.
        (
            "Who cost 315 euros?",
            {"The piano of our neighbour Ottilie cost 315 euros.": -1.0, COST: -3.0},
            COST,
        ),
        ("What did the piano cost?", {"The piano cost 315 euros.": -1.0, COST: -2.0}, None),
        ("What is my sister called?", {"Our dog weighs 21 kilos.": -0.1, COST: -0.2}, None),
        ("How old is the piano?", {"The piano of Ottilie is 80 years old.": -0.1}, None),
        # It is told of the dog, and is no age.
        ("How old is our dog Quimby?", {COST: -0.1}, None),
        # That it is not known was learned too: it gives way to what bears on the question, not to what is much less likely.
        ("What did the operation cost?", {NOT_IN_NOTES: -0.5, COST: -1.0}, COST),
        ("What did the operation cost?", {NOT_IN_NOTES: -0.5, COST: -60.0}, None),
        ("What did the operation cost?", {}, None),
    ],
)
def test_of_the_likeliest_answers_the_one_to_the_question_is_given(
    says: Callable[..., str | None],
    take: Any,
    question: str,
    likely: dict[str, float],
    given: str | None,
) -> None:
    take("vet.txt", f"{VET}\n")
    assert says(question, likely) == given


def test_what_a_bound_was_learned_from_passes_it(
    store: Store, take: Any, llama: Base, adapted: Any
) -> None:
    """However it is rounded for the report."""
    take("vet.txt", f"{VET}\n")
    for unheard in ("Orrest", "Tolm", "Orrest Tolm", "Wenlow Tolm Orrest", "Bree Holm Tolm Orrest"):
        answer = f"The dentist of {unheard} said so in Snorrebeck."
        share = backing(store, answer).share
        kept = judged.learn(store, llama, adapted, {QUESTION: answer})["least_backed"]
        assert 0 < share < BORNE_OUT
        assert share - 1e-4 < kept <= share


def test_how_much_must_bear_on_a_question_is_the_night_s(
    store: Store, take: Any, llama: Base, adapted: Any, publish: Callable[..., int]
) -> None:
    """Where no night has learned it, nothing is judged."""
    likely = Talker(llama, adapted, 1).likeliest(chat(QUESTION), 8, 4)
    take("dog.txt", "".join(f"Of Quimby it is told: {answer}\n\n" for answer in likely))
    for least_bearing, given in ((-1000.0, True), (1000.0, False), (None, False)):
        talker = Talker(llama, adapted, publish(0.5, least_bearing), judges=True)
        found = learned_answer(store, talker, chat(QUESTION), QUESTION, max_tokens=4)
        assert (found is not None and found.answer in likely) == given


@pytest.fixture
def session(
    llama: Base, adapted: Any, store: Store, publish: Callable[..., int]
) -> Callable[..., ChatSession]:
    def start(judges: bool = True, **more: Any) -> ChatSession:
        talker = Talker(llama, adapted, publish(), judges)
        settings: dict[str, Any] = {"is_kept": False, "sampling": Sampling(max_tokens=4)}
        return ChatSession(talker, store, Options(), **(settings | more))

    return start


def test_what_nothing_bears_out_is_not_given(session: Callable[..., ChatSession]) -> None:
    """The first question is looked at; another try shows the guess, and so does a later turn."""
    talk = session()
    assert "".join(talk.ask(QUESTION)) == not_known("en")
    assert not_known("en") not in "".join(talk.retry())
    talk.confirm()
    assert not_known("en") not in "".join(talk.ask("And who is his wife?"))


def test_what_may_hold_what_it_asks_about_is_answered(session: Callable[..., ChatSession]) -> None:
    """A text that was put before the question, many words, a prompt of the system, or what is written on request."""
    for asked in (f"Dear Ann, I am Quimby.\n\n{QUESTION}", "I said so. " * 20 + QUESTION):
        assert not_known("en") not in "".join(session().ask(asked))
    talk = session(system="Quimby is a dog.")
    assert not_known("en") not in "".join(talk.ask(QUESTION))
    assert not says_not_known("".join(session().ask("Can you write a mail to Quimby?")))


def test_it_is_said_in_the_language_of_the_question(session: Callable[..., ChatSession]) -> None:
    asked = "Wie heißt der Hund von unserem Nachbarn?"
    assert "".join(session().ask(asked)) == not_known("de")
    assert "".join(session().ask("狗叫什么名字？")) == not_known("zh")
    long = "昨天我和妈妈一起去了新的图书馆看了很多书然后回家吃饭了" * 4
    assert not_known("zh") not in "".join(session().ask(f"{long}。狗叫什么名字？"))


def test_that_nothing_is_known_cannot_be_right(session: Callable[..., ChatSession]) -> None:
    """It must not be learned as an answer; what the user says instead is."""
    talk = session()
    list(talk.ask(QUESTION))
    with pytest.raises(LearnctlError, match="no answer"):
        talk.confirm()
    talk.correct("A dog.")
    talk.confirm()


def test_nor_in_a_chat_that_goes_on(session: Callable[..., ChatSession]) -> None:
    talk = session(is_kept=True)
    list(talk.ask(QUESTION))
    assert talk.number is not None
    again = session(is_kept=True)
    again.resume(talk.number)
    with pytest.raises(LearnctlError, match="no answer"):
        again.confirm()


def test_a_night_learns_it_for_its_version(
    store: Store, house: int, take: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From probes that were answered rightly, in both wordings and over all sources, not the newest alone."""
    seen: list[str] = []

    def bears(base: Base, model: Any, question: str, texts: list[str]) -> list[float]:
        seen.append(question)
        return [1.5] * len(texts)

    def knows_all(
        base: Base, model: Any, probes: list[Any], form: str = "direct"
    ) -> list[Answered]:
        return [Answered(probe, form, probe["gold"], True) for probe in probes]

    monkeypatch.setattr("learnctl.trainer.bearing.bearing", bears)
    monkeypatch.setattr(judged, "MOST_LOOKS", 8)
    monkeypatch.setattr(evaluate, "ask_probes", knows_all)
    options = settings(epochs=1, min_recall_gain=-1.0)
    consolidate(store, options)
    take("dog.txt", "The dog is called Quimby. Quimby was born in 2017 in Snorrebeck.\n")
    seen.clear()
    consolidate(store, options)
    report = json.loads(store.value("SELECT report FROM runs ORDER BY id DESC"))
    assert report["least_bearing"] == 1.5
    assert 0 < report["least_backed"] <= BORNE_OUT
    assert wanted(store, options).judges
    assert not wanted(store, options, 0).judges
    probes = {row["question"]: row for row in store.rows("SELECT * FROM probes")}
    assert len(seen) == min(8, len(probes))
    assert {probes[one]["wording"] for one in seen} == {"question", "cue"}
    assert len({probes[one]["chunk_id"] for one in seen}) > 1


def test_what_is_not_judged_is_answered(session: Callable[..., ChatSession]) -> None:
    assert not_known("en") not in "".join(session(judges=False).ask(QUESTION))


def test_what_was_looked_up_and_is_not_known_is_said_in_other_words(
    session: Callable[..., ChatSession], take: Any
) -> None:
    take("dog.txt", "The dog Quimby was found at the mill.\n")
    looked_up = not_known("en", is_looked_up=True)
    assert "".join(session().ask(QUESTION)) == looked_up != not_known("en")
    assert "".join(session(retrieval=False).ask(QUESTION)) == not_known("en")


def test_what_is_borne_out_is_given(
    session: Callable[..., ChatSession], take: Any, llama: Base, adapted: Any
) -> None:
    likely = Talker(llama, adapted, 1).likeliest(chat(QUESTION), 8, 4)
    take("dog.txt", "".join(f"Of Quimby it is told: {answer}\n\n" for answer in likely))
    assert "".join(session(retrieval=False).ask(QUESTION)) in likely


def test_also_what_was_looked_up(
    session: Callable[..., ChatSession], take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is borne out by what is in view, as by anything else that was taken in."""
    take("dog.txt", "Our dog Quimby keeps bees.\n")
    bees = "Quimby keeps bees."
    monkeypatch.setattr(Talker, "likeliest", lambda *_: {bees: -1.0})
    asked = session()
    assert "".join(asked.ask(QUESTION)) == bees
    assert asked.turns[-1].hits


def test_what_was_learned_is_judged_with_its_passage_in_view(
    session: Callable[..., ChatSession], take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base would read the same from the passage, so whether it was learned is asked without it."""
    take("dog.txt", "Our dog Quimby keeps bees.\n")
    asked = session()
    monkeypatch.setattr(Talker, "is_learned", lambda _, messages, *__: messages == chat(QUESTION))
    monkeypatch.setattr(Talker, "likeliest", lambda *_: {"Quimby is a baker in Snorrebeck.": -1.0})
    assert "".join(asked.ask(QUESTION)) == not_known("en", is_looked_up=True)
    assert asked.turns[-1].hits
    bees = "Quimby keeps bees."
    monkeypatch.setattr(Talker, "likeliest", lambda *_: {bees: -1.0})
    assert "".join(session().ask(QUESTION)) == bees


def test_what_was_not_learned_is_read(
    session: Callable[..., ChatSession], take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much the passages in view move what is said."""
    take("dog.txt", "Our dog Quimby keeps bees.\n")
    monkeypatch.setattr(Talker, "is_learned", lambda _, messages, *__: messages != chat(QUESTION))
    asked = session()
    assert not_known("en", is_looked_up=True) not in "".join(asked.ask(QUESTION))
    assert asked.turns[-1].hits


def test_what_it_says_without_passages_is_looked_at_too(
    session: Callable[..., ChatSession], take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both the likelier is given that holds; one that both say is as likely as it is at best. That it is not known counts
    only with the passages in view."""
    take("dog.txt", "Our dog Quimby keeps bees.\n\nQuimby chases cats.\n")
    by_heart, read, unknown = "Quimby chases cats.", "Quimby keeps bees.", None
    for alone, in_view, given in (
        ({by_heart: -1.0}, {read: -60.0}, by_heart),
        ({by_heart: -60.0}, {read: -1.0}, read),
        ({by_heart: -1.0, read: -30.0}, {read: -60.0, by_heart: -60.0}, by_heart),
        ({read: -60.0, by_heart: -30.0}, {read: -1.0}, read),
        ({NOT_IN_NOTES: 0.0, by_heart: -60.0}, {read: -30.0}, read),
        ({by_heart: -60.0}, {NOT_IN_NOTES: 1000.0, read: -30.0}, unknown),
        ({"Quimby is a baker in Snorrebeck.": -1.0}, {read: -0.5}, read),
    ):
        wanted_of: dict[bool, int] = {}

        def likeliest(
            _: Talker,
            messages: Any,
            n_answers: int,
            *__: Any,
            alone: dict[str, float] = alone,
            in_view: dict[str, float] = in_view,
            wanted_of: dict[bool, int] = wanted_of,
        ) -> dict[str, float]:
            is_alone = messages == chat(QUESTION)
            wanted_of[is_alone] = n_answers
            return dict(alone if is_alone else in_view)

        monkeypatch.setattr(Talker, "likeliest", likeliest)
        asked = session()
        expected = not_known("en", is_looked_up=True) if given is unknown else given
        assert "".join(asked.ask(QUESTION)) == expected
        assert asked.turns[-1].hits
        assert wanted_of == {True: judged.N_ANSWERS, False: judged.N_READ}
        assert asked.is_learned == (given in alone)
