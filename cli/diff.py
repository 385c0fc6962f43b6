"""`learnctl diff`: what one version knows and another does not."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Context

from . import flags
from .context import open_store
from .flags import parse_version
from .output import say, show, show_json, show_table
from .talking import version_name

Which = Annotated[
    int, Argument(metavar="N|base", parser=parse_version, help="A version.", show_default=False)
]


def diff(ctx: Context, first: Which, second: Which, as_json: flags.Json = False) -> None:
    """Show which probes were gained and lost from one version to another, and how far each moved.

    Only probes that both were asked are compared, each by its last answer.

    Example:

      learnctl diff 3 5
    """
    from ..trainer.differences import differences

    with open_store(ctx) as store:
        found = differences(store, first, second)
    if as_json:
        show_json(found)
        return
    rows = [
        [mark, probe["question"], probe["gold"], Path(probe["source"]).name]
        for mark, kind in (("+", "gained"), ("-", "lost"))
        for probe in found[kind]
    ]
    if rows:
        show_table(("", "question", "answer", "source"), rows, fold="question")
    gained, lost = len(found["gained"]), len(found["lost"])
    show(f"{gained} gained, {lost} lost, {found['both']} known to both, of {found['n']} probes")
    for version, moved in zip((first, second), found["divergence"], strict=True):
        told = "not measured" if moved is None else f"{moved:.2f} nats a token from its base"
        say(f"{version_name(version)}: {told}")
