"""`learnctl compare`: one prompt, several versions, side by side."""

import gc
from contextlib import ExitStack
from typing import Annotated, Any

from typer import Argument, BadParameter, Context, Option

from . import flags
from .flags import parse_version
from .output import console, plain, show_json
from .talking import load_talker, store_to_talk_with, version_name


def compare(
    ctx: Context,
    prompt: Annotated[str, Argument(metavar="PROMPT", help="What to ask.", show_default=False)],
    versions: Annotated[
        str | None,
        Option(
            metavar="LIST",
            help="Versions with commas between them; else the base and the one in service.",
            show_default=False,
        ),
    ] = None,
    system: flags.System = None,
    max_tokens: flags.MaxTokens = 128,
    as_json: flags.Json = False,
) -> None:
    """Show the answers of several versions side by side, without looking anything up.

    Example:

      learnctl compare "What is the name of the dog?" --versions base,1,2
    """
    wanted = parse_versions(versions)
    with ExitStack() as stack:
        only_base = 0 if set(wanted) == {0} else None
        store = store_to_talk_with(ctx, only_base)
        if store is not None:
            stack.enter_context(store)
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        answers: dict[int, str] = {}
        for version in wanted:
            talker = load_talker(ctx, store, version)
            if talker.version not in answers:
                answers[talker.version] = plain(talker.answer(messages, max_tokens)).strip()
            del talker
            gc.collect()  # one base model in memory at a time
    if as_json:
        show_json([{"version": number, "answer": answer} for number, answer in answers.items()])
    else:
        render_answers(answers)


def parse_versions(text: str | None) -> list[int | None]:
    """The versions named, each once, in their order; None is the one in service."""
    if text is None:
        return [0, None]
    named = [parse_version(part) for part in text.split(",") if part.strip()]
    if not named:
        raise BadParameter(f"{text!r} names no version")
    return list(dict.fromkeys(named))


def render_answers(answers: dict[int, str]) -> None:
    """Answers by version, side by side."""
    from rich.table import Table
    from rich.text import Text

    table: Any = Table(expand=False, show_lines=False)
    for version in answers:
        table.add_column(version_name(version), ratio=1, overflow="fold")
    table.add_row(*(Text(answer) for answer in answers.values()))
    console().print(table, highlight=False)
