"""Patterns such as `~/notes/**/*.md`, for those that the shell did not expand."""

import re
from pathlib import Path

_MAGIC = re.compile(r"[*?[]")
_SIGN = re.compile(r"\[[^\]]+\]|.", re.DOTALL)
_MEMBER = re.compile(r"(.)-(.)|(.)", re.DOTALL)


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
    if len(sign) == 1:
        return {"*": "[^/]*", "?": "[^/]"}.get(sign) or re.escape(sign)
    is_other = sign[1] == "!"
    members = ""
    for first, last, alone in _MEMBER.findall(sign[2 if is_other else 1 : -1]):
        if alone:
            members += re.escape(alone)
        elif first <= last:  # else nothing lies between them
            members += f"{re.escape(first)}-{re.escape(last)}"
    if is_other:
        return f"[^/{members}]"
    return f"[{members}]" if members else "(?!)"
