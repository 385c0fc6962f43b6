"""Stopping cleanly: a signal sets a flag, and long work looks at it between two steps, or while a model is asked."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        self._at_once = False
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

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A signal ends what is done here wherever it is: nothing of it is kept."""
        self.check()
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    @contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        """Look at each block of each pass through a model, whatever it is asked for: a pass takes many seconds on a
        slow machine. Not within a step of training, which ends with a checkpoint."""
        import torch

        def look(*_: Any) -> None:
            if not torch.is_grad_enabled():
                self.check()

        blocks = [
            block
            for part in model.modules()
            if isinstance(part, torch.nn.ModuleList)
            for block in part
        ]
        hooks = [block.register_forward_pre_hook(look) for block in blocks]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.request()
        if self._at_once:
            raise Interrupted
