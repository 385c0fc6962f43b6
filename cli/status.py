"""`learnctl status`: what the store holds and what is in service."""

from typing import Any

from typer import Context

from . import flags
from .context import open_store
from .output import counted, share, show, show_json


def status(ctx: Context, as_json: flags.Json = False) -> None:
    """Show what the store holds, what is new, and which version is in service."""
    with open_store(ctx) as store:
        from ..memory import people
        from ..trainer import options
        from ..trainer.status import status as look_up

        found = look_up(store, options.load(store.home)) | {"me": people.known(store)}
        if as_json:
            show_json(found)
        else:
            _render(found, str(store.home.path))


def _render(found: dict[str, Any], home: str) -> None:
    held = ("source", "document", "conversation", "message", "chunk")
    version = f"version {found['version']}" if found["version"] else "the base, untouched"
    known = "not measured yet" if found["known"] is None else f"{share(found['known'])} of probes"
    show(f"home        {home}")
    show(f"store       {', '.join(counted(found[f'{noun}s'], noun) for noun in held)}")
    if found["me"]:
        show(f"you         {', '.join(found['me'])}")
    show(f"new         {counted(found['new_tokens'], 'token')} to learn")
    if found["learned"] is not None:
        show(f"learned     {_progress(found)}")
    for one in found["set_aside"]:
        show(
            f"set aside   {counted(one['chunks'], 'passage')} of {one['path']}: no night could teach it"
        )
    show(f"in service  {version}")
    show(f"known       {known}")
    if found["written"]:
        show(f"dropped     {_dropped(found['written'])} that the base wrote, by the checks")


def _progress(found: dict[str, Any]) -> str:
    said = f"{share(found['learned'])} of what you gave"
    if not found["new_tokens"]:
        return said
    about = "" if found["pace_is_measured"] else "about "
    nights = counted(found["nights_to_go"], "night")
    minutes = f"{found['night_minutes']} minutes"
    return f"{said}, {about}{nights} to go at {minutes}; search finds the rest"


def _dropped(written: dict[str, dict[str, int]]) -> str:
    """What the checks left of what the base wrote, by kind."""
    return ", ".join(
        f"{of['dropped']:,} of {counted(of['written'], kind.removesuffix('s'))}"
        for kind, of in written.items()
    )
