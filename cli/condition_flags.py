"""The conditions of a scheduled run as options, for the command that keeps to them and the one that plans it."""

import re
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Annotated, Any

from typer import BadParameter, Context, Option

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_PANEL = "Conditions of a scheduled run"


def parse_size(text: str) -> int:
    """Bytes, from such as `8GB`, `500M` or `5GiB`."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise BadParameter(f"{text!r} is no size: write 8GB or 500MB")
    thousand = 1024.0 if found[3] else 1000.0
    return round(float(found[1]) * thousand ** " kmgt".index(found[2].lower() or " "))


def parse_time(text: str) -> str:
    """A time of day as `HH:MM`."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text.strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadParameter(f"{text!r} is no time of day: write it like 03:00")
    return f"{int(found[1]):02d}:{found[2]}"


def _conditions(
    on_ac: Annotated[
        bool | None,
        Option(
            "--on-ac/--on-battery",
            help="Only while plugged in, or on battery too.",
            show_default="on-ac",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    idle_gpu: Annotated[
        bool | None,
        Option(
            "--idle-gpu/--share-gpu",
            help="Give way to others on the GPU, or share it.",
            show_default="idle-gpu",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    max_load: Annotated[
        float | None,
        Option(
            min=0,
            metavar="SHARE",
            help="The share of the processors that others may keep busy.",
            show_default="0.75",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    min_free_vram: Annotated[
        int | None,
        Option(
            parser=parse_size,
            metavar="SIZE",
            help="GPU memory that must be free, such as 8GB.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None,
    min_free_disk: Annotated[
        int | None,
        Option(
            parser=parse_size,
            metavar="SIZE",
            help="Disk that must be free.",
            show_default="2GB",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    max_temperature: Annotated[
        float | None,
        Option(
            min=0,
            metavar="CELSIUS",
            help="Not while the processors or the GPU are hotter.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None,
    min_new_tokens: Annotated[
        int | None,
        Option(
            min=0,
            metavar="N",
            help="Wait until so much is new.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None,
    until: Annotated[
        str | None,
        Option(
            parser=parse_time,
            metavar="HH:MM",
            help="Stop in good order then, and go on the next night.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None,
    notify: Annotated[
        bool,
        Option("--notify", help="Show a notification when it is done.", rich_help_panel=_PANEL),
    ] = False,
    on_finish: Annotated[
        str | None,
        Option(
            metavar="COMMAND",
            help="Run this by the shell when it is done; LEARNCTL_DECISION, LEARNCTL_REASON and"
            " LEARNCTL_NOTE say what came of it.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None,
) -> None:
    """The options, by their names and with their defaults."""


def with_conditions(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the conditions as further options, which it finds in `ctx.params`."""
    own = signature(command)
    more = signature(_conditions).parameters

    @wraps(command)
    def taking(**values: Any) -> None:
        command(**{name: values[name] for name in own.parameters})

    parameters = [*own.parameters.values(), *more.values()]
    vars(taking)["__signature__"] = own.replace(parameters=parameters)
    return taking


def as_arguments(ctx: Context) -> tuple[str, ...]:
    """The conditions that a command was given, again as arguments."""
    words: list[str] = []
    for option in ctx.command.params:
        value = ctx.params.get(option.name or "")
        if getattr(option, "rich_help_panel", None) != _PANEL or value is None:
            continue
        if isinstance(value, bool):
            words += (option.opts if value else option.secondary_opts)[:1]
        else:
            words.append(f"{option.opts[0]}={value}")
    return tuple(words)
