"""`learnctl search`: full-text search over all that was taken in."""

from typing import TYPE_CHECKING, Annotated

from typer import Argument, BadParameter, Context, Option

from . import flags
from .context import open_store
from .output import console, plain, say, show, show_json

if TYPE_CHECKING:
    from ..memory.search import Hit


def search(
    ctx: Context,
    query: Annotated[
        list[str], Argument(metavar="QUERY", help="Words or a question.", show_default=False)
    ],
    limit: Annotated[
        int, Option("--limit", "-n", min=1, metavar="N", help="The most results.")
    ] = 10,
    source: Annotated[
        list[str] | None,
        Option(metavar="SOURCE", help="Only in this one; may be repeated.", show_default=False),
    ] = None,
    since: flags.Since = None,
    until: flags.Until = None,
    speaker: Annotated[
        str | None,
        Option(
            parser=flags.not_empty,
            metavar="NAME",
            help="Only what this person said.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        Option(
            metavar="KIND",
            help="Only text, told, asked, reply or said; may be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: flags.Json = False,
) -> None:
    """Find the passages that match best, in documents and chats.

    Examples:

      learnctl search when does the library close

      learnctl search boiler --speaker Anna --since 2024-03
    """
    from ..memory.search import search as find
    from ..memory.within import Within

    with open_store(ctx) as store:
        sources = [found["id"] for name in source or () for found in store.find_sources(name)]
        within = Within(tuple(sources), since or "", until or "", speaker or "", _kinds(kind or []))
        hits = find(store, " ".join(query), limit, within=within)
    if as_json:
        show_json(
            [
                {
                    name: getattr(hit, name)
                    for name in (
                        "source",
                        "title",
                        "chunk",
                        "snippet",
                        "score",
                        "trust",
                        "kept_back",
                    )
                }
                for hit in hits
            ]
        )
        return
    if not hits:
        say("nothing found")
    for hit in hits:
        show(hit.snippet)
        _show_dimly(f"  {hit.place} ({hit.source}){_label(hit)}")


def _kinds(names: list[str]) -> tuple[str, ...]:
    from ..memory.search import ALL_KINDS

    for name in names:
        if name not in ALL_KINDS:
            raise BadParameter(f"no kind `{name}`: one of {', '.join(ALL_KINDS)}")
    return tuple(names)


def _label(hit: "Hit") -> str:
    if hit.kept_back:
        return f" – kept back: {hit.kept_back}"
    return " – not trusted" if hit.trust == "untrusted" else ""


def _show_dimly(text: str) -> None:
    console().print(plain(text), style="dim", markup=False, highlight=False, soft_wrap=True)
