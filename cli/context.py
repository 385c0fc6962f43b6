"""What every command starts from: the global options, the home folder, the store, the options."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer import Context

if TYPE_CHECKING:
    from ..memory.home import Home
    from ..memory.store import Store
    from ..trainer.options import Options


@dataclass(frozen=True)
class Settings:
    home: Path | None = None


def find_home(ctx: Context) -> "Home":
    from ..memory import home

    return home.find_home(ctx.obj.home)


def open_store(ctx: Context, create: bool = False) -> "Store":
    from ..memory.store import Store

    return Store.open(find_home(ctx), create=create)


def load_options(ctx: Context, **flags: Any) -> "Options":
    from ..trainer import options

    return options.load(find_home(ctx), **flags)
