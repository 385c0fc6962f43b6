"""`learnctl ask`: one question, one answer."""

import os
import stat
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Context, Option

from . import flags
from .output import is_terminal, say_dimly, show, show_json
from .talking import sources_json, sources_line, talking, title_of

if TYPE_CHECKING:
    from .talking import Talk


def ask(
    ctx: Context,
    question: Annotated[
        str | None,
        Argument(metavar="QUESTION|-", help="The question; `-` reads it from standard input."),
    ] = None,
    log: Annotated[
        bool, Option("--log", help="Keep question and answer in the store, to learn from.")
    ] = False,
    no_retrieval: flags.NoRetrieval = False,
    version: flags.Version = None,
    system: flags.System = None,
    max_tokens: flags.MaxTokens = 256,
    as_json: flags.Json = False,
) -> None:
    """Ask one question, and print the answer.

    Text on standard input goes in front of the question.

    Examples:

      learnctl ask "When is the boiler serviced?"

      learnctl ask --no-retrieval "What is the name of the dog?"

      cat letter.txt | learnctl ask "What does she want?"
    """
    text = _question(question)
    if not text:
        ctx.fail("no question: give one, or pipe it in")
    with talking(
        ctx, version, system=system, retrieval=not no_retrieval, max_tokens=max_tokens
    ) as talk:
        with closing(talk.stream(text)) as pieces:
            answer = "".join(pieces).strip()
        if log:
            _log(talk, text, answer)
        if as_json:
            sources = sources_json(talk.hits)
            show_json({"answer": answer, "version": talk.talker.version, "sources": sources})
            return
        show(answer)
        if talk.hits:
            say_dimly(sources_line(talk.hits))


def _question(argument: str | None) -> str:
    """The question from the command line and what was piped in, the text first."""
    given = "" if argument in (None, "-") else str(argument)
    piped = sys.stdin.read() if not given or _is_piped() else ""
    return "\n\n".join(part.strip() for part in (piped, given) if part.strip())


def _is_piped() -> bool:
    """Whether standard input is a pipe or a file, not a terminal and not /dev/null."""
    if is_terminal(sys.stdin):
        return False
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, AttributeError):
        return sys.stdin is not None
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _log(talk: "Talk", question: str, answer: str) -> None:
    if talk.store is None:
        return
    from ..trainer import chats

    conversation = chats.start_chat(talk.store, title_of(question))
    chats.log_turn(talk.store, conversation, "user", question)
    chats.log_turn(talk.store, conversation, "assistant", answer)
