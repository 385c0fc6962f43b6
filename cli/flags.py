"""Options that several commands share, with one wording each."""

from typing import TYPE_CHECKING, Annotated

from typer import BadParameter, Option

if TYPE_CHECKING:
    from ..trainer.sampling import Sampling as HowToAnswer

Json = Annotated[bool, Option("--json", help="Print one JSON value on stdout.")]
Yes = Annotated[bool, Option("--yes", "-y", help="Do it without asking.")]
NoRetrieval = Annotated[
    bool,
    Option("--no-retrieval", help="Answer from the weights alone, without looking anything up."),
]
System = Annotated[
    str | None, Option("--system", "-s", metavar="TEXT", help="A system prompt to start with.")
]
MaxTokens = Annotated[
    int, Option("--max-tokens", "-m", min=1, metavar="N", help="The most tokens in one answer.")
]

Sampling = Annotated[
    list[str] | None,
    Option(
        "--option",
        "-o",
        metavar="NAME=VALUE",
        help="How to choose words: temperature, top_k, top_p, max_tokens or seed. Can be repeated.",
        show_default=False,
    ),
]


def sampling(pairs: list[str] | None, max_tokens: int) -> "HowToAnswer":
    """What `-o` and `--max-tokens` ask for."""
    from ..memory.errors import LearnctlError
    from ..trainer.sampling import Sampling

    try:
        return Sampling(max_tokens=max_tokens).with_values(pairs or ())
    except LearnctlError as error:
        raise BadParameter(f"{error}{f': {error.hint}' if error.hint else ''}") from None


def not_empty(text: str) -> str:
    """What was given, which an unset variable of a shell does not take away: less than was meant would be asked for."""
    if not text.strip():
        raise BadParameter("it is empty")
    return text


def parse_date(text: str) -> str:
    """A date."""
    from ..memory.errors import LearnctlError
    from ..memory.within import parse_date as parse

    try:
        return parse(not_empty(text))
    except LearnctlError as error:
        raise BadParameter(f"{error}: {error.hint}") from None


Since = Annotated[
    str | None,
    Option(
        parser=parse_date,
        metavar="DATE",
        help="Only from this day, month or year on, such as 2024-03.",
        show_default=False,
    ),
]
Until = Annotated[
    str | None,
    Option(
        parser=parse_date,
        metavar="DATE",
        help="Only up to the end of this day, month or year.",
        show_default=False,
    ),
]


def parse_version(text: str) -> int:
    """A version's number; `base` is 0."""
    if text.strip().lower() == "base":
        return 0
    if not text.strip().isdecimal():
        raise BadParameter(f"{text!r} is no version: give a number or `base`")
    return int(text)


Version = Annotated[
    int | None,
    Option(
        "--version",
        parser=parse_version,
        metavar="N|base",
        help="Use this version instead of the one in service.",
        show_default=False,
    ),
]
