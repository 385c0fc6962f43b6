"""`learnctl prune`: give back the disk of old versions."""

from typing import Annotated

from typer import Context, Option

from . import flags
from .context import open_store
from .output import counted, n_bytes, say, show, show_json, show_table


def prune(
    ctx: Context,
    last: Annotated[int, Option(min=0, metavar="N", help="Keep the newest so many.")] = 5,
    daily: Annotated[int, Option(min=0, metavar="N", help="Keep one a day, so many days.")] = 7,
    weekly: Annotated[int, Option(min=0, metavar="N", help="Keep one a week, so many weeks.")] = 4,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would be deleted, and delete nothing.")
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Delete old versions that no rule keeps, and show what that frees.

    The version in service, and the one that it stands on, always stay. What was learned from stays in the store.

    Example:

      learnctl prune --last 3 --daily 0 --weekly 8 --dry-run
    """
    from ..trainer import prune as pruning

    with open_store(ctx) as store:
        found = pruning.prune(store, last, daily, weekly, dry_run)
    if as_json:
        show_json(found)
        return
    if found["kept"]:
        rows = [[one["version"], "; ".join(one["reasons"])] for one in found["kept"]]
        show_table(("kept", "because"), rows, fold="because")
    if not found["deleted"]:
        say("nothing to delete")
        return
    verb = "would delete" if dry_run else "deleted"
    listed = ", ".join(map(str, found["deleted"]))
    show(
        f"{verb}: {counted(len(found['deleted']), 'version')} ({listed}), {n_bytes(found['freed_bytes'])}"
    )
