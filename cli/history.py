"""`learnctl history`: the versions there are, and what was measured of each."""

from typing import Any

from typer import Context

from . import flags
from .context import open_store
from .output import say, share, show_json, show_table


def history(ctx: Context, as_json: flags.Json = False) -> None:
    """List every version with what its consolidation measured, newest first."""
    from ..trainer import registry

    with open_store(ctx) as store:
        found = registry.history(store)
    if as_json:
        show_json(found)
        return
    if not found:
        say("no versions yet: `learnctl consolidate` makes one")
        return
    show_table(
        ("version", "", "created", "level", "recall of new", "of old", "divergence"),
        [_row(version) for version in found],
        fold="created",
    )


def _row(version: dict[str, Any]) -> list[Any]:
    recall = version["recall"] or {}
    state = "in service" if version["in_service"] else version.get("state", "ok")
    divergence = version["divergence"]
    return [
        version["version"],
        "" if state == "ok" else state,
        version["created"][:16].replace("T", " "),
        version["level"],
        recall_text(recall.get("new")),
        recall_text(recall.get("old")),
        "–" if divergence is None else f"{divergence:.2f}",
    ]


def recall_text(measured: dict[str, Any] | None) -> str:
    """`6% → 61% of 18`, or a dash where nothing was measured."""
    if not measured or not measured["n"]:
        return "–"
    return f"{share(measured['before'])} → {share(measured['after'])} of {measured['n']}"
