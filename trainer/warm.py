"""Asking the daemon, where one is at work: a talker that is loaded already, in another process."""

import json
import os
import socket
import struct
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict

import filelock

from ..memory.errors import LearnctlError
from ..memory.home import Home
from ..memory.store import Record, Store
from .chat_form import Chat
from .options import Options
from .prompt_cache import PromptCache
from .sampling import Sampling
from .talk import GREEDY, Talker

# Loading a large model takes as long as this, behind whoever is served first.
PATIENCE_S = 600.0
# The daemon gives the answer that it has begun to its end.
YIELD_S = 60.0


class NoDaemon(LearnctlError):
    """None is at work, it went away, or it has let go of its model for a consolidation."""


class WarmTalker(Talker):
    """A version that the daemon holds: it answers as if it were loaded here. It has no base here."""

    def __init__(self, home: Home, version: int, n_context: int, judges: bool) -> None:
        self.home = home
        self.version = version
        self._n_context = n_context
        self.judges = judges

    def switch(self, store: Store | None, options: Options, version: int) -> bool:
        ready = ask(self.home, "ready", version=version)
        self.version, self.judges = int(ready["version"]), _judges(ready)
        self._n_context = int(ready["n_context"])
        return True

    def room(self, max_tokens: int) -> int:
        return self._n_context - max_tokens

    def n_tokens(self, messages: Chat) -> int:
        counted = ask(self.home, "count", version=self.version, messages=messages)
        return int(counted["n_tokens"])

    def is_learned(self, messages: Chat, cache: PromptCache | None = None) -> bool:
        if not self.judges:
            return False
        return bool(ask(self.home, "learned", version=self.version, messages=messages)["learned"])

    def likeliest(
        self, messages: Chat, n_answers: int, max_tokens: int, cache: PromptCache | None = None
    ) -> dict[str, float]:
        found = ask(
            self.home,
            "likeliest",
            version=self.version,
            messages=messages,
            n_answers=n_answers,
            max_tokens=max_tokens,
        )
        return dict(found["answers"])

    def bearing(self, question: str, texts: Sequence[str]) -> list[float]:
        found = ask(
            self.home, "bearing", version=self.version, question=question, texts=list(texts)
        )
        return list(found["bears"])

    def led_to(self, question: str, answers: Sequence[str]) -> list[float]:
        found = ask(
            self.home, "led_to", version=self.version, question=question, texts=list(answers)
        )
        return list(found["led"])

    def stream(
        self, messages: Chat, sampling: Sampling = GREEDY, cache: PromptCache | None = None
    ) -> Generator[str, None, None]:
        """The answer to a chat, piece by piece. Closing the iterator ends the generation.

        Raises:
            LearnctlError: the daemon cannot answer, or went away.
        """
        request = {"version": self.version, "messages": messages, "sampling": asdict(sampling)}
        with closing(_replies(self.home, {"op": "answer", **request})) as replies:
            for reply in replies:
                if piece := reply.get("piece"):
                    yield str(piece)


def find(home: Home, version: int | None = None) -> WarmTalker | None:
    """A version (None: the one in service) where a daemon is at work and can load it."""
    try:
        found = ask(home, "ready", version=version)
    except LearnctlError:
        return None
    return WarmTalker(home, found["version"], found["n_context"], _judges(found))


def _judges(ready: Record) -> bool:
    """A daemon that was started before it could judge so does not say."""
    return bool(ready.get("judges_both_ways"))


def is_served(home: Home) -> bool:
    """Whether a daemon serves a home folder; also one that is busy is seen at once."""
    try:
        with filelock.FileLock(home.daemon_lock, timeout=0, mode=0o600):
            return False
    except filelock.Timeout:
        return True


def give_way(home: Home) -> None:
    """Have the daemon let go of its model, where there is one: something needs the room."""
    with suppress(LearnctlError):
        ask(home, "unload", YIELD_S)


def ask(home: Home, op: str, patience_s: float = PATIENCE_S, **more: object) -> Record:
    """Make a request that has one reply.

    Raises:
        NoDaemon: none is at work.
        LearnctlError: it cannot do that.
    """
    *_, last = _replies(home, {"op": op, **more}, patience_s)
    return last


def _replies(
    home: Home, request: Record, patience_s: float = PATIENCE_S
) -> Generator[Record, None, None]:
    if not hasattr(socket, "AF_UNIX"):
        raise NoDaemon("no daemon can be at work on this system")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.settimeout(patience_s)
            server.connect(str(home.daemon_socket))
            if not is_same_user(server):
                raise NoDaemon(f"another user listens at {home.daemon_socket}")
            server.sendall(json.dumps(request).encode() + b"\n")
            with server.makefile("rb") as lines:
                for line in lines:
                    reply = json.loads(line)
                    if "error" in reply:
                        wrong = NoDaemon if reply.get("let_go") else LearnctlError
                        raise wrong(reply["error"], hint=reply["hint"])
                    yield reply
                    if "done" in reply:
                        return
    except (OSError, ValueError) as error:
        raise NoDaemon("no daemon is at work") from error
    raise NoDaemon("the daemon went away in the middle of an answer")


def is_same_user(other: socket.socket) -> bool:
    """Whether the other side is the user whom this process belongs to, as the kernel says."""
    if hasattr(socket, "SO_PEERCRED"):
        form = struct.Struct("3i")  # struct ucred: pid, uid, gid
        credentials = other.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, form.size)
        return bool(form.unpack(credentials)[1] == os.getuid())
    if hasattr(socket, "LOCAL_PEERCRED"):
        form = struct.Struct("2I")  # the beginning of struct xucred: version, uid
        credentials = other.getsockopt(0, socket.LOCAL_PEERCRED, 76)
        return bool(form.unpack_from(credentials)[1] == os.getuid())
    return True  # the mode of the socket and of its folder is all there is
