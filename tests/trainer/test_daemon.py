"""The daemon: what it answers, what it follows, when it lets go, and what it survives."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import filelock
import pytest

from learnctl.memory.errors import LearnctlError, Locked
from learnctl.memory.home import Home
from learnctl.memory.store import Store
from learnctl.trainer import adapter, backend, options, registry, warm
from learnctl.trainer import base as bases
from learnctl.trainer.daemon import MOST_REQUEST_BYTES, Daemon
from learnctl.trainer.judged import N_ANSWERS, N_READ, learned_answer
from learnctl.trainer.sampling import Sampling
from learnctl.trainer.session import ChatSession
from learnctl.trainer.talk import Talker

QUESTION = [{"role": "user", "content": "What is the dog called?"}]


@contextmanager
def at_work(home: Home, unload_after_s: float = 600.0) -> Iterator[Daemon]:
    daemon = Daemon(home, unload_after_s)
    thread = threading.Thread(target=daemon.run, daemon=True)  # a failure must not keep pytest
    thread.start()
    wait_for(lambda: answers(home))  # a socket may be there that nobody listens at
    try:
        yield daemon
    finally:
        warm.ask(home, "stop")
        thread.join()
    assert not home.daemon_socket.exists()


def answers(home: Home) -> bool:
    try:
        warm.ask(home, "status")
    except warm.NoDaemon:
        return False
    return True


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def version_held(home: Home) -> int | None:
    held = warm.ask(home, "status")["version"]
    return None if held is None else int(held)


def warmed(home: Home, version: int | None = None) -> warm.WarmTalker:
    found = warm.find(home, version)
    assert found is not None
    return found


@pytest.fixture
def mine(home: Path, tiny_folder: Callable[[str], Path]) -> Home:
    """A home whose base is a tiny model."""
    found = Home(home)
    options.set_config(found, "base", str(tiny_folder("llama")))
    options.set_config(found, "device", "cpu")
    return found


@pytest.fixture
def publish(mine: Home, store: Store) -> Callable[..., int]:
    """Put another version with random weights in service; its number."""

    def make(**report: Any) -> int:
        import torch

        base = bases.load(options.load(mine).base)
        model = adapter.new_adapter(base, rank=4, seed=0)
        number = 1 + int(store.value("SELECT count(*) FROM adapters"))
        chance = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for name, value in adapter.weights(model).items():
                if "lora_B" in name:
                    value.copy_(torch.randn(value.shape, generator=chance) * 0.3)
        row = {
            "created_at": "2026-01-01T00:00:00Z",
            "state": "running",
            "level": "slow",
            "parent": 0,
            "replaces": number - 1,
        }
        row |= {"base_name": base.name, "base_digest": base.digest, "options": "{}"}
        store.db.table("runs").insert(row)
        run = store.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
        assert run is not None
        return registry.publish(
            store, run, lambda folder: adapter.save_adapter(model, folder), report
        )

    return make


def test_answers_as_a_talker_in_this_process(mine: Home, store: Store, publish: Any) -> None:
    version = publish()
    talker = Talker.open(store, options.load(mine))
    with at_work(mine):
        found = warmed(mine)
        assert found.version == version
        assert found.answer(QUESTION, 12) == talker.answer(QUESTION, 12)
        assert found.n_tokens(QUESTION) == talker.n_tokens(QUESTION)
        assert found.room(100) == talker.room(100)
        assert len(list(found.stream(QUESTION, Sampling(max_tokens=12)))) > 1


def test_judges_as_a_talker_in_this_process(
    mine: Home, store: Store, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version whose night has learned how; of another, and of the base, nothing is looked at."""
    monkeypatch.setattr("learnctl.trainer.talk.MOVED", -1000.0)
    judges, untold = publish(least_backed=0.5, least_bearing=1.0), publish()
    talker = Talker.open(store, options.load(mine), judges)
    with at_work(mine):
        found = warmed(mine, judges)
        for other, learned in ((judges, True), (untold, False), (0, False), (judges, True)):
            talker.switch(store, options.load(mine), other)
            found.switch(store, options.load(mine), other)
            assert talker.is_learned(QUESTION) == found.is_learned(QUESTION) == learned
            assert found.answer(QUESTION, 12) == talker.answer(QUESTION, 12)
        assert found.is_learned(QUESTION)
        likely = talker.likeliest(QUESTION, 4, 12)
        assert found.likeliest(QUESTION, 4, 12) == pytest.approx(likely, abs=0.01)
        for asked in ("Who is it?", "", "狗？"):
            texts = ["It is I.", "", "狗在磨坊里。"]
            bears = talker.bearing(asked, texts)
            assert found.bearing(asked, texts) == pytest.approx(bears, abs=1e-4)
            led = talker.led_to(asked, texts)
            assert found.led_to(asked, texts) == pytest.approx(led, abs=1e-4)
        # As many as are looked at with passages in view: each answer, and what bears it out.
        many = [f"It is {n}." for n in range(2 * (N_ANSWERS + N_READ))]
        assert len(found.bearing("Who is it?", many)) == len(many)
        given = [learned_answer(store, one, QUESTION, "Who is it?") for one in (found, talker)]
        assert given[0] == given[1]


def test_follows_the_version_in_service(mine: Home, store: Store, publish: Any) -> None:
    first = publish()
    with at_work(mine):
        before = warmed(mine).answer(QUESTION, 12)
        assert version_held(mine) == first
        second = publish()
        assert warmed(mine).version == second
        assert warmed(mine).answer(QUESTION, 12) != before
        registry.rollback(store)
        assert warmed(mine).answer(QUESTION, 12) == before
        assert warmed(mine, 0).answer(QUESTION, 12) != before
        options.set_config(mine, "base", "nowhere")
        assert warm.find(mine, 0) is None


def test_for_its_owner_alone(mine: Home) -> None:
    with at_work(mine):
        assert stat.S_IMODE(mine.daemon_socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(mine.daemon_socket.parent.stat().st_mode) == 0o700


def test_one_at_a_time(mine: Home) -> None:
    with at_work(mine), pytest.raises(Locked):
        Daemon(mine, 600.0).run()


def test_no_daemon(mine: Home) -> None:
    assert warm.find(mine) is None
    warm.give_way(mine)
    with pytest.raises(warm.NoDaemon):
        warm.ask(mine, "status")


def test_a_socket_that_was_left_behind(mine: Home) -> None:
    mine.make()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(mine.daemon_socket))
    assert warm.find(mine) is None
    with at_work(mine):
        assert warmed(mine).version == 0


def test_a_home_with_a_long_path(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path_factory.mktemp("r")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    home = Home(tmp_path / ("long" * 30))
    with at_work(home):
        assert warm.ask(home, "status")["pid"] == os.getpid()
        assert len(os.fsencode(home.daemon_socket)) < 104


def test_a_long_path_without_a_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder is taken, without a warning, which would be an error here."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert warm.find(Home(tmp_path / ("long" * 30))) is None


def test_lets_go_when_nobody_asks(mine: Home) -> None:
    with at_work(mine, unload_after_s=0.2):
        talker = warmed(mine)
        wait_for(lambda: version_held(mine) is None)
        assert talker.answer(QUESTION, 4) == warmed(mine).answer(QUESTION, 4)


def test_lets_go_of_weights_that_are_deleted(mine: Home, publish: Any) -> None:
    version = publish()
    with at_work(mine):
        assert warmed(mine).version == version
        shutil.rmtree(mine.versions / str(version))
        wait_for(lambda: version_held(mine) is None)
        assert warm.find(mine, version) is None


def test_gives_way_to_a_consolidation(mine: Home) -> None:
    with at_work(mine):
        warmed(mine)
        with filelock.FileLock(mine.lock):
            warm.give_way(mine)
            assert version_held(mine) is None
            assert warm.find(mine) is None
        assert warmed(mine).version == 0


@pytest.mark.parametrize("op", ["count", "learned", "answer"])
def test_an_answer_goes_on_here_where_a_consolidation_begins(
    mine: Home, store: Store, publish: Any, monkeypatch: pytest.MonkeyPatch, op: str
) -> None:
    """The daemon has let go of its model between two requests for one answer."""
    learned = {"least_backed": 0.5, "least_bearing": 0.0}
    publish(**(learned if op == "learned" else {}))
    chosen = options.load(mine)
    short = Sampling(max_tokens=4)
    asked = QUESTION[0]["content"]
    expected = "".join(
        ChatSession(Talker.open(store, chosen), store, chosen, sampling=short).ask(asked)
    )
    lock = filelock.FileLock(mine.lock, thread_local=False)
    replies = warm._replies

    def begin_and_ask(home: Home, request: Any, *more: Any) -> Any:
        if request["op"] == op and not lock.is_locked:
            lock.acquire()
            warm.give_way(home)
        return replies(home, request, *more)

    with at_work(mine):
        session = ChatSession(warmed(mine), store, chosen, sampling=short)
        monkeypatch.setattr(warm, "_replies", begin_and_ask)
        assert "".join(session.ask(asked)) == expected
        assert lock.is_locked
        lock.release(force=True)


def test_a_daemon_that_stopped_before_another_version_came(
    mine: Home, store: Store, publish: Any
) -> None:
    """What follows the version in service loads it by itself."""
    publish()
    with at_work(mine):
        session = ChatSession(warmed(mine), store, options.load(mine), follows=True)
    publish()
    assert session.catch_up()
    assert session.version == 2
    assert not isinstance(session.talker, warm.WarmTalker)


def test_a_consolidation_that_begins_while_it_loads(
    mine: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asked for the room when there was nothing to let go of yet."""
    lock = filelock.FileLock(mine.lock, thread_local=False)
    load = backend.open_talker

    def begin_and_load(*args: Any) -> Talker:
        lock.acquire()
        return load(*args)

    monkeypatch.setattr(backend, "open_talker", begin_and_load)
    with at_work(mine):
        assert warm.find(mine) is None
        assert version_held(mine) is None
        lock.release()


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"op": "ready", "version": "one"}\n',
        b'{"op": "ready", "version": 99}\n',
        b'{"op": "answer", "messages": [], "sampling": {"max_tokens": 4}}\n',
        b'{"op": "answer", "messages": [{"role": "user"}], "sampling": {"max_tokens": 4}}\n',
        b'{"op": "answer", "messages": [{"role": "user", "content": "x"}], "sampling": {"max_tokens": -1}}\n',
        b'{"op": "answer", "messages": [{"role": "nobody", "content": 3}], "sampling": {"max_tokens": 1}}\n',
        b'{"op": "answer", "messages": [{"role": "user", "content": "x"}], "sampling": {"x": 1}}\n',
        b'{"op": "ready", "version": 99999999999999999999999}\n',
        b'{"op": "count", "messages": [{"role": "user", "content": "\\udcff"}]}\n',
        b'{"op": "bearing", "question": "x", "texts": "y"}\n',
        b'{"op": "bearing", "question": "x", "texts": ["\\udcff"]}\n',
        b'{"op": "bearing", "texts": ["y"]}\n',
        b'{"op": "led_to", "question": "x", "texts": "y"}\n',
        b'{"op": "likeliest", "messages": [{"role": "user", "content": "x"}], "n_answers": 0, "max_tokens": 4}\n',
        b'{"op": "likeliest", "messages": [{"role": "user", "content": "x"}], "n_answers": 4}\n',
        b"x" * 5_000_000,
    ],
)
def test_bad_requests(mine: Home, store: Store, line: bytes) -> None:
    """Each is told what is wrong with it, in our words, and what is loaded stays so."""
    with at_work(mine):
        warmed(mine)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(mine.daemon_socket))
            try:
                client.sendall(line)
                told = client.makefile().readline()
            except OSError:  # the daemon read no further than it had to
                told = ""
        # Who sends too much may be cut off before it can be told.
        if told or len(line) <= MOST_REQUEST_BYTES:
            assert set(reply := json.loads(told)) == {"error", "hint"}
            assert not re.match(r"[A-Za-z]+Error", reply["error"])
        assert version_held(mine) == 0


SOMEBODY_ELSE = """
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
os.setuid(65534)
server.listen()
print("listens", flush=True)
client, _ = server.accept()
client.sendall(b'{"done": true, "version": 0, "n_context": 99}\\n')
client.recv(1)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_nobody_else_is_asked(mine: Home) -> None:
    mine.make()
    command = [sys.executable, "-c", SOMEBODY_ELSE, str(mine.daemon_socket)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"listens\n"
        assert warm.find(mine) is None
        other.kill()


def test_a_client_that_leaves(mine: Home) -> None:
    """It leaves nothing behind of what it asked."""
    with at_work(mine) as daemon:
        talker = warmed(mine)
        with closing(talker.stream(QUESTION, Sampling(max_tokens=400))) as pieces:
            next(pieces)
        wait_for(lambda: not is_held(daemon))
        assert talker.answer(QUESTION, 2)


def is_held(daemon: Daemon) -> bool:
    """Whether anything that was computed for a prompt is kept; asked for when nothing is being answered."""
    warm.ask(daemon.home, "status")
    return len(daemon.computed) > 0


def test_nothing_is_held_for_an_answer_that_is_not_asked_for(
    mine: Home, store: Store, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From whether it is learned to the answer, and not for long."""
    judges = publish(least_backed=0.5, least_bearing=1.0)
    with at_work(mine) as daemon:
        found = warmed(mine, judges)
        for answer in (
            partial(found.answer, QUESTION, 2),
            partial(found.likeliest, QUESTION, 2, 2),
        ):
            found.is_learned(QUESTION)
            assert is_held(daemon)
            answer()
            assert not is_held(daemon)
        found.is_learned(QUESTION)
        monkeypatch.setattr("learnctl.trainer.daemon.HELD_S", 0.0)
        wait_for(lambda: not is_held(daemon))


def test_after_a_fault_the_model_is_given_back(mine: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is told of: there may be no room to load it again beside what is left of it."""

    def run_out(talker: Talker, *_: object) -> Iterator[str]:
        yield "It"
        raise RuntimeError("CUDA out of memory")

    with at_work(mine) as daemon:
        found = warmed(mine)
        assert daemon._talker is not None
        model = weakref.ref(daemon._talker.base.model)
        with monkeypatch.context() as patch:
            patch.setattr(Talker, "stream", run_out)
            with pytest.raises(LearnctlError, match="CUDA out of memory"):
                found.answer(QUESTION, 2)
        assert model() is None
        assert version_held(mine) is None
        assert found.answer(QUESTION, 2)


def test_a_model_that_does_not_fit_is_given_back(
    mine: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what is only in a cycle of its own, as layers in four bits are."""

    class Part:
        itself: "Part"

    parts: list[weakref.ref[Part]] = []

    def load(*_: object) -> Talker:
        part = Part()
        part.itself = part
        parts.append(weakref.ref(part))
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(backend, "open_talker", load)
    with at_work(mine):
        assert warm.find(mine) is None
        assert [part() for part in parts] == [None]


def test_a_daemon_that_stops_in_between(mine: Home) -> None:
    with at_work(mine):
        talker = warmed(mine)
    with pytest.raises(LearnctlError):
        talker.answer(QUESTION, 2)
