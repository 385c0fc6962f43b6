"""`learnctl knows`: what the weights hold of a topic, fact by fact."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Context, Option

from . import flags
from .context import open_store
from .output import say, show_json, show_table
from .talking import version_name

if TYPE_CHECKING:
    from ..memory.store import Store
    from ..trainer.knowledge import Fact


def knows(
    ctx: Context,
    topic: Annotated[
        list[str], Argument(metavar="TOPIC", help="Words or a question.", show_default=False)
    ],
    limit: Annotated[
        int, Option("--limit", "-n", min=1, metavar="N", help="The most passages to look at.")
    ] = 10,
    version: flags.Version = None,
    as_json: flags.Json = False,
) -> None:
    """Show which facts on a topic the weights hold, since which version, and which were lost.

    A fact counts as known when two wordings of it were answered right, with nothing looked up.

    Example:

      learnctl knows the boiler
    """
    from ..trainer.knowledge import facts_about

    with open_store(ctx) as store:
        found = facts_about(store, " ".join(topic), limit, version)
        sources = {fact.chunk: _source(store, fact.chunk) for fact in found}
    if as_json:
        show_json([asdict(fact) | sources[fact.chunk] for fact in found])
        return
    if not found:
        say("no facts on this; what is new is studied by `learnctl consolidate`")
        return
    show_table(
        ("", "question", "answer", "source"),
        [
            (_state(fact), fact.question, fact.gold, Path(sources[fact.chunk]["source"]).name)
            for fact in found
        ],
        fold="question",
    )


def _state(fact: "Fact") -> str:
    since = "" if fact.learned is None else version_name(fact.learned)
    return {
        "known": f"known since {since}",
        "once": "right in one wording",
        "lost": f"known since {since}, lost in version {fact.lost}",
        "unknown": "not known",
        "unasked": "not asked yet",
    }[fact.state]


def _source(store: "Store", chunk: int) -> dict[str, Any]:
    found = store.row(
        "SELECT s.path AS source, o.title FROM origins o JOIN sources s ON s.id = o.source_id"
        " WHERE o.chunk_id = ? ORDER BY s.id LIMIT 1",
        chunk,
    )
    return found or {"source": "", "title": ""}
