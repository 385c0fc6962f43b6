"""Where a turn is typed: an editor on a terminal, a plain line on a dumb one, the next line of a pipe."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol

from .output import is_terminal, say
from .readable import readable

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

PROMPT = "> "
HISTORY = 500


class Editor(Protocol):
    """Attributes:
    is_interactive: whether a person sits there.
    """

    is_interactive: bool

    def read(self, given: str = "") -> str:
        """The next turn; `given` is there to be changed, where that can be.

        Raises:
            EOFError: there is no more.
        """


def open_editor(history: Iterable[str], completions: Callable[[str], Iterable[str]]) -> Editor:
    """The editor that suits where standard input and output lead.

    Args:
        history: what was typed before, oldest first.
        completions: all that a line which begins so may go on to be.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return _Pipe()
    if os.environ.get("TERM", "dumb").lower() in ("dumb", "unknown", ""):
        return _DumbTerminal()
    return _Prompt(history, completions)


def lines(editor: Editor) -> Iterator[str]:
    """What the person types, turn by turn, until they leave."""
    while True:
        try:
            line = editor.read().strip()
        except EOFError:
            return
        except KeyboardInterrupt:
            if not editor.is_interactive:
                raise
            say("(/exit or Ctrl-D leaves)")
            continue
        if line:
            yield line


class Meanwhile:
    """An editor that does something now and then for as long as it waits for the next turn."""

    def __init__(self, editor: Editor, do: Callable[[], None], every_s: float) -> None:
        self.is_interactive = editor.is_interactive
        self._editor = editor
        self._do = do
        self._every_s = every_s

    def read(self, given: str = "") -> str:
        came = Event()

        def wait() -> None:
            while not came.wait(self._every_s):
                self._do()

        waiting = Thread(target=wait, daemon=True)
        waiting.start()
        try:
            return self._editor.read(given)
        finally:
            came.set()
            waiting.join()


class _Pipe:
    is_interactive = False

    def read(self, given: str = "") -> str:
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line


class _DumbTerminal:
    is_interactive = True

    def read(self, given: str = "") -> str:
        try:
            return input(PROMPT)
        except (EOFError, KeyboardInterrupt):
            print()
            raise


class _Prompt:
    """Enter sends, Alt-Enter begins a new line; Up brings back what was typed before."""

    is_interactive = True

    def __init__(self, history: Iterable[str], completions: Callable[[str], Iterable[str]]) -> None:
        self._session = _prompt_session(history, completions)

    def read(self, given: str = "") -> str:
        return readable(self._session.prompt(PROMPT, default=given))


def _prompt_session(
    history: Iterable[str], completions: Callable[[str], Iterable[str]]
) -> "PromptSession[str]":
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.shortcuts import CompleteStyle

    class Commands(Completer):
        def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
            before = document.text_before_cursor
            for whole in completions(before):
                yield Completion(whole, start_position=-len(before))

    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    # Not Ctrl-J: what is typed while an answer comes has its Enter turned into it by the terminal.
    @keys.add("escape", "enter")
    def _new_line(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(
        # In memory alone: what was typed is in the store, and goes with what is forgotten there.
        history=InMemoryHistory(list(history)),
        completer=Commands(),
        complete_style=CompleteStyle.READLINE_LIKE,
        complete_while_typing=False,
        multiline=True,
        key_bindings=keys,
        prompt_continuation="… ",
        enable_suspend=True,
    )
