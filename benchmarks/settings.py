"""`--set option=value ...`: a benchmark with other settings than the shipped ones."""

import argparse
from collections.abc import Sequence
from typing import Any

from learnctl.trainer.options import KINDS


def add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        nargs="*",
        action="extend",
        default=[],
        type=_setting,
        metavar="OPTION=VALUE",
        help="for every arm",
    )


def changes(settings: Sequence[str]) -> dict[str, Any]:
    """What `--set` was given, as values of options."""
    pairs = dict(setting.split("=", 1) for setting in settings)
    return {name: KINDS[name](value) for name, value in pairs.items()}


def _setting(text: str) -> str:
    try:
        changes([text])
    except (KeyError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} sets no option") from error
    return text
