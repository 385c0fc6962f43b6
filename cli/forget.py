"""`learnctl forget`: take sources, or what some words, a time or a person say, out of store and weights."""

import os
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Context, Option

from ..memory.errors import LearnctlError
from . import flags, forgetting
from .context import open_store
from .output import counted, show, show_json

if TYPE_CHECKING:
    from ..memory.store import Store

HELD = ("documents", "conversations", "chunks", "samples")


def forget(
    ctx: Context,
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="[SOURCE…]",
            help="Numbers or paths as `learnctl sources` lists them, file names or folders.",
            show_default=False,
        ),
    ] = None,
    person: Annotated[
        str | None,
        Option(
            parser=flags.not_empty,
            metavar="NAME",
            help="What this person said or wrote, anywhere.",
            show_default=False,
        ),
    ] = None,
    since: flags.Since = None,
    until: flags.Until = None,
    matching: Annotated[
        str | None,
        Option(
            parser=flags.not_empty,
            metavar="WORDS",
            help="What has all these words, in its text, title, heading or names.",
            show_default=False,
        ),
    ] = None,
    lift: Annotated[
        bool,
        Option("--lift", help="Let what was forgotten so come in again with the next ingest."),
    ] = False,
    yes: flags.Yes = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would go, and forget nothing.")
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Take back sources, or what a person said, and delete every version that learned from it.

    Text that another source also holds stays, for that source. The newest version that never saw
    what was forgotten is in service afterwards, else the base. A file that is forgotten so comes in
    again only when `ingest` is told to; no night does it, also where its folder is watched. What is
    forgotten by person, time or words (together: all must hold) does not come in again, from
    whatever file.

    Examples:

      learnctl forget ~/notes/diary.md --yes

      learnctl forget --person "Anna Berg" --dry-run

      learnctl forget --since 2024-03 --until 2024-04-15

      learnctl forget --matching "blue bicycle"
    """
    from ..trainer import registry

    by_rule = bool(person or since or until or matching)
    if bool(names) == by_rule:
        raise BadParameter("give either sources, or some of --person, --since, --until, --matching")
    if lift and not by_rule:
        raise BadParameter("--lift goes with --person, --since, --until or --matching")
    if lift and dry_run:
        raise BadParameter("--lift and --dry-run exclude each other")
    with open_store(ctx) as store:
        if by_rule:
            from ..memory import forgotten

            rule = forgotten.make(store, person or "", since or "", until or "", matching or "")
            if lift:
                forgetting.lift(store, rule, as_json)
            else:
                forgetting.forget_by_rule(store, rule, yes, dry_run, as_json)
            return
        found = _find(store, names or [], is_asked=not yes or dry_run)
        if dry_run:
            _show_meant(found, as_json)
            return
        paths = [source["path"] for source in found]
        forgetting.ask(counted(len(found), "source"), paths, yes)
        report = registry.forget(store, [source["id"] for source in found])
    if as_json:
        show_json(report)
    else:
        forgetting.render(report)


def _find(store: "Store", names: list[str], is_asked: bool) -> list[dict[str, Any]]:
    """The sources meant by all the names, each once, with what they hold.

    Raises:
        LearnctlError: there is none, or nobody is asked which one is meant of several that are called so.
    """
    meant: set[int] = set()
    for name in names:
        found = store.find_sources(name)
        called_so = {
            os.path.realpath(each["path"]) for each in found if each["path"].endswith(f"/{name}")
        }
        if len(called_so) > 1 and not is_asked:
            raise LearnctlError(
                f"`{name}` is the name of {len(called_so)} sources",
                hint="give paths or numbers, as `learnctl sources` lists them",
            )
        meant.update(source["id"] for source in found)
    return [source for source in store.sources() if source["id"] in meant]


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
