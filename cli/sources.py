"""`learnctl sources`: every file and chat that the store knows of."""

from typer import Context

from . import flags
from .context import open_store
from .output import n_bytes, say, show_json, show_table


def sources(ctx: Context, as_json: flags.Json = False) -> None:
    """List every source with what it holds."""
    with open_store(ctx) as store:
        found = store.sources()
    if as_json:
        show_json(found)
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
