"""`learnctl search`: full-text search over all that was taken in."""

from typing import Annotated

from typer import Argument, Context, Option

from . import flags
from .context import open_store
from .output import console, plain, say, show, show_json
from .talking import heading_of


def search(
    ctx: Context,
    query: Annotated[
        list[str], Argument(metavar="QUERY", help="Words or a question.", show_default=False)
    ],
    limit: Annotated[
        int, Option("--limit", "-n", min=1, metavar="N", help="The most results.")
    ] = 10,
    as_json: flags.Json = False,
) -> None:
    """Find the passages that match best, in documents and chats.

    Example:

      learnctl search when does the library close
    """
    from ..memory.search import search as find

    with open_store(ctx) as store:
        hits = find(store, " ".join(query), limit)
    if as_json:
        show_json(
            [
                {
                    name: getattr(hit, name)
                    for name in ("source", "title", "chunk", "snippet", "score")
                }
                for hit in hits
            ]
        )
        return
    if not hits:
        say("nothing found")
    for hit in hits:
        show(hit.snippet)
        _show_dimly(f"  {heading_of(hit)} ({hit.source})")


def _show_dimly(text: str) -> None:
    console().print(plain(text), style="dim", markup=False, highlight=False, soft_wrap=True)
