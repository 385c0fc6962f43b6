"""What can be typed in a chat beside what is said: a table of commands, each a few lines on the session."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typer import Abort

from ..memory.errors import LearnctlError
from . import forgetting
from .compare import parse_versions, render_answers
from .editor import Editor
from .flags import parse_version
from .output import console, plain, say, say_dimly
from .talking import place_of, version_name, waiting

if TYPE_CHECKING:
    from ..memory.store import Store
    from ..trainer.session import ChatSession

Answer = Generator[str, None, None]


@dataclass
class Talk:
    session: "ChatSession"
    editor: Editor

    @property
    def store(self) -> "Store":
        if self.session.store is None:
            raise LearnctlError("there is no store", hint="`learnctl ingest PATH` makes one")
        return self.session.store


@dataclass(frozen=True)
class Command:
    usage: str
    meaning: str
    run: Callable[[Talk, str], Answer | None]


def obey(talk: Talk, line: str) -> Answer | None:
    """Do what a line says that begins with a slash; the answer, where it makes the model answer.

    Raises:
        LearnctlError: there is no such command, or it cannot be done.
    """
    name, *rest = line.split(None, 1)
    command = COMMANDS.get(name)
    if command is None:
        raise LearnctlError(f"no command `{name}`", hint="`/help` lists them")
    return command.run(talk, rest[0].strip() if rest else "")


def completions(session: "ChatSession", begun: str) -> Iterable[str]:
    """The lines that a line which begins so may become."""
    if not begun.startswith("/") or "\n" in begun:
        return
    name, space, rest = begun.partition(" ")
    if not space:
        yield from (known for known in (*COMMANDS, "/exit") if known.startswith(begun))
    elif name in ("/version", "/compare"):
        yield from (f"{name} {known}" for known in _versions(session) if known.startswith(rest))


def _retry(talk: Talk, rest: str) -> Answer:
    return talk.session.retry()


def _edit(talk: Talk, rest: str) -> Answer | None:
    if not rest:
        given = talk.session.turns[-1].question if talk.session.turns else ""
        try:
            rest = talk.editor.read(given).strip() if talk.editor.is_interactive else ""
        except (EOFError, KeyboardInterrupt):
            rest = ""
        if not rest:
            raise LearnctlError("nothing was changed", hint="`/edit TEXT` asks TEXT instead")
    return talk.session.edit(rest)


def _undo(talk: Talk, rest: str) -> None:
    turn = talk.session.undo()
    say(f"taken back: {plain(turn.question)}")


def _good(talk: Talk, rest: str) -> None:
    say(_settled(talk.session.confirm(), "kept"))


def _bad(talk: Talk, rest: str) -> None:
    if not rest:
        talk.session.reject()
        say("left out from now on; `/retry` asks again, `/bad WHAT IS RIGHT` corrects it")
        return
    say(_settled(talk.session.correct(rest), "corrected"))


def _settled(note: int | None, done: str) -> str:
    if note is None:
        return f"{done} for this conversation, which is not kept"
    return f"{done} as note:{note}, to be learned tonight"


def _remember(talk: Talk, rest: str) -> None:
    if not rest:
        raise LearnctlError("nothing to remember", hint="`/remember TEXT`")
    say(f"kept as note:{talk.session.remember(rest)}: looked up from now on, learned tonight")


def _forget(talk: Talk, rest: str) -> None:
    from ..memory import forgotten

    is_sure = rest.split(None, 1)[:1] == ["--yes"]
    words = rest.removeprefix("--yes").strip() if is_sure else rest
    if not words:
        raise LearnctlError("nothing to forget", hint="`/forget WORDS`: what has all of them goes")
    rule = forgotten.make(talk.store, words=words)
    meant = forgetting.covered(talk.store, rule)
    try:
        forgetting.ask(forgetting.parts(meant), forgetting.examples(meant), is_sure)
    except Abort:
        say("nothing was forgotten")
        return
    for line in forgetting.told(talk.session.forget(rule)):
        say(line)


def _sources(talk: Talk, rest: str) -> None:
    hits = talk.session.hits
    for hit in hits:
        say_dimly(place_of(hit))
        say(plain(hit.text))
    if not hits:
        who = version_name(talk.session.version)
        say(f"the last answer was given no passages: it is from the weights of {who} alone")


def _version(talk: Talk, rest: str) -> None:
    if rest:
        wanted = parse_version(rest)
        with waiting("changing the weights"):
            talk.session.switch(wanted)
    others = ", ".join(_versions(talk.session))
    say(f"{version_name(talk.session.version)} (there are: {others})")


def _compare(talk: Talk, rest: str) -> None:
    from ..memory.lineage import in_service

    session = talk.session
    serving = in_service(session.store) if session.store else 0
    wanted = [serving if one is None else one for one in parse_versions(rest or None)]
    with waiting("asking the versions"):
        answers = session.compare(dict.fromkeys([*wanted, session.version]))
    render_answers({version: plain(answer) for version, answer in answers.items()})


def _save(talk: Talk, rest: str) -> None:
    if not rest:
        raise LearnctlError("no file to save to", hint="`/save FILE`")
    path = os.path.abspath(os.path.expanduser(rest))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(plain(talk.session.transcript()))
    except OSError as error:
        raise LearnctlError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    say(f"saved to {plain(path)}")


def _help(talk: Talk, rest: str) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for command in COMMANDS.values():
        table.add_row(command.usage, command.meaning)
    table.add_row("/exit", "leave (or Ctrl-D)")
    if talk.editor.is_interactive:
        table.add_row("Ctrl-C", "stop an answer")
        table.add_row("Alt-Enter", "begin a new line")
    console(stderr=True).print(table, markup=False, highlight=False)


def _versions(session: "ChatSession") -> Iterator[str]:
    from ..trainer import registry

    yield "base"
    if session.store is not None:
        yield from (str(row["version"]) for row in registry.history(session.store)[::-1])


COMMANDS = {
    command.usage.split()[0]: command
    for command in (
        Command("/retry", "another answer to the last question", _retry),
        Command("/edit [TEXT]", "ask the last question in other words", _edit),
        Command("/undo", "take back the last question and its answer", _undo),
        Command("/good", "the last answer is right: learn it", _good),
        Command("/bad [RIGHT]", "it is wrong; RIGHT is used at once and learned", _bad),
        Command("/remember TEXT", "keep a note: known at once, learned tonight", _remember),
        Command("/forget WORDS", "forget for good what has all these words", _forget),
        Command("/sources", "what the last answer draws on", _sources),
        Command("/version [N]", "which weights talk; go on with others", _version),
        Command("/compare [N,N]", "the last question, asked of other versions", _compare),
        Command("/save FILE", "write the conversation to a file", _save),
        Command("/help", "what can be typed here", _help),
    )
}
