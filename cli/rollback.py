"""`learnctl rollback`: put an earlier version back in service."""

from typing import Annotated

from typer import Argument, Context

from . import flags
from .context import open_store
from .flags import parse_version
from .output import show, show_json
from .talking import version_name


def rollback(
    ctx: Context,
    version: Annotated[
        int | None,
        Argument(
            metavar="[N|base]",
            parser=parse_version,
            help="The version to put in service; else the one before the one that is.",
            show_default=False,
        ),
    ] = None,
    as_json: flags.Json = False,
) -> None:
    """Put an earlier version back in service; nothing is deleted. The next consolidation builds upon it.

    Examples:

      learnctl rollback

      learnctl rollback base
    """
    from ..trainer import registry

    with open_store(ctx) as store:
        serving = registry.rollback(store, version)
    if as_json:
        show_json({"version": serving})
    else:
        show(f"in service: {version_name(serving)}")
