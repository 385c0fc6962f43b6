"""`learnctl chat`: a conversation in the terminal, or line by line through a pipe."""

import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Annotated

from typer import Context, Option

from . import flags
from .output import is_terminal, plain, say, say_dimly
from .talking import Talk, sources_line, talking, title_of, version_name

COMMANDS = {
    "/help": "what can be typed here",
    "/sources": "the passages that the last answer was given",
    "/version": "which version is talking",
    "/exit": "leave (or Ctrl-D)",
}


def chat(
    ctx: Context,
    no_log: Annotated[bool, Option("--no-log", help="Keep nothing of this conversation.")] = False,
    no_retrieval: flags.NoRetrieval = False,
    version: flags.Version = None,
    system: flags.System = None,
    max_tokens: flags.MaxTokens = 256,
) -> None:
    """Talk to the version in service.

    What you say is kept in the store and learned from; what the model says is kept and never
    learned as a fact. Ctrl-C stops an answer, Ctrl-D leaves. In a pipe, each line is one turn.

    Examples:

      learnctl chat

      learnctl chat --version base --no-log
    """
    with talking(
        ctx, version, system=system, retrieval=not no_retrieval, max_tokens=max_tokens
    ) as talk:
        if is_terminal(sys.stdin):
            say_dimly(f"{version_name(talk.talker.version)}; /help lists the commands")
        log = _Log(talk, keep=not no_log)
        for line in _lines():
            if line == "/exit":
                break
            if line.startswith("/"):
                _obey(line, talk)
            else:
                _answer(talk, line, log)


class _Log:
    """The conversation as a source in the store, begun with the first turn."""

    def __init__(self, talk: Talk, keep: bool) -> None:
        self.store = talk.store if keep else None
        self.conversation: int | None = None

    def turn(self, role: str, text: str) -> None:
        if self.store is None or not text:
            return
        from ..trainer import chats

        if self.conversation is None:
            self.conversation = chats.start_chat(self.store, title_of(text))
        chats.log_turn(self.store, self.conversation, role, text)


def _lines() -> Iterator[str]:
    """What the person types, until they leave."""
    interactive = is_terminal(sys.stdin) and is_terminal(sys.stdout)
    if interactive:
        with suppress(ImportError):  # absent on some systems
            import readline  # noqa: F401  (line editing and history for `input`)
    while True:
        try:
            line = plain(input("> ") if interactive else _next_line()).strip()
        except EOFError:
            if interactive:
                print()
            return
        except KeyboardInterrupt:
            if not interactive:
                raise
            say("\n(/exit or Ctrl-D leaves)")
            continue
        if line:
            yield line


def _next_line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _answer(talk: Talk, question: str, log: _Log) -> None:
    log.turn("user", question)
    answer = ""
    try:
        with closing(talk.stream(question)) as pieces:
            for piece in pieces:
                answer += piece
                print(piece, end="", flush=True)
        print(flush=True)
    except KeyboardInterrupt:
        print(flush=True)
        say_dimly("(stopped)")
    log.turn("assistant", answer)
    if talk.hits:
        say_dimly(sources_line(talk.hits))


def _obey(command: str, talk: Talk) -> None:
    if command == "/help":
        for name, meaning in COMMANDS.items():
            say(f"{name:<10}{meaning}")
    elif command == "/version":
        say(version_name(talk.talker.version))
    elif command == "/sources":
        for hit in talk.hits:
            say_dimly(sources_line([hit]).removeprefix("sources: "))
            say(plain(hit.text))
        if not talk.hits:
            say("the last answer was given no passages")
    else:
        say(f"no command `{command.split()[0]}`: /help lists them")
