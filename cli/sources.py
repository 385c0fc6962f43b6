"""`learnctl sources`: every file and chat that the store knows of."""

from typing import Annotated, Any

from typer import Context, Option

from . import flags
from .context import open_store
from .output import n_bytes, say, show_json, show_table


def sources(
    ctx: Context,
    watched: Annotated[bool, Option("--watched", help="List the watched folders instead.")] = False,
    as_json: flags.Json = False,
) -> None:
    """List every source with what it holds."""
    from ..memory.watched import watched as look_up

    with open_store(ctx) as store:
        found = look_up(store) if watched else store.sources()
    if as_json:
        show_json(found)
        return
    if watched:
        _render_watched(found)
        return
    if not found:
        say("no sources yet: `learnctl ingest PATH` takes some in")
        return
    counts = ("chunks", "samples")
    show_table(
        ("id", "source", "format", "size", *counts, "taken in"),
        [
            [
                source["id"],
                source["path"],
                source["format"],
                n_bytes(source["n_bytes"]),
                *(source[name] for name in counts),
                source["ingested_at"][:10],
            ]
            for source in found
        ],
        fold="source",
    )


def _render_watched(found: list[dict[str, Any]]) -> None:
    if not found:
        say("no folder is watched: `learnctl ingest --watch FOLDER` does")
        return
    show_table(
        ("folder", "since", "trust", "learn", "there"),
        [
            [
                row["path"],
                row["since"][:10],
                row["trust"] or "own",
                row["learn"] or "facts",
                "yes" if row["there"] else "not now",
            ]
            for row in found
        ],
        fold="folder",
    )
