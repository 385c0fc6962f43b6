"""`learnctl forget`: take sources back, out of the store and out of the weights."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

from typer import Abort, Argument, Context, Option, confirm

from ..memory.errors import LearnctlError
from . import flags
from .context import open_store
from .output import counted, is_terminal, say, show, show_json

if TYPE_CHECKING:
    from ..memory.store import Store

HELD = ("documents", "conversations", "chunks", "samples")


def forget(
    ctx: Context,
    names: Annotated[
        list[str],
        Argument(
            metavar="SOURCE…",
            help="Numbers or paths as `learnctl sources` lists them, file names or folders.",
            show_default=False,
        ),
    ],
    yes: flags.Yes = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what is meant, and forget nothing.")
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Take sources back, and delete every version that learned from them.

    Text that another source also holds stays, for that source. The newest version that never saw
    what was forgotten is in service afterwards, else the base.

    Examples:

      learnctl forget 3

      learnctl forget ~/notes/diary.md --yes
    """
    from ..trainer import registry

    with open_store(ctx) as store:
        found = _find(store, names)
        if dry_run:
            _show_meant(found, as_json)
            return
        _ask(found, yes)
        report = registry.forget(store, [source["id"] for source in found])
    if as_json:
        show_json(report)
    else:
        _render(report)


def _find(store: "Store", names: list[str]) -> list[dict[str, Any]]:
    """The sources meant by all the names, each once, with what they hold."""
    meant = {source["id"] for name in names for source in store.find_sources(name)}
    return [source for source in store.sources() if source["id"] in meant]


def _ask(found: list[dict[str, Any]], yes: bool) -> None:
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise LearnctlError(
            f"this would forget {counted(len(found), 'source')} for good", hint="add `--yes`"
        )
    for source in found:
        say(f"  {source['path']}")
    if not confirm(f"Forget {counted(len(found), 'source')} for good?", err=True):
        raise Abort


def _show_meant(found: list[dict[str, Any]], as_json: bool) -> None:
    totals = {name: sum(source[name] for source in found) for name in HELD}
    if as_json:
        paths = [source["path"] for source in found]
        show_json({"dry_run": True, "sources": len(found), **totals, "paths": paths})
        return
    for source in found:
        show(source["path"])
    held = ", ".join(counted(number, name.removesuffix("s")) for name, number in totals.items())
    show(f"would forget: {counted(len(found), 'source')} with {held}")


def _render(report: dict[str, Any]) -> None:
    gone = ", ".join(
        counted(report[f"{noun}s"], noun) for noun in ("source", "document", "chunk", "sample")
    )
    show(f"forgotten: {gone}")
    if report["versions_deleted"]:
        numbers = ", ".join(str(version) for version in report["versions_deleted"])
        serving = f"version {report['version']}" if report["version"] else "the base"
        show(f"deleted: version {numbers}; {serving} is in service")
