"""`learnctl chat`: a conversation in the terminal, or line by line through a pipe."""

from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Context, Option
from typer.exceptions import TyperException

from . import flags
from .errors import show as show_error
from .output import counted, plain, say, say_dimly
from .talking import say_sources, talking, version_name

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from ..trainer.session import ChatSession
    from .editor import Editor


def chat(
    ctx: Context,
    go_on: Annotated[
        bool, Option("--continue", "-c", help="Go on with the latest conversation.")
    ] = False,
    resume: Annotated[
        int | None,
        Option(
            metavar="ID",
            help="Go on with this conversation; `learnctl chats` lists them.",
            show_default=False,
        ),
    ] = None,
    no_log: Annotated[bool, Option("--no-log", help="Keep nothing of this conversation.")] = False,
    no_retrieval: flags.NoRetrieval = False,
    version: flags.Version = None,
    system: flags.System = None,
    max_tokens: flags.MaxTokens = 256,
    options: flags.Sampling = None,
) -> None:
    """Talk to the version in service.

    What you say is kept in the store and learned from; what the model says is kept, and learned only
    where you say `/good`. Ctrl-C stops an answer, Ctrl-D leaves, /help lists what else can be typed.
    In a pipe, each line is one turn.

    While a consolidation is at work, a chat that waits for you holds no model. A version that
    comes into service is taken up at the next turn, unless you chose one.

    Examples:

      learnctl chat

      learnctl chat --continue

      learnctl chat --version base --no-log -o temperature=0.7
    """
    from .editor import HISTORY, Meanwhile, open_editor

    if go_on and resume is not None:
        raise BadParameter("give either --continue or --resume")
    sampling = flags.sampling(options, max_tokens)
    with talking(
        ctx,
        version,
        system=system,
        retrieval=not no_retrieval,
        sampling=sampling,
        is_kept=not no_log,
    ) as session:
        from ..trainer import chats
        from ..trainer.giving_way import TICK_S
        from .chat_commands import completions

        if go_on or resume is not None:
            _resume(session, resume)
        history = chats.said_before(session.store, HISTORY) if session.store else []
        opened = open_editor(history, lambda begun: completions(session, begun))
        editor = Meanwhile(opened, session.give_way, TICK_S)
        if editor.is_interactive:
            say_dimly(f"{version_name(session.version)}; /help lists the commands")
        _talk(session, editor, ctx.obj.home)


def _resume(session: "ChatSession", number: int | None) -> None:
    from ..memory.errors import LearnctlError
    from ..trainer import chats

    known = chats.chats(session.store) if session.store else []
    if number is None:
        if not known:
            raise LearnctlError("there is no conversation to go on with")
        number = int(known[0]["chat"])
    session.resume(number)
    title = next(chat["title"] for chat in known if chat["chat"] == number)
    said = counted(len(session.turns), "turn")
    say_dimly(f"chat {number}: {title} ({said})")
    if session.turns:
        last = session.turns[-1]
        say_dimly(f"> {last.question}\n{last.answer}")


def _talk(session: "ChatSession", editor: "Editor", home: "Path | None") -> None:
    from ..memory.errors import LearnctlError
    from .chat_commands import Talk, obey
    from .editor import lines

    talk = Talk(session, editor)
    for line in map(plain, lines(editor)):
        if line == "/exit":
            break
        try:
            answer = obey(talk, line) if line.startswith("/") else session.ask(line)
            if answer is not None:
                _show(session, answer)
        except (LearnctlError, TyperException) as error:
            show_error(error, home)
        except KeyboardInterrupt:
            if not editor.is_interactive:
                raise
            say("(stopped)")


def _show(session: "ChatSession", answer: "Generator[str, None, None]") -> None:
    from .markdown import show_stream

    if session.catch_up():
        say_dimly(f"({version_name(session.version)} is in service now)")
    try:
        show_stream(answer)
    except KeyboardInterrupt:
        say_dimly("(stopped)")
    say_sources(session)
