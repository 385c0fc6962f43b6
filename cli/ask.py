"""`learnctl ask`: one question, one answer."""

import os
import stat
import sys
from contextlib import closing
from typing import Annotated

from typer import Argument, Context, Option

from . import flags
from .output import is_terminal, plain, show, show_json
from .talking import say_sources, sources_json, talking


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
    options: flags.Sampling = None,
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
        ctx,
        version,
        system=system,
        retrieval=not no_retrieval,
        sampling=flags.sampling(options, max_tokens),
        is_kept=log,
        is_warm=True,
    ) as session:
        with closing(session.ask(text)) as pieces:
            answer = plain("".join(pieces)).strip()
        if as_json:
            show_json(
                {
                    "answer": answer,
                    "version": session.version,
                    "learned": session.is_learned,
                    "sources": sources_json(session.hits),
                }
            )
            return
        show(answer)
        say_sources(session)


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
