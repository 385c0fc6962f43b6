"""A conversation with small real models: the same answers with what was computed before, taken back, corrected,
folded when it outgrows the context, and kept."""

import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import filelock
import pytest
import torch

from learnctl.memory import forgotten
from learnctl.memory.errors import LearnctlError
from learnctl.memory.lineage import in_service, studied_chunks
from learnctl.memory.search import search
from learnctl.memory.store import Store
from learnctl.trainer import chats, registry
from learnctl.trainer.base import Base
from learnctl.trainer.chat_form import Chat
from learnctl.trainer.options import Options
from learnctl.trainer.prompt_cache import PromptCache
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.session import ChatSession
from learnctl.trainer.synthesize import study_chunks
from learnctl.trainer.talk import Talker
from learnctl.trainer.warm import NoDaemon

SHORT = Sampling(max_tokens=8)
FAMILIES = ("llama", "qwen", "gemma", "gemma3")


@pytest.fixture
def start(store: Store, llama: Base) -> Callable[..., ChatSession]:
    def make(**more: object) -> ChatSession:
        talker = Talker(llama, llama.model, 0)
        chosen = Options(base=llama.name)
        return ChatSession(talker, store, chosen, **{"sampling": SHORT, **more})  # type: ignore[arg-type]

    return make


def said(pieces: Iterator[str]) -> str:
    return "".join(pieces).strip()


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_computed_before_changes_no_answer(
    tiny: Callable[[str], Base], family: str
) -> None:
    base = tiny(family)
    talker = Talker(base, base.model, 0)
    session = ChatSession(talker, None, Options(), sampling=SHORT)
    chat = []
    for question in ("Who is Quimby?", "And where does he live?", "Since when?"):
        chat.append({"role": "user", "content": question})
        answer = said(session.ask(question))
        assert answer == talker.answer(chat, 8)
        chat.append({"role": "assistant", "content": answer})


def test_a_turn_computes_what_is_new(llama: Base) -> None:
    cache = PromptCache()
    prompt = list(range(3, 43))
    computed = cache.take(llama.model, prompt)
    assert computed.get_seq_length() == 0
    with_torch(llama, prompt, computed)
    cache.keep(computed, prompt)
    assert cache.take(llama.model, [*prompt[:30], 50, 51]).get_seq_length() == 30
    assert len(cache) == 0


def with_torch(base: Base, ids: list[int], cache: object) -> None:
    import torch

    with torch.inference_mode():
        base.model(input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True)


def test_sampling_follows_its_seed(start: Callable[..., ChatSession]) -> None:
    drawn = [
        said(start(sampling=Sampling(2.0, max_tokens=12, seed=seed)).ask("Who?"))
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    "pair", ["heat=1", "temperature", "temperature=x", "top_p=0", "seed=1.5", "max_tokens=0"]
)
def test_no_such_sampling(pair: str) -> None:
    with pytest.raises(LearnctlError):
        Sampling().with_values([pair])


def test_another_answer(start: Callable[..., ChatSession], store: Store) -> None:
    """Where the likeliest is always taken, a second answer is drawn; the first is kept beside it."""
    session = start(sampling=Sampling(max_tokens=16))
    first = said(session.ask("Who lives in Dunmere Row?"))
    second = said(session.retry())
    assert second != first
    assert session.number is not None
    assert [m["text"] for m in chats.messages(store, session.number)][1:] == [second]
    assert [row["text"] for row in store.rows("SELECT text FROM alternatives")] == [first]


def test_taken_back(start: Callable[..., ChatSession], store: Store) -> None:
    session = start()
    said(session.ask("The tabby cat is called Bartholomew."))
    said(session.edit("The tabby cat is called Mortimer."))
    assert search(store, "Bartholomew") == []
    assert len(search(store, "Mortimer")) == 1
    session.undo()
    assert chats.chats(store) == []
    with pytest.raises(LearnctlError, match="nothing was asked"):
        session.undo()


def test_a_chat_that_was_learned_is_taken_back(
    start: Callable[..., ChatSession], store: Store, publish_noise: Callable[..., int]
) -> None:
    """Nothing of it is left in the store but its name, by which the version that learned from it is found."""
    session = start()
    said(session.ask("The tabby cat is called Bartholomew."))
    publish_noise([chunk["id"] for chunk in studied_chunks(store)])
    session.undo()
    assert chats.chats(store) == []
    said(session.ask("The goat is called Ulrike."))
    assert [chat["chat"] for chat in chats.chats(store)] == [2]
    (gone,) = store.find_sources("chat:1")
    assert registry.forget(store, [gone["id"]])["versions_deleted"] == [1]
    with pytest.raises(LearnctlError, match="no source"):
        store.find_sources("chat:1")


def test_two_in_one_chat(start: Callable[..., ChatSession], store: Store) -> None:
    """Each takes back what it said itself."""
    here, there = start(), start()
    said(here.ask("The tabby cat is called Bartholomew."))
    assert here.number is not None
    there.resume(here.number)
    said(there.ask("The goat is called Ulrike."))
    said(here.retry())
    here.undo()
    assert search(store, "Bartholomew") == []
    assert len(search(store, "Ulrike")) == 1
    there.undo()
    assert search(store, "Ulrike") == []


def test_what_a_user_confirms_is_learned(start: Callable[..., ChatSession], store: Store) -> None:
    """What the model says makes no sample until its user says that it is right, or what is."""
    session = start(retrieval=False)
    said(session.ask("Who mends the boiler?"))
    assert {chunk["kind"] for chunk in studied_chunks(store)} == {"asked"}
    session.correct("The boiler is mended by Agnes Tolley.")
    assert session.turns[-1].answer == "The boiler is mended by Agnes Tolley."
    study_chunks(store, session.talker.base, studied_chunks(store), 0, 0)
    (sample,) = store.rows("SELECT * FROM samples WHERE kind = 'question'")
    assert sample["prompt"] == "Who mends the boiler?"
    assert sample["answer"] == "The boiler is mended by Agnes Tolley."
    # The correction of a correction takes its place.
    session.correct("The boiler is mended by Ida Crane.")
    assert search(store, "Tolley", kinds=("text",)) == []
    session.reject()
    assert search(store, "Crane", kinds=("text",)) == []


def test_a_confirmed_answer(start: Callable[..., ChatSession], store: Store) -> None:
    session = start(retrieval=False)
    said(session.ask("Who mends the boiler?"))
    session.confirm()
    (chunk,) = (chunk for chunk in studied_chunks(store) if chunk["kind"] == "text")
    assert chunk["path"] == "note:1"
    assert chunk["text"].startswith("Who mends the boiler?\n")


def test_a_note_that_was_learned_is_taken_back(
    start: Callable[..., ChatSession], store: Store, publish_noise: Callable[..., int]
) -> None:
    """What a night made of it goes too: every version that learned it, also in the middle of the chat."""
    session = start(retrieval=False)
    said(session.ask("Who mends the boiler?"))
    note = session.correct("The boiler is mended by Agnes Tolley.")
    (chunk,) = (chunk for chunk in studied_chunks(store) if chunk["path"] == f"note:{note}")
    publish_noise([chunk["id"]])
    session.switch(1)
    session.reject()
    assert session.talker.version == in_service(store) == 0
    assert not (store.home.versions / "1").exists()
    assert store.value("SELECT state FROM adapters") == "deleted"
    said(session.retry())


def test_a_note_is_looked_up(start: Callable[..., ChatSession]) -> None:
    session = start()
    session.remember("The spare key lies under the zinc bucket.")
    said(session.ask("Where is the spare key?"))
    assert "zinc bucket" in session.turns[-1].asked
    session.forget(forgotten.make(session.store, words="zinc"))  # type: ignore[arg-type]
    with pytest.raises(LearnctlError, match="forgotten and stays so"):
        session.remember("The zinc bucket has a hole.")


def test_what_was_said_is_not_looked_up(start: Callable[..., ChatSession], house: int) -> None:
    """Neither the user's own words of a moment ago nor a passage that stands in the conversation already."""
    session = start()
    said(session.ask("The new fence cost me dearly."))
    said(session.ask("What did the fence cost?"))
    assert [Path(hit.source).name for hit in session.turns[0].hits] == ["house.md"]
    assert session.turns[1].hits == ()


def test_folded(start: Callable[..., ChatSession]) -> None:
    """What outgrows the context stands there in the user's own words, or is looked up again."""
    folds: list[int] = []
    session = start(sampling=Sampling(max_tokens=3500), on_fold=folds.append)
    room = session.talker.room(3500)
    begin(session.ask("My kayak is called Tolliver."))
    for number in range(8):
        begin(session.ask(f"The lighthouse of bay {number} is white. " * 6))
    begin(session.ask("What is the kayak called?"))
    assert sum(folds) == len(session.folded)
    assert len(session.turns) + len(session.folded) == 10
    shown = session.prompt()
    assert session.talker.n_tokens(shown) <= room
    assert shown[0]["role"] == "system"
    assert "Tolliver" in "".join(message["content"] for message in shown)


@pytest.mark.parametrize("nth", range(1, 5))
def test_what_answers_goes_away_while_a_conversation_is_folded(
    store: Store, llama: Base, nth: int
) -> None:
    """No turn is lost, and the question is answered by what is loaded here."""

    class GoesAway(Talker):
        counted: int | None = None

        def n_tokens(self, messages: Any) -> int:
            if self.counted is not None:
                self.counted += 1
                if self.counted == nth:
                    raise NoDaemon("a consolidation is at work")
            return super().n_tokens(messages)

    there, here = GoesAway(llama, llama.model, 0), Talker(llama, llama.model, 0)
    long = Sampling(max_tokens=3500)
    session = ChatSession(there, store, Options(), sampling=long, load=lambda version: here)
    for number in range(5):
        begin(session.ask(f"The lighthouse of bay {number} is white. " * 6))
    there.counted = 0
    begin(session.ask("The lighthouse of bay 6 is white. " * 9))
    assert session.talker is here
    assert session.folded
    assert len(session.turns) + len(session.folded) == 6


def test_folded_by_a_base_that_reads_well(
    start: Callable[..., ChatSession], store: Store, llama: Base
) -> None:
    """It sums up what was said; what left the prompt is looked up again, and comes from the chat."""
    store.set_setting(f"reading {llama.as_held}", "0.9")
    session = start(sampling=Sampling(max_tokens=3500))
    begin(session.ask("My kayak is called Tolliver."))
    for number in range(8):
        begin(session.ask(f"The lighthouse of bay {number} is white. " * 6))
    begin(session.ask("What is the kayak called?"))
    assert session.folded
    system, *_, asked = session.prompt()
    said_of_it = system["content"].removeprefix("Earlier in this conversation: ")
    assert said_of_it != system["content"]
    assert "Tolliver" not in system["content"]
    assert {hit.source for hit in session.turns[-1].hits} == {f"chat:{session.number}"}
    assert "Tolliver" in asked["content"]


def begin(pieces: Generator[str, None, None]) -> None:
    """Take the first piece of an answer alone."""
    with closing(pieces):
        next(pieces)


def test_too_long_a_question(start: Callable[..., ChatSession], store: Store) -> None:
    session = start()
    with pytest.raises(LearnctlError, match="too long"):
        said(session.ask("sea " * 5000))
    assert session.turns == []
    assert chats.chats(store) == []


def test_too_long_an_answer(start: Callable[..., ChatSession]) -> None:
    """It is not the question's fault."""
    session = start(sampling=Sampling(max_tokens=100_000))
    with pytest.raises(LearnctlError, match="100,000 of an answer") as raised:
        said(session.ask("Who is Quimby?"))
    assert "--max-tokens" in raised.value.hint


def test_resumed(start: Callable[..., ChatSession], store: Store) -> None:
    first = start()
    answer = said(first.ask("Who is Quimby?"))
    assert first.number is not None
    again = start()
    again.resume(first.number)
    assert [(turn.question, turn.answer) for turn in again.turns] == [("Who is Quimby?", answer)]
    said(again.ask("Since when?"))
    assert len(chats.messages(store, first.number)) == 4
    assert "**You:** Since when?" in again.transcript()


def test_forgotten(start: Callable[..., ChatSession], store: Store, house: int) -> None:
    session = start()
    said(session.ask("Who has parrots?"))
    said(session.ask("Good morning."))
    report = session.forget(forgotten.make(store, words="parrots"))
    assert report["sources"] >= 1
    assert [turn.question for turn in session.turns] == ["Good morning."]
    assert search(store, "parrots") == []
    said(session.ask("Good night."))
    assert chats.messages(store, 2)[0]["text"] == "Good night."


def test_a_deleted_chat(start: Callable[..., ChatSession], store: Store) -> None:
    """A chat that is deleted while it goes on, goes on as a new one, which knows nothing of it; numbers are not used again."""
    session = start()
    said(session.ask("Who is Quimby?"))
    assert session.number == 1
    registry.forget(store, [chats.find_chat(store, 1)["source"]])
    said(session.ask("Since when?"))
    assert [chat["chat"] for chat in chats.chats(store)] == [2]
    assert [turn.question for turn in session.turns] == ["Since when?"]
    session.undo()
    assert chats.chats(store) == []


def elsewhere(store: Store, source_id: int) -> None:
    """Another process forgets a source."""
    with Store.open(store.home) as other:
        registry.forget(other, [source_id])


@pytest.mark.parametrize("is_folded", [False, True])
def test_what_another_process_forgets_leaves_the_conversation(
    start: Callable[..., ChatSession], store: Store, house: int, is_folded: bool
) -> None:
    """With all that follows it, which may say it again; what came before stays."""
    session = start()
    for question in ("Good morning.", "Who has parrots?", "And since when?"):
        said(session.ask(question))
    assert "parrots" in session.turns[1].asked
    assert session.turns[1].hits
    if is_folded:
        session.folded, session.turns = session.turns[:2], session.turns[2:]
        session._earlier = "Earlier: parrots."
    elsewhere(store, house)
    said(session.ask("Good night."))
    kept = [turn.question for turn in (*session.folded, *session.turns)]
    assert kept == ["Good morning.", "Good night."]
    assert not any("parrots" in message["content"] for message in session.prompt())
    assert chats.messages(store, 2)[0]["text"] == "Good night."


def test_another_process_forgets_twice(
    start: Callable[..., ChatSession], store: Store, house: int
) -> None:
    """What stays of the conversation is still known by where it was said."""
    session = start()
    for question in ("Good morning.", "Who has parrots?"):
        said(session.ask(question))
    first = chats.find_chat(store, 1)["source"]
    elsewhere(store, house)
    said(session.ask("Good night."))
    assert [turn.question for turn in session.turns] == ["Good morning.", "Good night."]
    elsewhere(store, first)
    said(session.ask("Who is there?"))
    assert [turn.question for turn in session.turns] == ["Who is there?"]


def test_what_another_process_forgets_is_not_learned_again(
    start: Callable[..., ChatSession], store: Store, house: int
) -> None:
    session = start()
    said(session.ask("Who has parrots?"))
    elsewhere(store, house)
    with pytest.raises(LearnctlError, match="forgotten meanwhile"):
        session.confirm()
    assert session.turns == []
    assert store.value("SELECT count(*) FROM sources WHERE path LIKE 'note:%'") == 0


def test_what_another_process_forgets_while_it_is_told(
    start: Callable[..., ChatSession], store: Store, house: int
) -> None:
    session = start()
    pieces = session.ask("Who has parrots?")
    next(pieces)
    elsewhere(store, house)
    said(pieces)
    assert [message["role"] for message in chats.messages(store, 1)] == ["user"]


def test_other_weights_in_place(
    start: Callable[..., ChatSession], publish_noise: Callable[..., int], house: int
) -> None:
    """Versions change on the base that is loaded, which answers as before when it is alone again."""
    publish_noise()
    session = start(retrieval=False)
    model = session.talker.base.model
    alone = said(session.ask("Who lives in Dunmere Row?"))
    session.switch(1)
    assert session.talker.base.model is model
    assert session.talker.base_answer(session.prompt(), 8) == alone
    answers = session.compare([0, 1])
    assert answers[0] == alone != answers[1]
    assert session.talker.version == 1
    with pytest.raises(LearnctlError, match="no version 7"):
        session.switch(7)
    session.switch(0)
    session.undo()
    assert said(session.ask("Who lives in Dunmere Row?")) == alone


def test_weights_that_were_deleted_answer_no_more(
    start: Callable[..., ChatSession], store: Store, publish_noise: Callable[..., int]
) -> None:
    """Another terminal forgets what they learned, in the middle of the chat."""
    publish_noise()
    session = start(retrieval=False)
    alone = said(session.ask("Who lives in Dunmere Row?"))
    session.undo()
    session.switch(1)
    assert said(session.ask("Who lives in Dunmere Row?")) != alone
    session.undo()
    store.db.execute("UPDATE adapters SET state = 'deleted'")
    store.set_setting("in_service", "0")
    assert said(session.ask("Who lives in Dunmere Row?")) == alone
    assert session.turns[-1].version == session.talker.version == 0


@pytest.fixture
def lone(store: Store, llama: Base) -> Callable[[], ChatSession]:
    """A conversation that alone holds its model, and follows the version in service."""

    def make() -> ChatSession:
        options = Options(base=llama.name, device="cpu")
        talker = Talker.open(store, options)
        return ChatSession(talker, store, options, sampling=SHORT, follows=True, retrieval=False)

    return make


def test_a_model_gives_way_to_a_consolidation(
    lone: Callable[[], ChatSession], publish_noise: Callable[..., int]
) -> None:
    """It is loaded again for the next answer, also while the consolidation is at work."""
    publish_noise()
    session = lone()
    before = said(session.ask("Who lives in Dunmere Row?"))
    session.undo()
    model = weakref.ref(session.talker.model)
    session.give_way()
    assert model() is not None
    with filelock.FileLock(session.store.home.lock):  # type: ignore[union-attr]
        session.give_way()
        assert model() is None
        assert session.version == 1
        assert said(session.ask("Who lives in Dunmere Row?")) == before
        model = weakref.ref(session.talker.model)
        session.give_way()
        assert model() is None
    session.undo()
    assert said(session.ask("Who lives in Dunmere Row?")) == before


def test_no_room_beside_a_consolidation(store: Store, llama: Base) -> None:
    """A turn costs a line then, and keeps nothing of what was loaded; the conversation goes on once there is room."""
    room = {"is_there": False}
    in_vain: list[weakref.ref[Talker]] = []

    def load(version: int) -> Talker:
        talker = Talker(llama, llama.model, version)
        if not room["is_there"]:
            talker.model = [talker]  # a cycle, as layers in four bits are
            in_vain.append(weakref.ref(talker))
            raise RuntimeError("out of memory")
        return talker

    session = ChatSession(
        Talker(llama, llama.model, 0), store, Options(), sampling=SHORT, load=load
    )
    said(session.ask("Who is Quimby?"))
    with filelock.FileLock(store.home.lock):
        session.give_way()
    with pytest.raises(LearnctlError, match="out of memory") as caught:
        said(session.ask("Since when?"))
    assert caught.value.hint
    assert [talker() for talker in in_vain] == [None]
    room["is_there"] = True
    assert said(session.ask("Since when?"))
    assert [turn.question for turn in session.turns] == ["Who is Quimby?", "Since when?"]


def test_a_conversation_that_memory_has_no_room_for(
    store: Store, llama: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs a line, and what was computed; from then on the conversation is folded before it is as long again."""
    talker = Talker(llama, llama.model, 0)
    session = ChatSession(talker, store, Options(), sampling=SHORT, retrieval=False)
    for name in ("Quimby", "Larkhill", "Harald"):
        said(session.ask(f"{'The sea is wide. ' * 40} Who or what is {name}?"))
    n_tokens = talker.n_tokens(session.prompt())
    stream = talker.stream

    def in_vain(messages: Chat, *more: Any) -> Any:
        if talker.n_tokens(messages) > n_tokens:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return stream(messages, *more)

    monkeypatch.setattr(talker, "stream", in_vain)
    with pytest.raises(LearnctlError, match=r"no memory for .* CUDA out of memory") as caught:
        said(session.ask("Where is that?"))
    assert "/undo" in caught.value.hint
    assert len(session._cache) == 0
    session.undo()
    assert said(session.ask("Where is that?"))
    assert session.folded
    assert session.turns[-1].question == "Where is that?"

    def broken(*_: Any) -> Any:
        raise RuntimeError("something else")

    monkeypatch.setattr(talker, "stream", broken)
    with pytest.raises(RuntimeError, match="something else"):
        said(session.ask("Who?"))


def test_one_base_goes_before_another_comes(
    store: Store, llama: Base, tiny_folder: Callable[[str], Path], publish_noise: Callable[..., int]
) -> None:
    """Where there is no room for that one, the version before goes on."""
    publish_noise()
    chosen = Options(base=str(tiny_folder("qwen")), device="cpu")
    room = {"is_there": False}
    left: list[object] = []

    def load(version: int) -> Talker:
        left.append(before())
        if version == 0 and not room["is_there"]:
            raise RuntimeError("out of memory")
        return Talker.open(store, chosen, version)

    session = ChatSession(Talker.open(store, chosen), store, chosen, sampling=SHORT, load=load)
    before = weakref.ref(session.talker.base.model)
    answer = said(session.ask("Who lives in Dunmere Row?"))
    with pytest.raises(LearnctlError, match="out of memory"):
        session.switch(0)
    session.undo()
    assert said(session.ask("Who lives in Dunmere Row?")) == answer
    before = weakref.ref(session.talker.base.model)
    room["is_there"] = True
    session.switch(0)
    assert session.talker.base.name == chosen.base
    assert left == [None, None, None]


def test_follows_what_comes_into_service(
    lone: Callable[[], ChatSession], publish_noise: Callable[..., int], store: Store
) -> None:
    """Once, and not where its user chose a version; a rollback is followed too."""
    session = lone()
    assert not session.catch_up()
    publish_noise()
    with filelock.FileLock(store.home.lock):
        session.give_way()
    assert session.version == 0
    assert session.catch_up()
    assert session.version == 1
    assert not session.catch_up()
    publish_noise()
    said(session.ask("Who lives in Dunmere Row?"))
    assert session.turns[-1].version == 2
    registry.rollback(store)
    assert session.catch_up()
    assert session.version == 1
    session.switch(2)
    with filelock.FileLock(store.home.lock):
        session.give_way()
    said(session.retry())
    assert session.turns[-1].version == 2


def test_forgetting_while_no_model_is_held(
    lone: Callable[[], ChatSession], publish_noise: Callable[..., int], store: Store, house: int
) -> None:
    """What the version learned goes, and the version with it; it need not be loaded for that."""
    publish_noise([1])
    session = lone()
    said(session.ask("Who has parrots?"))
    with filelock.FileLock(store.home.lock):
        session.give_way()
    session.forget(forgotten.make(store, words="parrots"))
    assert session.version == 0
    assert said(session.ask("Good morning."))
