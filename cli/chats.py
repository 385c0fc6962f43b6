"""`learnctl chats`: past conversations, listed, shown and deleted."""

from typing import Annotated, Any

from typer import Argument, BadParameter, Context, Typer

from . import flags, forgetting
from .context import open_store
from .errors import Command, Group
from .output import counted, say, show, show_json, show_table

app = Typer(cls=Group, invoke_without_command=True, help="Past conversations with learnctl.")
Number = Annotated[int, Argument(metavar="ID", help="As `learnctl chats` lists it.")]


@app.callback()
def chats(ctx: Context, as_json: flags.Json = False) -> None:
    """List, show and delete past conversations; alone, it lists them.

    Example:

      learnctl chats
    """
    if ctx.invoked_subcommand is None:
        _list(ctx, as_json)
    elif as_json:
        raise BadParameter(f"--json goes behind `{ctx.invoked_subcommand}`")


@app.command("list", cls=Command)
def list_chats(ctx: Context, as_json: flags.Json = False) -> None:
    """List the conversations that are kept, the latest first."""
    _list(ctx, as_json)


@app.command("show", cls=Command)
def show_chat(ctx: Context, number: Number, as_json: flags.Json = False) -> None:
    """Show what was said in a conversation.

    Example:

      learnctl chats show 3
    """
    from ..trainer import chats

    with open_store(ctx) as store:
        found = chats.find_chat(store, number)
        said = chats.messages(store, number)
    if as_json:
        show_json({**found, "messages": said})
        return
    show(f"{found['title']} ({found['started'][:10]})")
    for message in said:
        mark = "> " if message["role"] == "user" else ""
        show(f"\n{mark}{message['text']}")


@app.command("delete", cls=Command)
def delete_chats(
    ctx: Context,
    numbers: Annotated[list[int], Argument(metavar="ID…", help="As `learnctl chats` lists them.")],
    yes: flags.Yes = False,
    as_json: flags.Json = False,
) -> None:
    """Forget conversations for good, and delete every version that learned from them.

    Example:

      learnctl chats delete 3 4
    """
    from ..trainer import chats, registry

    with open_store(ctx) as store:
        found = [chats.find_chat(store, number) for number in dict.fromkeys(numbers)]
        lines = [f"{chat['chat']}: {chat['title']}" for chat in found]
        forgetting.ask(counted(len(found), "conversation"), lines, yes)
        report = registry.forget(store, [chat["source"] for chat in found])
    show_json(report) if as_json else forgetting.render(report)


def _list(ctx: Context, as_json: bool) -> None:
    from ..trainer import chats

    with open_store(ctx) as store:
        found: list[dict[str, Any]] = chats.chats(store)
    if as_json:
        show_json(found)
        return
    if not found:
        say("no conversations are kept yet: `learnctl chat` begins one")
        return
    show_table(
        ("id", "title", "last", "messages"),
        [[chat["chat"], chat["title"], chat["last"][:10], chat["messages"]] for chat in found],
        fold="title",
    )
