"""Discord's marks within a text, as people see them.

https://discord.com/developers/docs/reference#message-formatting
"""

import re
from collections.abc import Mapping

from .dates import iso_from_unix

_MARK = re.compile(
    r"<(?:@!?(?P<person>\d{1,20})|@&(?P<role>\d{1,20})|#(?P<channel>\d{1,20})"
    r"|a?:(?P<emoji>\w{1,40}):\d{1,20}|/(?P<command>[^:<>\n]{1,100}):\d{1,20}"
    r"|t:(?P<moment>-?\d{1,12})(?::[a-zA-Z])?)>"
)
_FIRST_MS = 1_420_070_400_000  # Discord counts from the first day of 2015
_TIME_BITS = 22
_SHORTEST_ID = 15


def readable(
    text: str, people: Mapping[str, str] | None = None, channels: Mapping[str, str] | None = None
) -> str:
    """The text with people, channels, emoji and moments as they are shown.

    Args:
        people: names by id; who is not in it is shown by id.
        channels: likewise; one that is not in it is shown as `#channel`.
    """

    def shown(mark: re.Match[str]) -> str:
        kind, value = mark.lastgroup, mark[mark.lastgroup or 0]
        if kind == "person":
            return "@" + ((people or {}).get(value) or value)
        if kind == "channel":
            return "#" + ((channels or {}).get(value) or "channel")
        if kind == "moment":
            return (iso_from_unix(int(value)) or mark[0]).replace("T", " ").removesuffix("+00:00")
        return {"role": "@role", "emoji": f":{value}:"}.get(kind or "", f"/{value}")

    return _MARK.sub(shown, text) if "<" in text else text


def moment_of(number: object) -> str | None:
    """When a message was written, which is in its id, in UTC; None where it is no such id."""
    digits = str(number or "")
    if not (digits.isascii() and digits.isdecimal() and _SHORTEST_ID <= len(digits) <= 20):
        return None
    return iso_from_unix(((int(digits) >> _TIME_BITS) + _FIRST_MS) / 1000)
