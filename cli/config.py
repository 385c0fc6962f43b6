"""`learnctl config`: the values that a consolidation is made with."""

from typing import Annotated

from typer import Argument, Context, Typer

from ..memory.errors import LearnctlError
from . import flags
from .context import find_home, load_options
from .errors import Command, Group
from .output import show, show_json, show_table

app = Typer(cls=Group, no_args_is_help=True, help="Show and change the settings.")

Name = Annotated[
    str,
    Argument(metavar="NAME", help="As `learnctl config list` names it.", show_default=False),
]


@app.command("list", cls=Command)
def list_options(ctx: Context, as_json: flags.Json = False) -> None:
    """Show every setting with its value in force."""
    from dataclasses import asdict

    from ..trainer.options import read_config

    values = asdict(load_options(ctx))
    if as_json:
        show_json(values)
        return
    chosen = read_config(find_home(ctx))
    meanings = _meanings()
    show_table(
        ("name", "value", "from", "meaning"),
        [
            [name, str(value), "config" if name in chosen else "default", meanings.get(name)]
            for name, value in values.items()
        ],
        fold="meaning",
    )


@app.command(cls=Command)
def get(ctx: Context, name: Name, as_json: flags.Json = False) -> None:
    """Print one setting."""
    options = load_options(ctx)
    _check(name)
    value = getattr(options, name)
    show_json(value) if as_json else show(str(value))


@app.command("set", cls=Command)
def set_option(
    ctx: Context,
    name: Name,
    value: Annotated[str, Argument(metavar="VALUE", help="The new value.", show_default=False)],
) -> None:
    """Change one setting.

    Example:

      learnctl config set epochs 3
    """
    from ..trainer.options import set_config

    set_config(find_home(ctx), name, value)
    show(f"{name}: {getattr(load_options(ctx), name)}")


@app.command(cls=Command)
def unset(ctx: Context, name: Name) -> None:
    """Put one setting back to its default."""
    from ..trainer.options import set_config

    set_config(find_home(ctx), name, None)
    show(f"{name}: {getattr(load_options(ctx), name, 'taken out')}")


def _check(name: str) -> None:
    from ..trainer.options import KINDS

    if name not in KINDS:
        raise LearnctlError(f"no option `{name}`", hint=f"the options are: {', '.join(KINDS)}")


def _meanings() -> dict[str, str]:
    """What each option means: the sentence that stands under it in the source."""
    import ast
    import inspect

    from ..trainer.options import Options

    (definition,) = ast.parse(inspect.getsource(Options)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[field.target.id] = str(below.value.value)
    return found
