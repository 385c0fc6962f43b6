"""`learnctl init`: the home folder, the store, and a base model to begin with."""

import sys

from typer import Context, confirm

from ..memory.errors import LearnctlError
from . import flags
from .context import find_home, load_options, open_store
from .output import is_terminal, say, show
from .talking import waiting


def init(ctx: Context, yes: flags.Yes = False) -> None:
    """Make the home folder and the store, and fetch a base model if you agree."""
    with open_store(ctx, create=True) as store:
        show(f"home: {store.home.path}")
    name, why = _choose(ctx)
    show(f"base model: {name} ({why})")
    if _is_here(name):
        say("next: `learnctl ingest PATH`")
    elif yes or (is_terminal(sys.stdin) and confirm("It is not here yet: fetch it now?", err=True)):
        fetch(name)
        say("next: `learnctl ingest PATH`")
    else:
        say(f"it is not here yet: `learnctl model pull {name}` fetches it")


def _choose(ctx: Context) -> tuple[str, str]:
    """The base model and why it is that one; what was chosen by free GPU memory is written down."""
    options = load_options(ctx)
    if options.base != "auto":
        return options.base, "chosen in config.toml"
    from ..trainer import base

    device = base.choose_device(options.device)
    name, why = base.recommend(device)
    base.settle(find_home(ctx), name, device)
    return name, why


def base_name(ctx: Context) -> str:
    """The base model in force: the one configured, else the default for this machine."""
    options = load_options(ctx)
    if options.base != "auto":
        return options.base
    from ..trainer import base

    return base.default_name(base.choose_device(options.device))


def fetch(name: str) -> None:
    from ..trainer import models

    with waiting(f"fetching {name}"):
        files = models.pull(name)
    show(f"fetched: {name} ({files.path})")


def _is_here(name: str) -> bool:
    from ..trainer import models

    try:
        models.find(name)
    except LearnctlError:
        return False
    return True
