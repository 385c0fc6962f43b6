"""`learnctl check`: is the store whole, and every version what was published?"""

from typing import TYPE_CHECKING, Annotated

from typer import Context, Exit, Option

from . import flags
from .context import open_store
from .output import say, show, show_json

if TYPE_CHECKING:
    from ..memory.check import Fault
    from ..memory.store import Store


def check(
    ctx: Context,
    repair: Annotated[
        bool,
        Option(
            "--repair",
            help="Mend what can be mended without loss: the index, leftovers, who may read files.",
        ),
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Check the database, its index, what belongs to what, and the weights of every version.

    One line for each fault, and exit code 1 where one is left. What `--repair` does not mend, a
    backup does.
    """
    from ..memory import check as checking

    with open_store(ctx) as store:
        faults = _faults(store)
        mended: list[Fault] = []
        if repair and faults:
            checking.repair(store, faults)
            left = _faults(store)
            mended = [fault for fault in faults if fault not in left]
            faults = left
    if as_json:
        show_json({"faults": _lines(faults), "repaired": _lines(mended)})
    else:
        for fault in mended:
            show(f"repaired: {fault.text}")
        for fault in faults:
            show(fault.text)
        if not faults:
            show("all is whole")
        elif not repair and any(fault.repair for fault in faults):
            say("`learnctl check --repair` mends some of it")
    if faults:
        raise Exit(1)


def _faults(store: "Store") -> "list[Fault]":
    from ..memory.check import check
    from ..trainer.check import check_versions

    return [*check(store), *check_versions(store)]


def _lines(faults: "list[Fault]") -> list[str]:
    return [fault.text for fault in faults]
