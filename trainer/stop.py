"""Stopping cleanly: a signal sets a flag, and long work looks at it between two steps."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupted(Exception):
    """Asked to stop, or out of time, which it says; what was done so far is kept."""


class StopSignals:
    """While entered, Ctrl-C and SIGTERM set `requested`; a second Ctrl-C interrupts at once.

    Args:
        unmet: asked as often as long work looks; why the work must stop, or nothing.
    """

    def __init__(self, unmet: Callable[[], str] = lambda: "") -> None:
        self._asked = False
        self._unmet = unmet
        self._before: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        return self._asked or bool(self._unmet())

    @property
    def reason(self) -> str:
        return self._unmet() or "stopped"

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def request(self) -> None:
        """Ask for a stop, as a signal does."""
        self._asked = True

    def check(self) -> None:
        """Raises `Interrupted` where a stop was asked for."""
        if self.requested:
            raise Interrupted

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.request()
