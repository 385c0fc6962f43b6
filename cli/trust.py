"""`learnctl trust`: whom sources come from, and what may be learned of passages that were kept back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Context, Option

from ..memory.errors import LearnctlError
from . import flags
from .context import open_store
from .output import beginning, counted, say, show, show_json, show_table

if TYPE_CHECKING:
    from ..memory.store import Store

BEGINNING = 60


def trust(
    ctx: Context,
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="[SOURCE|chunk:N]… [own|known|untrusted]",
            help="Sources as `learnctl sources` lists them, or kept back passages by their number.",
            show_default=False,
        ),
    ] = None,
    list_all: Annotated[
        bool,
        Option("--list", help="List the sources by trust, and every passage that is kept back."),
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Say whom a source comes from, or let a passage in that was kept back.

    What only untrusted sources say can be searched and is never learned. A passage that gives orders to a model, or hides
    text, is kept back from learning and from prompts, whoever it comes from, until it is let in here by its number. A source
    that is named alone is shown, with what is kept back of it. What is said of a watched folder holds for its later files.

    Examples:

      learnctl trust --list

      learnctl trust forum.html untrusted

      learnctl trust chunk:12
    """
    from ..memory.manner import Manner, keep_for_watched
    from ..memory.trust import TIERS, kept_back, let_in, set_trust

    named = names or []
    tier = named.pop() if named and named[-1] in TIERS else None
    chunks = [_number(name) for name in named if name.startswith("chunk:")]
    of_sources = [name for name in named if not name.startswith("chunk:")]
    if chunks and (tier or of_sources) and not (tier and of_sources):
        raise BadParameter(
            "a passage that is named alone is let in; a tier is said of sources, each with its tier"
        )
    n_kept_back = 0
    with open_store(ctx) as store:
        sources = _sources(store, of_sources)
        if list_all or (sources and tier is None):
            shown = sources or store.rows("SELECT * FROM sources ORDER BY id")
            _show(shown, kept_back(store, [source["id"] for source in shown]), as_json)
            return
        if not sources and not chunks:
            raise LearnctlError("nothing named", hint="try `learnctl trust --list`")
        for number in chunks:
            if store.value("SELECT 1 FROM chunks WHERE id = ?", number) is None:
                raise LearnctlError(
                    f"no passage chunk:{number}", hint="try `learnctl trust --list`"
                )
        if sources and tier:
            n_kept_back = set_trust(store, [source["id"] for source in sources], tier)
            keep_for_watched(store, map(Path, of_sources), Manner(trust=tier))
        n_let_in = let_in(store, chunks)
    if as_json:
        done = {"sources": len(sources), "trust": tier, "let_in": n_let_in}
        show_json(done | {"kept_back": n_kept_back})
        return
    if sources:
        show(f"{counted(len(sources), 'source')}: {tier}")
    if n_kept_back:
        show(f"kept back: {counted(n_kept_back, 'passage')} (`learnctl trust --list` says why)")
    if chunks:
        show(f"let in: {counted(n_let_in, 'passage')}")


def _number(name: str) -> int:
    number = name.removeprefix("chunk:")
    if not number.isdecimal():
        raise LearnctlError(
            f"`{name}` names no passage", hint="for example: `learnctl trust chunk:12`"
        )
    return int(number)


def _sources(store: "Store", names: list[str]) -> list[dict[str, Any]]:
    found = {source["id"]: source for name in names for source in store.find_sources(name)}
    return list(found.values())


def _show(sources: list[dict[str, Any]], passages: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        listed = [{name: source[name] for name in ("id", "path", "trust")} for source in sources]
        show_json({"sources": listed, "kept_back": passages})
        return
    show_table(
        ("source", "trust", "path"),
        [[source["id"], source["trust"], source["path"]] for source in sources],
        fold="path",
    )
    if not passages:
        say("nothing is kept back")
        return
    show()
    show_table(
        ("passage", "kept back for", "begins"),
        [
            [f"chunk:{passage['chunk']}", passage["reason"], beginning(passage["text"], BEGINNING)]
            for passage in passages
        ],
        fold="begins",
    )
