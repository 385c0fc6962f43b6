"""Patterns such as `~/notes/**/*.md`, for those that the shell did not expand."""

import re
from pathlib import Path

_MAGIC = re.compile(r"[*?[]")
_SIGN = re.compile(r"\[[^\]]+\]|.", re.DOTALL)


def is_pattern(path: Path) -> bool:
    return bool(_MAGIC.search(str(path)))


def base_of(pattern: Path) -> Path:
    """The folder to look through: what stands before the first part with a sign in it."""
    parts = list(pattern.parts)
    first = next(number for number, part in enumerate(parts) if _MAGIC.search(part))
    return Path(*parts[:first])


def matcher(pattern: Path) -> re.Pattern[str]:
    """What matches the paths that a pattern means, and all that lies below a folder that it means.

    `**` stands for any number of folders, other signs for characters within one name.
    """
    pieces = []
    for part in pattern.parts[1:]:
        if part == "**":
            pieces.append("(?:/[^/]+)*")
        else:
            pieces.append("/" + "".join(map(_translated, _SIGN.findall(part))))
    return re.compile("".join(pieces) + "(?:/.*)?")


def _translated(sign: str) -> str:
    if len(sign) > 1:
        inside = sign[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^/{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    return {"*": "[^/]*", "?": "[^/]"}.get(sign) or re.escape(sign)
