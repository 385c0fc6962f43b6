"""Stretches of time as a person writes them: `90s`, `3m`, `1h30m`."""

import re

from typer import BadParameter

# Behind hours or minutes a number says what it counts: "1h30" would be half an hour to one, and half a minute to another.
_FORM = re.compile(r"(?=.*[hms])(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?|()()(\d+(?:\.\d+)?)")


def parse_duration(text: str) -> float:
    """Seconds; a bare number is seconds too."""
    found = _FORM.fullmatch(text.strip().lower().replace(" ", ""))
    if not found:
        raise BadParameter(f"{text!r} is not a duration: write 90s, 3m or 1h30m")
    groups = found.groups()
    hours, minutes, seconds = (
        float(a or b or 0) for a, b in zip(groups[:3], groups[3:], strict=True)
    )
    total = hours * 3600 + minutes * 60 + seconds
    if total <= 0:
        raise BadParameter("a duration must be longer than nothing")
    return total


def duration(seconds: float) -> str:
    """The same way back, to the second."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    if minutes:
        return f"{minutes}m{left:02d}s"
    return f"{left}s"
