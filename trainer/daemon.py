"""A process that keeps a model loaded between questions, and answers through a Unix socket.

One connection is one request: a line of JSON in, lines of JSON out, the last of them with `done` or
`error`, and then `let_go` where the model had to make room. Requests are served one after the other; who comes meanwhile waits in the queue of the socket.

    {"op": "ready", "version": 3}   load a version (null: the one in service): its number, its context,
                                      and whether it can judge what it answers
    {"op": "count", "version": 3, "messages": [...]}   how many tokens the prompt has
    {"op": "learned", "version": 3, "messages": [...]}   whether the answer is learned (`Talker.is_learned`)
    {"op": "likeliest", "version": 3, "messages": [...], "n_answers": 8, "max_tokens": 64}   (`Talker.likeliest`)
    {"op": "bearing", "version": 3, "question": "...", "texts": [...]}   how much each bears on it (`Talker.bearing`)
    {"op": "led_to", "version": 3, "question": "...", "texts": [...]}   how much it leads to each (`Talker.led_to`)
    {"op": "answer", "version": 3, "messages": [...], "sampling": {...}}   the answer in pieces
    {"op": "status"}, {"op": "unload"}, {"op": "stop"}

Which version is in service is looked up for every `ready`, so a new one, a rollback or another base takes
effect at the next question. Nothing is loaded while a consolidation is at work.
"""

import json
import os
import re
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any

import filelock

from ..memory.errors import LearnctlError, Locked
from ..memory.home import Home, private_folder
from ..memory.lineage import in_service
from ..memory.store import Record, Store
from . import options
from .giving_way import TICK_S, consolidates, give_back
from .judged import MOST_TOKENS, N_ANSWERS, N_READ
from .options import Options
from .prompt_cache import PromptCache
from .sampling import Sampling
from .talk import Talker, wanted
from .warm import is_same_user

MOST_REQUEST_BYTES = 4_000_000
HELD_S = 5.0  # what was computed for whether an answer is learned, until the answer is asked for
MOST_TEXTS = 2 * (N_ANSWERS + N_READ)  # each answer, and what bears it out
REQUEST_S = 10.0  # for a whole request to come in, and for each line to be taken
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON may hold half a character, which is no text


class Daemon:
    """Serves one home folder.

    Attributes:
        unload_after_s: how long a model that nobody asks stays loaded.
        computed: for whether an answer is learned, until the answer is asked for.
    """

    def __init__(self, home: Home, unload_after_s: float) -> None:
        self.home = home
        self.unload_after_s = unload_after_s
        self._talker: Talker | None = None
        self._loaded: object = None  # all that decides what is loaded
        self._used_at = time.monotonic()
        # Not for long: another process may forget what was said.
        self.computed = PromptCache()
        self._n_answers = 0
        self._stopping = False

    def run(self) -> None:
        """Serve until told to stop.

        Raises:
            Locked: this home folder has a daemon.
            LearnctlError: this system has no Unix sockets.
        """
        if not hasattr(socket, "AF_UNIX"):
            raise LearnctlError("the daemon needs Unix sockets, which are not there on this system")
        with self._listening() as listener:
            while not self._stopping:
                self._let_go_in_time()
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                with client:
                    self._serve(client)

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        self.home.make()
        path = self.home.daemon_socket
        lock = filelock.FileLock(self.home.daemon_lock, timeout=0, mode=0o600)
        with ExitStack() as stack:
            try:
                stack.enter_context(lock)
            except filelock.Timeout as error:
                raise Locked(f"a daemon serves {self.home.path} already") from error
            private_folder(path.parent)
            path.unlink(missing_ok=True)  # left by one that was killed: we hold the lock
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            mask = os.umask(0o177)
            try:
                listener.bind(str(path))
            finally:
                os.umask(mask)
            stack.callback(path.unlink, missing_ok=True)
            listener.listen(16)
            listener.settimeout(TICK_S)
            yield listener

    def _serve(self, client: socket.socket) -> None:
        """One request. Whatever is wrong with it, the daemon goes on."""
        client.settimeout(REQUEST_S)
        # Where the client has left, there is nobody to tell.
        with suppress(OSError):
            if not is_same_user(client):
                return
            told: Record = {}
            is_out_of_order = False
            try:
                with closing(self._replies(_request(client))) as replies:
                    for reply in replies:
                        _send(client, reply)
            except LearnctlError as error:
                told = {"error": str(error), "hint": error.hint}
                told |= {"let_go": True} if isinstance(error, Locked) else {}
            except OSError:
                raise
            except Exception as error:
                # Such as torch that has no memory left.
                is_out_of_order = isinstance(error, MemoryError | RuntimeError)
                told = {"error": f"{type(error).__name__}: {error}", "hint": ""}
            # Not before the fault is done with: until then it holds what it came of.
            if is_out_of_order:
                self._unload()
            if told:
                _send(client, told)

    def _replies(self, request: Record) -> Generator[Record, None, None]:
        op = request.get("op")
        if op == "ready":
            talker = self._ready(_version(request))
            yield {
                "done": True,
                "version": talker.version,
                "n_context": talker.room(0),
                "judges_both_ways": talker.judges,
            }
        elif op == "count":
            messages = _messages(request)
            n_tokens = self._ready(_version(request)).n_tokens(messages)
            yield {"done": True, "n_tokens": n_tokens}
        elif op == "learned":
            messages = _messages(request)
            learned = self._ready(_version(request)).is_learned(messages, self.computed)
            self._used_at = time.monotonic()
            yield {"done": True, "learned": learned}
        elif op == "likeliest":
            yield {"done": True, "answers": self._likeliest(request)}
        elif op == "bearing":
            question, *texts = _texts(request)
            bears = self._judging(request).bearing(question, texts)
            self._used_at = time.monotonic()
            yield {"done": True, "bears": bears}
        elif op == "led_to":
            question, *texts = _texts(request)
            led = self._judging(request).led_to(question, texts)
            self._n_answers += 1  # of one that is judged it is asked once, and last
            self._used_at = time.monotonic()
            yield {"done": True, "led": led}
        elif op == "answer":
            yield from self._answer(request)
        elif op == "status":
            yield {"done": True, **self._status()}
        elif op == "unload":
            self._unload()
            yield {"done": True}
        elif op == "stop":
            self._stopping = True
            yield {"done": True}
        else:
            raise LearnctlError(f"no request `{op}`")

    def _answer(self, request: Record) -> Iterator[Record]:
        messages, sampling = _messages(request), _sampling(request)
        talker = self._ready(_version(request))
        self._n_answers += 1
        try:
            with closing(talker.stream(messages, sampling, self.computed)) as pieces:
                for piece in pieces:
                    yield {"piece": piece}
        finally:
            self.computed.clear()
            self._used_at = time.monotonic()
        yield {"done": True}

    def _likeliest(self, request: Record) -> Record:
        messages = _messages(request)
        n_answers = _count(request, "n_answers", N_ANSWERS)
        max_tokens = _count(request, "max_tokens", MOST_TOKENS)
        talker = self._judging(request)
        try:
            return talker.likeliest(messages, n_answers, max_tokens, self.computed)
        finally:
            self.computed.clear()
            self._used_at = time.monotonic()

    def _judging(self, request: Record) -> Talker:
        talker = self._ready(_version(request))
        if not talker.judges:
            raise LearnctlError(f"version {talker.version} cannot judge what it answers")
        return talker

    def _ready(self, version: int | None) -> Talker:
        """The version that is asked for, loaded where it is not."""
        chosen = options.load(self.home)
        with ExitStack() as stack:
            store = None
            if self.home.database.exists():
                store = stack.enter_context(Store.open(self.home))
            elif version:
                raise LearnctlError(f"no version {version}")
            if version is None:
                version = in_service(store) if store else 0
            identity = _identity(store, chosen, version)
            if self._talker is None or self._loaded != identity:
                wanted(store, chosen, version)  # where it is not there, what is loaded stays
                self._unload()
                if consolidates(self.home):
                    raise Locked("a consolidation is at work")
                from .backend import open_talker

                self._talker = open_talker(store, chosen, version)
                self._loaded = identity
                if consolidates(self.home):  # it began meanwhile, and found nothing to unload
                    self._unload()
                    raise Locked("a consolidation is at work")
        self._used_at = time.monotonic()
        return self._talker

    def _unload(self) -> None:
        """Give back the model, and what is left of one that could not be loaded."""
        self._talker = self._loaded = None
        self.computed.clear()
        give_back()

    def _let_go_in_time(self) -> None:
        """Unload a model that nobody asked for long, and one whose weights were deleted; drop what waits for no answer."""
        if self._talker is None:
            return
        idle_s = time.monotonic() - self._used_at
        if idle_s > HELD_S:
            self.computed.clear()
        folder = self.home.versions / str(self._talker.version)
        if idle_s > self.unload_after_s or (self._talker.version and not folder.exists()):
            self._unload()

    def _status(self) -> Record:
        return {
            "pid": os.getpid(),
            "version": self._talker.version if self._talker else None,
            "base": self._talker.base.name if self._talker else None,
            "answers": self._n_answers,
            "idle_s": round(time.monotonic() - self._used_at, 1),
            "unload_after_s": self.unload_after_s,
        }


def _identity(store: Store | None, chosen: Options, version: int) -> object:
    """What decides which weights answer. A number alone does not: it may be given again."""
    sha256 = None
    if store is not None:
        sha256 = store.value("SELECT sha256 FROM adapters WHERE version = ?", version)
    return (version, sha256, chosen.base, chosen.quantize, chosen.device, chosen.backend)


def _request(client: socket.socket) -> Record:
    """The line that a client sends.

    Raises:
        LearnctlError: it is too long, takes too long, or is no JSON object.
    """
    until = time.monotonic() + REQUEST_S
    line = bytearray()
    while not line.endswith(b"\n"):
        part = client.recv(65536)
        line += part
        if not part or len(line) > MOST_REQUEST_BYTES or time.monotonic() > until:
            raise LearnctlError("a request is one line of JSON, in good time and not too long")
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LearnctlError("a request is one line of JSON") from error
    if not isinstance(request, dict):
        raise LearnctlError("a request is a JSON object")
    return request


def _send(client: socket.socket, reply: Record) -> None:
    client.sendall(json.dumps(reply).encode() + b"\n")


def _version(request: Record) -> int | None:
    version = request.get("version")
    if version is not None and (not isinstance(version, int) or not 0 <= version < 2**63):
        raise LearnctlError("version must be a number or null")
    return version


def _texts(request: Record) -> list[str]:
    """The question and what may bear on it."""
    texts = request.get("texts")
    found = [request.get("question"), *(texts if isinstance(texts, list) else [None])]
    if len(found) > 1 + MOST_TEXTS or not all(
        isinstance(one, str) and not _LONE_SURROGATE.search(one) for one in found
    ):
        raise LearnctlError(f"question must be a text, and texts a list of {MOST_TEXTS} at most")
    return found


def _count(request: Record, name: str, most: int) -> int:
    count = request.get(name)
    if type(count) is not int or not 1 <= count <= most:
        raise LearnctlError(f"{name} must be a number from 1 to {most}")
    return count


def _messages(request: Record) -> list[dict[str, str]]:
    messages: Any = request.get("messages")
    parts = {"role": str, "content": str}
    if (
        not isinstance(messages, list)
        or not messages
        or not all(
            isinstance(message, dict)
            and {name: type(value) for name, value in message.items()} == parts
            and not any(map(_LONE_SURROGATE.search, message.values()))
            for message in messages
        )
    ):
        raise LearnctlError("messages must be a list of objects with `role` and `content`")
    return messages


def _sampling(request: Record) -> Sampling:
    values = request.get("sampling", {})
    if not isinstance(values, dict):
        raise LearnctlError("sampling must be an object")
    return Sampling().with_values(f"{name}={v}" for name, v in values.items() if v is not None)
