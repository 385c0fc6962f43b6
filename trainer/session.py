"""A conversation with a version: asked turn by turn, taken back, corrected, kept in the store.

    session = ChatSession(Talker.open(store, options), store, options)
    print("".join(session.ask("When is the boiler serviced?")))
    session.correct("Every March.")

What the user says is logged as theirs and studied at night. What the model says is logged, and never
learned but where the user says that it is right, or what would be.
"""

import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..memory import forgotten
from ..memory.errors import LearnctlError
from ..memory.forgotten import Rule
from ..memory.languages import language_of
from ..memory.lineage import in_service, pruned
from ..memory.search import Hit
from ..memory.store import Record, Store, marks
from ..memory.unspaced import spaced
from . import backend, chats, notes, registry, talk
from .chat_form import Chat
from .fold import fold
from .giving_way import consolidates, give_back, ran_out
from .judged import learned_answer
from .options import Options
from .prompt_cache import PromptCache
from .sampling import Sampling
from .voice import asks_for_writing
from .warm import NoDaemon
from .wordings import ENGLISH, not_known, says_not_known

# An answer that is made again is drawn with this temperature where none was asked for.
AGAIN = 0.8
# Where a conversation is folded, this share of the context is left to what is not.
FOLDED_TO = 0.5
# What is longer than so many words (of scripts without spaces, pairs of letters), or than a line, is no plain question: it may hold what it asks about.
LONGEST_QUESTION = 40


@dataclass
class Turn:
    """Attributes:
    question: in the user's words.
    asked: the same as it stands in the prompt, with its passages.
    answer: as far as it came; empty where it is to be left out of the prompt.
    hits: what the answer draws on beside the weights.
    version: which weights answered.
    is_unknown: nothing that was learned answers it, and the answer only says so.
    is_learned: the weights say the answer also without its passages.
    logged: its messages in the store, by the numbers of their rows.
    logged_before: those of a chat that it was parted from.
    note: the note that says what the right answer is.
    """

    question: str
    asked: str
    answer: str = ""
    hits: tuple[Hit, ...] = ()
    version: int = 0
    is_unknown: bool = False
    is_learned: bool = False
    logged: list[int] = field(default_factory=list)
    logged_before: list[int] = field(default_factory=list)
    note: int | None = None


class ChatSession:
    """Attributes:
    turns: the conversation as the model sees it.
    folded: the turns before it, which are there in short alone.
    number: of the chat in the store, once there is one.
    follows: whether it goes on with whatever version comes into service.
    """

    def __init__(
        self,
        talker: talk.Talker,
        store: Store | None,
        options: Options,
        *,
        sampling: Sampling = talk.GREEDY,
        retrieval: bool = True,
        system: str | None = None,
        is_kept: bool = True,
        follows: bool = False,
        load: Callable[[int], talk.Talker] | None = None,
        on_fold: Callable[[int], None] = lambda n_turns: None,
    ) -> None:
        """
        Args:
            is_kept: whether the conversation goes into the store.
            load: loads a version again, after the model gave way; with the same options where None.
            on_fold: told how many turns are about to be folded.
        """
        self._talker: talk.Talker | None = talker
        self._version = talker.version
        self.store = store
        self.options = options
        self.sampling = sampling
        self.retrieval = retrieval
        self.turns: list[Turn] = []
        self.folded: list[Turn] = []
        self.number: int | None = None
        self.is_kept = is_kept and store is not None
        self.follows = follows
        self._load = load or (lambda version: backend.open_talker(store, options, version))
        self._on_fold = on_fold
        self._system = system or ""
        self._earlier = ""
        self._cache = PromptCache()
        self._n_again = 0
        # Of a prompt, once one was found that memory had no room for.
        self._most_tokens = sys.maxsize
        self._n_forgotten = registry.n_forgotten(store) if store else 0

    @property
    def talker(self) -> talk.Talker:
        """What answers; it is loaded again where it gave way."""
        if self._talker is None:
            self._talker = self._loaded(self._version)
        return self._talker

    @property
    def version(self) -> int:
        """Which weights answer, loaded or not; 0 is the base."""
        return self._version if self._talker is None else self._talker.version

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The passages that the last answer was given."""
        return self.turns[-1].hits if self.turns else ()

    @property
    def is_learned(self) -> bool:
        """Whether the last answer is what the weights have learned, and not what was only read."""
        return bool(self.turns) and self.turns[-1].is_learned

    def ask(self, question: str) -> Generator[str, None, None]:
        """The answer piece by piece; one that was learned is looked up first, and comes whole. Where it is stopped, what was given
        of it stays in the conversation.

        Raises:
            LearnctlError: the question is longer than what the base can read.
        """
        self.catch_up()
        try:
            turn = self._turn(question)
        except NoDaemon:
            self._load_here()
            turn = self._turn(question)
        self._log(turn, "user", question)
        self.turns.append(turn)
        yield from self._answer(self.sampling)

    def retry(self) -> Generator[str, None, None]:
        """Another answer to the last question; the one before stays in the store, beside the conversation."""
        turn = self._current()
        self.catch_up()
        self._take_answer(turn)
        self._n_again += 1
        seed = self.sampling.seed
        yield from self._answer(
            replace(
                self.sampling,
                temperature=self.sampling.temperature or AGAIN,
                seed=None if seed is None else seed + self._n_again,
            )
        )

    def edit(self, question: str) -> Generator[str, None, None]:
        """Ask this instead of the last question."""
        self.undo()
        yield from self.ask(question)

    def undo(self) -> Turn:
        """Take back the last question and its answer, also from the store."""
        turn = self._current()
        self._drop_note(turn)
        if self.store and self._is_logged(turn):
            assert self.number is not None
            chats.take_back(self.store, self.number, turn.logged)
        return self.turns.pop()

    def confirm(self) -> int | None:
        """The last answer is right: it is learned with its question. The number of the note that says so."""
        turn = self._answered()
        if turn.is_unknown:
            raise LearnctlError(
                "there was no answer that could be right", hint="say what would be: `/bad ANSWER`"
            )
        return self._settle(turn, turn.answer)

    def correct(self, answer: str) -> int | None:
        """The last answer should have been this: it is so from now on in the conversation, is found by search,
        and learned with its question. The number of the note that says so."""
        turn = self._current()
        note = self._settle(turn, answer)
        self._take_answer(turn)
        turn.answer, turn.is_unknown, turn.is_learned = answer, False, False
        self._log(turn, "assistant", answer)
        return note

    def reject(self) -> None:
        """The last answer is wrong: nothing builds on it. `retry` asks again."""
        turn = self._answered()
        self._drop_note(turn)
        self._take_answer(turn)

    def remember(self, text: str) -> int:
        """Keep a note of the user's, also where the conversation is not kept; its number."""
        if self.store is None:
            raise LearnctlError("there is no store to keep it in", hint="`learnctl init` makes one")
        return notes.remember(self.store, text)

    def forget(self, rule: Rule) -> Record:
        """Take what a rule covers out of store, versions and this conversation; what it came to."""
        assert self.store is not None
        self._part_from_forgotten()
        report = registry.forget_by_rule(self.store, rule)
        self._n_forgotten = registry.n_forgotten(self.store)
        rules = forgotten.only(self.store, rule)

        def stays(turn: Turn) -> bool:
            texts = (turn.asked, turn.answer, *(hit.text for hit in turn.hits))
            return not any(rules.cover([text], None, None) for text in texts)

        n_before = len(self.turns) + len(self.folded)
        self.folded = list(filter(stays, self.folded))
        self.turns = list(filter(stays, self.turns))
        self._earlier = ""
        self._cache.clear()
        if len(self.turns) + len(self.folded) < n_before:
            # What is left of it in the store no longer ends as this conversation does.
            self._part_from_log()
        # Only now: there may be no room to load a model, and what was forgotten is gone all the same.
        if self.version in report["versions_deleted"]:
            self._switch(report["version"])
        if self.folded:
            self._earlier = self._fold(self.folded)
        return report

    def switch(self, version: int) -> None:
        """Go on with other weights, and stay with them."""
        self._switch(version)
        self.follows = False

    def catch_up(self) -> bool:
        """Load what gave way, and go on with the version in service where that is followed, or where another
        process deleted this one; whether it is another than before."""
        before = self.version
        if self.store and (self.follows or self._is_deleted()):
            serving = in_service(self.store)
            if serving != before:
                self._switch(serving)
        self._part_from_forgotten()
        return self.talker.version != before

    def give_way(self) -> None:
        """Let go of the model where a consolidation is at work; the next turn loads it again."""
        if self._talker is None or self.store is None or not consolidates(self.store.home):
            return
        self._let_go()

    def compare(self, versions: Iterable[int]) -> dict[int, str]:
        """What some versions answer to the last question, in the conversation as it is."""
        self._current()
        shown, serving = self.prompt(), self.version
        answers = {}
        try:
            for version in versions:
                self._switch(version)
                pieces = self.talker.stream(shown, self.sampling)
                answers[version] = "".join(pieces).strip()
        finally:
            self._switch(serving)
        return answers

    def prompt(self) -> Chat:
        """The conversation as the model sees it, up to the last question."""
        asked = {"role": "user", "content": self._last().asked}
        return [*self._prompt(self.turns[:-1]), asked]

    def resume(self, number: int) -> None:
        """Go on with a conversation of earlier.

        Raises:
            LearnctlError: there is no such chat.
        """
        if self.store is None:
            raise LearnctlError(f"no chat {number}", hint="there is no store")
        for message in chats.messages(self.store, number):
            text = message["text"]
            if message["role"] == "user":
                self.turns.append(Turn(text, text, logged=[message["id"]]))
            elif self.turns:
                self.turns[-1].answer = text
                self.turns[-1].is_unknown = says_not_known(text)
                self.turns[-1].logged.append(message["id"])
        self.number = number if self.is_kept else None

    def transcript(self) -> str:
        """The conversation as Markdown."""
        parts = []
        for turn in (*self.folded, *self.turns):
            parts.append(f"**You:** {turn.question}")
            if turn.answer:
                who = f"version {turn.version}" if turn.version else "base"
                parts.append(f"**learnctl ({who}):** {turn.answer.strip()}")
            if turn.hits:
                places = dict.fromkeys(hit.source for hit in turn.hits)
                parts.append(f"_Looked up: {', '.join(places)}_")
        return "\n\n".join(parts) + "\n"

    def _turn(self, question: str) -> Turn:
        """A question with its passages, as far as they fit; the conversation is folded where it must be."""
        hits: list[Hit] = []
        if self.store and self.retrieval:
            said = _words(" ".join(message["content"] for message in self._prompt(self.turns)))
            hits = talk.passages(
                self.store,
                question,
                version=self.version,
                is_seen=lambda hit: _words(talk.excerpt(hit)) in said,
            )
        asked = talk.with_passages([{"role": "user", "content": question}], hits) if hits else []
        turn = Turn(question, asked[0]["content"] if asked else question, hits=tuple(hits))
        self._make_room(turn)
        return turn

    def _make_room(self, turn: Turn) -> None:
        room = self._room()
        if self._n_tokens(turn) <= room:
            return
        n_folded = 0
        while n_folded < len(self.turns) and self._n_tokens(turn, n_folded) > FOLDED_TO * room:
            n_folded += 1
        if n_folded:
            self._on_fold(n_folded)
            folded = [*self.folded, *self.turns[:n_folded]]
            # What answers may go away until here: the turns stay where they are.
            self._earlier = self._fold(folded)
            self.folded, self.turns = folded, self.turns[n_folded:]
        if self._n_tokens(turn) > room:
            turn.asked, turn.hits = turn.question, ()
        n_tokens = self._n_tokens(turn)
        if n_tokens > room:
            longest = self.sampling.max_tokens
            raise LearnctlError(
                f"this is too long: {n_tokens:,} tokens and up to {longest:,} of an answer, where"
                f" there is room for {room + longest:,} together",
                hint="say less at once, lower --max-tokens, or take it in with `learnctl ingest` and ask about it",
            )

    def _fold(self, turns: list[Turn]) -> str:
        said = [(turn.question, turn.answer) for turn in turns]
        n_words = self._room() // 8
        return fold(self.talker, self.store, said, n_words)

    def _room(self) -> int:
        """How many tokens a prompt may have."""
        return min(self.talker.room(self.sampling.max_tokens), self._most_tokens)

    def _n_tokens(self, turn: Turn, first: int = 0) -> int:
        """How long the prompt of a turn is, without the first of those before it."""
        asked = {"role": "user", "content": turn.asked}
        return self.talker.n_tokens([*self._prompt(self.turns[first:]), asked])

    def _prompt(self, turns: list[Turn]) -> Chat:
        system = "\n\n".join(part for part in (self._system, self._earlier) if part)
        prompt = [{"role": "system", "content": system}] if system else []
        for turn in turns:
            if turn.answer:
                prompt.append({"role": "user", "content": turn.asked})
                prompt.append({"role": "assistant", "content": turn.answer})
        return prompt

    def _answer(self, sampling: Sampling) -> Generator[str, None, None]:
        turn = self.turns[-1]
        turn.version = self.version
        turn.is_unknown = turn.is_learned = False
        turn.answer = fault = ""
        try:
            yield from self._pieces(turn, sampling)
        except NoDaemon:
            if turn.answer:
                raise
            self._load_here()
            yield from self._pieces(turn, sampling)
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
            fault = (str(error).splitlines() or ["out of memory"])[0]
        finally:
            turn.answer = turn.answer.strip()
            # What is forgotten while it is told is not written down again.
            if turn.answer and self._n_there() == len(self.folded) + len(self.turns):
                self._log(turn, "assistant", turn.answer)
        if fault:
            # Not before it is done with: until then it holds what was computed.
            self._cache.clear()
            give_back()
            n_tokens = self.talker.n_tokens(self.prompt())
            self._most_tokens = max(talk.LEAST_CONTEXT, int(FOLDED_TO * n_tokens))
            raise LearnctlError(
                f"there is no memory for a conversation of {n_tokens:,} tokens: {fault}",
                hint="`/undo` and ask again: a long one is folded to half of that; or close what else takes memory",
            )

    def _pieces(self, turn: Turn, sampling: Sampling) -> Generator[str, None, None]:
        """The answer to a turn, which it is kept in as far as it came."""
        asked = self.prompt()
        # Another try is shown what it would be.
        is_judged = not sampling.temperature and self._is_plain(asked)
        pieces: Iterable[str]
        # With a passage in view the base, too, reads its answer there, so nothing would seem learned.
        alone: Chat = [{"role": "user", "content": turn.question}]
        if self.store and is_judged and self.talker.is_learned(alone, self._cache):
            said = learned_answer(
                self.store,
                self.talker,
                asked,
                turn.question,
                turn.hits,
                sampling.max_tokens,
                self._cache,
            )
            turn.is_unknown = said is None
            turn.is_learned = said is not None and said.is_by_heart
            pieces = [self._not_known(turn) if said is None else said.answer]
        else:
            pieces = self.talker.stream(asked, sampling, self._cache)
        for piece in pieces:
            turn.answer += piece
            yield piece

    def _not_known(self, turn: Turn) -> str:
        language = language_of(turn.question, self._usual_language())
        return not_known(language, is_looked_up=bool(turn.hits))

    def _is_plain(self, asked: Chat) -> bool:
        """Whether a question stands alone or under passages that were looked up, so that it is answered from these and the
        weights or not at all."""
        question = self._last().question
        is_short = (
            "\n" not in question.strip() and len(spaced(question).split()) <= LONGEST_QUESTION
        )
        return len(asked) == 1 and is_short and not asks_for_writing(question)

    def _usual_language(self) -> str:
        """That of most of what was taken in: a question is too short to tell near languages apart."""
        most = (
            "SELECT language FROM chunks GROUP BY language ORDER BY count(*) DESC, language LIMIT 1"
        )
        return (self.store and self.store.value(most)) or ENGLISH

    def _switch(self, version: int) -> None:
        is_there = False
        if self._talker is not None:
            with suppress(NoDaemon):
                is_there = self._talker.switch(self.store, self.options, version)
        if not is_there:
            self._let_go()  # there may be no room for both
            self._talker = self._loaded(version)
        self._cache.clear()

    def _let_go(self) -> None:
        """Give back the model; the next turn loads it again."""
        self._version, self._talker = self.version, None
        self._cache.clear()
        give_back()

    def _load_here(self) -> None:
        """Answer by itself: the daemon that held the version has let go of it, or was stopped."""
        self._talker = self._loaded(self.version)
        self._cache.clear()

    def _loaded(self, version: int) -> talk.Talker:
        try:
            return self._load(version)
        except (MemoryError, RuntimeError) as error:  # such as torch that has no memory left
            fault = str(error)
        # Not before the fault is done with: until then it holds what was loaded.
        give_back()
        raise LearnctlError(
            f"the model cannot be loaded: {fault}",
            hint="where a consolidation takes the room, ask again when it is done",
        )

    def _is_deleted(self) -> bool:
        """Another process may have forgotten what these weights learned."""
        assert self.store is not None
        sql = "SELECT state FROM adapters WHERE version = ?"
        return bool(self.store.value(sql, self.version) == "deleted")

    def _part_from_forgotten(self) -> bool:
        """Where another process forgot what was read or said in a turn, the conversation ends before that, for what follows may
        say it again; whether it does."""
        n_there, n_folded = self._n_there(), len(self.folded)
        is_shorter = n_there < n_folded + len(self.turns)
        if self.store:
            self._n_forgotten = registry.n_forgotten(self.store)
        if is_shorter:
            self.folded, self.turns = (
                self.folded[:n_there],
                self.turns[: max(0, n_there - n_folded)],
            )
            self._part_from_log()
            self._cache.clear()
        if n_there < n_folded:
            self._earlier = self._fold(self.folded) if self.folded else ""
        return is_shorter

    def _n_there(self) -> int:
        """Of how many turns, from the first on, nothing was forgotten by another process."""
        turns = [*self.folded, *self.turns]
        if self.store is None or registry.n_forgotten(self.store) == self._n_forgotten:
            return len(turns)
        return next((n for n, turn in enumerate(turns) if not self._is_there(turn)), len(turns))

    def _is_there(self, turn: Turn) -> bool:
        """Whether the store still has the messages and passages of a turn, and the version that answered was not deleted for what it
        had learned."""
        assert self.store is not None
        chunk_ids = {hit.chunk for hit in turn.hits}
        messages = turn.logged_before + turn.logged
        for table, ids in (("messages", messages), ("chunks", chunk_ids)):
            found = f"SELECT count(*) FROM {table} WHERE id IN ({marks(ids)})"
            if self.store.value(found, *ids) < len(ids):
                return False
        state = self.store.value("SELECT state FROM adapters WHERE version = ?", turn.version)
        return state != "deleted" or turn.version in pruned(self.store)

    def _log(self, turn: Turn, role: str, text: str) -> None:
        if self.store is None or not self.is_kept:
            return
        if self.number is not None and not chats.exists(self.store, self.number):
            self._part_from_log()
        if role == "assistant" and not turn.logged:
            return  # its question is in a chat that is gone
        if self.number is None:
            self.number = chats.start_chat(self.store)
        turn.logged.append(chats.log_turn(self.store, self.number, role, text))

    def _is_logged(self, turn: Turn) -> bool:
        return (
            self.store is not None
            and self.number is not None
            and bool(turn.logged)
            and chats.exists(self.store, self.number)
        )

    def _part_from_log(self) -> None:
        """What comes next begins a chat of its own."""
        self.number = None
        for turn in (*self.folded, *self.turns):
            turn.logged_before, turn.logged = turn.logged_before + turn.logged, []

    def _take_answer(self, turn: Turn) -> None:
        """The answer leaves the conversation; the store keeps it beside it."""
        turn.answer = ""
        answers = turn.logged[1:]
        if self.store and answers and self._is_logged(turn):
            assert self.number is not None
            chats.take_back(self.store, self.number, answers, is_made_again=True)
            del turn.logged[1:]

    def _settle(self, turn: Turn, answer: str) -> int | None:
        self._drop_note(turn)
        if self.store and self.is_kept:
            turn.note = notes.settle(self.store, turn.question, answer)
        return turn.note

    def _drop_note(self, turn: Turn) -> None:
        if self.store and turn.note is not None:
            number, turn.note = turn.note, None
            versions = notes.drop(self.store, number)
            self._n_forgotten = registry.n_forgotten(self.store)
            if self.version in versions:
                self._switch(in_service(self.store))

    def _current(self) -> Turn:
        """The last turn, to do something with it."""
        if self._part_from_forgotten():
            raise LearnctlError("what was said last was forgotten meanwhile")
        return self._last()

    def _last(self) -> Turn:
        if not self.turns:
            raise LearnctlError("nothing was asked yet")
        return self.turns[-1]

    def _answered(self) -> Turn:
        if not self._current().answer:
            raise LearnctlError("the last question has no answer", hint="`/retry` asks it again")
        return self.turns[-1]


def _words(text: str) -> str:
    return " ".join(text.split())
