"""`learnctl history`: the versions there are, and what was measured of each."""

from typing import Any

from typer import Context

from . import flags
from .context import open_store
from .output import beginning, say, share, show_json, show_table

MOST_LETTERS = 80  # of the reason why a run was refused


def history(ctx: Context, as_json: flags.Json = False) -> None:
    """List every version with what its run measured, and every run that was refused and why, newest first.

    `learnctl report RUN` tells more of one. With --json, versions alone are listed.
    """
    from ..trainer import registry

    with open_store(ctx) as store:
        versions = registry.history(store)
        refused = registry.refused(store)
    if as_json:
        show_json(versions)
        return
    if not versions:
        say("no versions yet: `learnctl consolidate` makes one")
    runs = sorted(versions + refused, key=lambda one: one["run"], reverse=True)
    if runs:
        show_table(
            (
                "run",
                "version",
                "created",
                "level",
                "recall of new",
                "of old",
                "divergence",
                "state",
            ),
            [_row(one) for one in runs],
            fold="state",
        )


def _row(one: dict[str, Any]) -> list[Any]:
    recall = one["recall"] or {}
    divergence = one["divergence"]
    return [
        one["run"],
        one.get("version", "–"),
        one["created"][:16].replace("T", " "),
        one["level"],
        recall_text(recall.get("new")),
        recall_text(recall.get("old")),
        "–" if divergence is None else f"{divergence:.2f}",
        _state(one),
    ]


def _state(one: dict[str, Any]) -> str:
    if "decision" in one:
        return f"{one['decision']}: {beginning(one['reason'], MOST_LETTERS)}"
    if one["in_service"]:
        return "in service"
    return "" if one["state"] == "ok" else str(one["state"])


def recall_text(measured: dict[str, Any] | None) -> str:
    """`6% → 61% of 18`, or a dash where nothing was measured."""
    if not measured or not measured["n"]:
        return "–"
    return f"{share(measured['before'])} → {share(measured['after'])} of {measured['n']}"
