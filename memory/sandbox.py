"""Files read in a process of their own, so that a hostile one costs a line and nothing else.

`detect` and `read` are those of `readers`, but for what a file may do: it has so much time, so much
memory, no network and nothing to write to; a reader that hangs or crashes is ended and the next
file gets a new process. That process lives on between files, because starting it costs more than
reading a note does. All formats go through it, plain text too: one rule, and on two cores reading
goes on while the parent stores.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .brief_folder import BriefFolder
from .errors import LearnctlError, UnreadableSource
from .limits import MEGABYTE, Limits
from .pipes import widen
from .reading_process import IDLE_S
from .records import Item
from .wire import from_line

READING = Limits()
_LONGEST_LINE_BYTES = 256 * MEGABYTE
_READ_BYTES = 2**18
_TICK_S = 0.25
_START_S = 60.0
# What a file of an archive lies at is there until the next one is asked for.
_STEPWISE = ("unpack",)

OnRead = Callable[[int], None]


def detect(path: Path, limits: Limits = READING) -> str:
    """The name of the format that reads the file.

    Raises:
        UnreadableSource: nothing here reads it; the message says why.
    """
    found = ""
    for name, value in ask("detect", path, limits):
        found = str(value) if name == "format" else found
    return found


def read(
    path: Path, limits: Limits = READING, on_read: OnRead = lambda n_bytes: None
) -> Iterator[Item]:
    """The documents or conversations in a file, streamed.

    Args:
        on_read: called now and then with the bytes of the file that were read.

    Raises:
        UnreadableSource: the file, or the rest of it, cannot be read within its limits. What came
            before has been handed out already, so take a file in as one transaction.
    """
    for _, item in ask("read", path, limits, on_read):
        yield item


def ask(
    task: str, path: Path, limits: Limits, on_read: OnRead = lambda n_bytes: None
) -> Iterator[tuple[str, Any]]:
    """Have a process do something with a file; its answers by name.

    Args:
        on_read: as `read`.

    Raises:
        UnreadableSource: as `read`.
    """
    with _lent(limits) as process:
        for name, value in process.ask(task, path):
            if name == "at":
                on_read(int(value))
            else:
                yield name, value


class _Process:
    """One child that reads, and the pipe to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.last_used = time.monotonic()
        self._owner = os.getpid()
        self._held = bytearray()
        self._has_started = False
        self._folder = BriefFolder() if limits.written_bytes else None
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, json.dumps(asdict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "TMPDIR": str(self._folder.path) if self._folder else os.devnull,
            },
        )
        widen(self._child.stdout)

    def is_usable(self) -> bool:
        """Ours, alive, and not about to end because nobody asked."""
        rested = time.monotonic() - self.last_used
        return self._owner == os.getpid() and rested < IDLE_S / 2 and self._child.poll() is None

    def ask(self, task: str, path: Path) -> Iterator[tuple[str, Any]]:
        self._wait_for_start()
        seconds = self.limits.allowance(_size(path))
        stepwise = task in _STEPWISE
        request = {"do": task, "path": str(path), "seconds": seconds, "stepwise": stepwise}
        self._request(request)
        left = seconds
        while True:
            before = time.monotonic()
            line = self._line(left, seconds)
            left -= time.monotonic() - before
            try:
                name, value = from_line(line)
            except (ValueError, TypeError) as error:
                raise UnreadableSource("the reader gave no sense") from error
            if name == "done":
                self.last_used = time.monotonic()
                return
            if name == "refused":
                self.last_used = time.monotonic()
                raise _Refused(str(value))
            if name == "exhausted":
                raise UnreadableSource(self.limits.too_much_memory)
            yield name, value
            if stepwise:
                self._request({})

    def end(self) -> None:
        """Kill it, whatever it does; closing the pipe reaches one that is not ours to kill."""
        if self._owner != os.getpid():
            return
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        with suppress(OSError):
            self._child.kill()
        self._child.wait()
        if self._folder:
            self._folder.remove()

    def _wait_for_start(self) -> None:
        if self._has_started:
            return
        try:
            self._line(_START_S, _START_S)
        except UnreadableSource as error:  # no fault of the file
            raise LearnctlError("the process that reads files does not start") from error
        self._has_started = True

    def _request(self, request: dict[str, Any]) -> None:
        assert self._child.stdin
        # Should it just have died, waiting for the answer says so.
        with suppress(BrokenPipeError):
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()

    def _line(self, left: float, allowed: float) -> bytes:
        """The next line of its answers; waiting for it is what its time is spent on."""
        assert self._child.stdout
        searched = 0
        deadline = time.monotonic() + left
        while (end := self._held.find(b"\n", searched)) < 0:
            searched = len(self._held)
            if searched > _LONGEST_LINE_BYTES:
                raise UnreadableSource(
                    f"one text in it is larger than {_LONGEST_LINE_BYTES // MEGABYTE} MB"
                )
            ready, _, _ = select.select([self._child.stdout], [], [], _TICK_S)
            if ready:
                data = os.read(self._child.stdout.fileno(), _READ_BYTES)
                if not data:
                    raise UnreadableSource(self._last_words(allowed))
                self._held += data
            elif time.monotonic() > deadline:
                raise UnreadableSource(f"took longer than {allowed:.0f} s")
            elif self._resident_bytes() > self.limits.memory_bytes:
                raise UnreadableSource(self.limits.too_much_memory)
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line

    def _last_words(self, allowed: float) -> str:
        if self._child.wait() == -signal.SIGXCPU:
            return f"took longer than {allowed:.0f} s"
        return "the reader crashed"

    def _resident_bytes(self) -> int:
        import psutil

        try:
            return int(psutil.Process(self._child.pid).memory_info().rss)
        except psutil.Error:
            return 0


class _Refused(UnreadableSource):
    """The reader says so itself, and goes on."""


_MODULE = f"{__package__}.reading_process"
_resting: list[_Process] = []


@contextmanager
def _lent(limits: Limits) -> Iterator[_Process]:
    """A process for one request; one that did not come to its end is ended."""
    process = _rested(limits) or _Process(limits)
    try:
        yield process
    except _Refused as error:
        _resting.append(process)
        raise UnreadableSource(str(error)) from None
    except BaseException:
        process.end()
        raise
    _resting.append(process)


def _rested(limits: Limits) -> _Process | None:
    for process in list(_resting):
        if process.limits == limits or not process.is_usable():
            with suppress(ValueError):  # another thread took it
                _resting.remove(process)
                if process.is_usable():
                    return process
                process.end()
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@atexit.register
def _end_all() -> None:
    while _resting:
        _resting.pop().end()
