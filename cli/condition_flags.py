"""The conditions of a scheduled run as options, for the command that keeps to them and the one that plans it."""

import re
from typing import Annotated, Any

from typer import BadParameter, Option

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_PANEL = "Conditions of a scheduled run"


def parse_size(text: str) -> int:
    """Bytes, from such as `8GB` or `500M`."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise BadParameter(f"{text!r} is no size: write 8GB or 500MB")
    return round(float(found[1]) * _UNITS[found[2].lower()])


def parse_time(text: str) -> str:
    """A time of day as `HH:MM`."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text.strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise BadParameter(f"{text!r} is no time of day: write it like 03:00")
    return f"{int(found[1]):02d}:{found[2]}"


OnAc = Annotated[
    bool | None,
    Option(
        "--on-ac/--on-battery",
        help="Only while plugged in, or on battery too. [default: on-ac]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
IdleGpu = Annotated[
    bool | None,
    Option(
        "--idle-gpu/--share-gpu",
        help="Give way to others on the GPU, or share it. [default: idle-gpu]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MaxLoad = Annotated[
    float | None,
    Option(
        min=0,
        metavar="SHARE",
        help="The share of the processors that others may keep busy. [default: 0.75]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MinFreeVram = Annotated[
    int | None,
    Option(
        parser=parse_size,
        metavar="SIZE",
        help="GPU memory that must be free, such as 8GB.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MinFreeDisk = Annotated[
    int | None,
    Option(
        parser=parse_size,
        metavar="SIZE",
        help="Disk that must be free. [default: 2GB]",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MaxTemperature = Annotated[
    float | None,
    Option(
        min=0,
        metavar="CELSIUS",
        help="Not while the processors or the GPU are hotter.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
MinNewTokens = Annotated[
    int | None,
    Option(
        min=0,
        metavar="N",
        help="Wait until so much is new.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Until = Annotated[
    str | None,
    Option(
        parser=parse_time,
        metavar="HH:MM",
        help="Stop in good order then, and go on the next night.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Notify = Annotated[
    bool,
    Option("--notify", help="Show a notification when it is done.", rich_help_panel=_PANEL),
]
OnFinish = Annotated[
    str | None,
    Option(
        metavar="COMMAND",
        help="Run this by the shell when it is done; LEARNCTL_DECISION, LEARNCTL_REASON and"
        " LEARNCTL_NOTE say what came of it.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


def as_arguments(chosen: dict[str, Any]) -> tuple[str, ...]:
    """The same conditions again as arguments; what was not chosen is left out."""
    pairs = {True: {"on_ac": "--on-ac", "idle_gpu": "--idle-gpu", "notify": "--notify"},
             False: {"on_ac": "--on-battery", "idle_gpu": "--share-gpu"}}  # fmt: skip
    words: list[str] = []
    for name, value in chosen.items():
        if isinstance(value, bool):
            words += [pairs[value][name]] if name in pairs[value] else []
        elif value is not None:
            words += [f"--{name.replace('_', '-')}={value}"]
    return tuple(words)
