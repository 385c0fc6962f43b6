"""`learnctl model`: base models on this machine."""

from typing import Annotated

from typer import Argument, Context, Typer

from ..memory.errors import LearnctlError
from . import flags, init
from .context import find_home, open_store
from .errors import Command, Group
from .output import n_bytes, say, show, show_json, show_table

app = Typer(cls=Group, no_args_is_help=True, help="Fetch, list and remove base models.")

Name = Annotated[
    str,
    Argument(
        metavar="NAME",
        help="`embedded`, or a model's id on the Hugging Face hub.",
        show_default=False,
    ),
]


@app.command("list", cls=Command)
def list_models(as_json: flags.Json = False) -> None:
    """List the base models on this machine."""
    from ..trainer import models

    found = [
        {
            "name": files.name,
            "path": str(files.path),
            "n_bytes": sum(file.stat().st_size for file in files.path.rglob("*") if file.is_file()),
        }
        for files in models.installed()
    ]
    if as_json:
        show_json(found)
    elif not found:
        say("no base models yet: `learnctl model pull embedded` fetches a small one")
    else:
        show_table(
            ("model", "size", "folder"),
            [
                [model["name"], n_bytes(int(str(model["n_bytes"]))), model["path"]]
                for model in found
            ],
            fold="folder",
        )


@app.command(cls=Command)
def pull(name: Name) -> None:
    """Fetch a base model from the network; no other command goes there, but for `init`, which asks first.

    Examples:

      learnctl model pull embedded

      learnctl model pull Qwen/Qwen2.5-1.5B-Instruct
    """
    init.fetch(name)


@app.command(cls=Command)
def remove(ctx: Context, name: Name, yes: flags.Yes = False) -> None:
    """Delete a base model from this machine.

    The one that the version in service answers on is deleted with --yes alone.
    """
    from ..trainer import models

    version, needed = (0, "") if yes else _serving(ctx)
    if needed and models.slug(needed) == models.slug(name):
        raise LearnctlError(
            f"version {version} is in service and answers on {needed}",
            hint="`learnctl rollback` puts another in service; `--yes` deletes it all the same",
        )
    show(f"removed: {name} ({n_bytes(models.remove(name))})")


@app.command(cls=Command)
def use(
    ctx: Context,
    name: Annotated[
        str | None,
        Argument(metavar="[NAME]", help="The model to use from now on.", show_default=False),
    ] = None,
) -> None:
    """Choose the base model to learn on, or show which one it is.

    A version fits the base that it was trained on. On another base everything in the store is studied
    again over the next nights; until that is done, the version in service keeps answering on its own base.
    """
    if name is not None:
        from ..trainer import models, options

        if name != "auto":
            models.find(name)
        options.set_config(find_home(ctx), "base", name)
    chosen = init.base_name(ctx)
    show(chosen)
    if name is None:
        return
    version, needed = _serving(ctx)
    if needed and needed != chosen:
        say(
            f"note: version {version} answers on {needed} until what is in the store has been "
            "learned again on the new base; keep both models until then"
        )


def _serving(ctx: Context) -> tuple[int, str]:
    """The version in service and the name of its base; no name where there is no store, or the base serves."""
    from ..memory.lineage import in_service

    if not find_home(ctx).database.exists():
        return 0, ""
    with open_store(ctx) as store:
        version = in_service(store)
        name = store.value("SELECT base_name FROM adapters WHERE version = ?", version)
    return version, name or ""
