"""`learnctl report`: what a run read, learned, lost and cost."""

from typing import Annotated

from typer import Argument, Context

from . import flags
from .context import open_store
from .output import show, show_json


def report(
    ctx: Context,
    run: Annotated[
        int | None,
        Argument(metavar="[RUN]", min=1, help="The run; else the newest.", show_default=False),
    ] = None,
    as_json: flags.Json = False,
) -> None:
    """Tell what a night read, learned and lost, what was refused and why, what else was examined, and what it cost.

    Learned is what was answered right after the run and not right before it, in words that were never
    trained on. The energy is an estimate, and says of what. A last night of which nothing came is told of first.
    """
    from ..trainer.morning import morning, text
    from ..trainer.scheduled import missed

    with open_store(ctx) as store:
        if run is None and not as_json and (why_not := missed(store)):
            show(f"The last night, {why_not}\n")
        found = morning(store, run)
    if as_json:
        show_json(found)
    else:
        show(
            f"# Run {found['run']}, {found['created'][:16].replace('T', ' ')} UTC: {found['decision']}\n"
        )
        show(text(found).rstrip("\n"))
