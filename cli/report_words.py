"""What the report says in words, on the page and in the terminal alike."""

from collections.abc import Iterable
from typing import Any

from .output import counted, share
from .talking import version_name

# The newest nights alone are drawn where there are more: the matrix grows with their square.
SHOWN_NIGHTS = 40

STATE_WORDS = {
    "known": "known",
    "once": "right in one wording",
    "lost": "lost",
    "unknown": "not known",
    "unasked": "not asked yet",
}


def matrix_line(matrix: dict[str, Any]) -> str:
    """The measures of the continual matrix; a dash where one was not measured."""
    named = (
        ("known of all nights now", "acc"),
        ("right after each night", "diagonal"),
        ("base", "base"),
    )
    parts = [f"{words} {share(matrix[name])}" for words, name in named]
    parts += [
        f"backward transfer {points(matrix['bwt'])}",
        f"forgetting {points(matrix['forgetting'])}",
    ]
    return ", ".join(parts)


def newest(matrix: dict[str, Any]) -> dict[str, Any]:
    """The names, versions, shares and counts of the matrix for its newest nights, the base first."""
    versions = matrix["versions"][-SHOWN_NIGHTS:]
    first = len(matrix["versions"]) - len(versions)
    rows = [0, *range(first + 1, len(matrix["versions"]) + 1)]
    return {
        "names": ["base", *(f"version {one}" for one in versions)],
        "versions": versions,
        **{of: [matrix[of][row][first:] for row in rows] for of in ("shares", "counts")},
    }


def suite_line(measured: dict[str, Any]) -> str:
    """What a version kept of the general suite."""
    who = version_name(measured["version"])
    if not measured["n"] or not measured["version"]:
        return f"{who}: {share(measured['right'])} of {counted(measured['n'], 'item')} right"
    return (
        f"{who}: {share(measured['base'])} → {share(measured['right'])} of"
        f" {counted(measured['n'], 'item')}, {measured['won']} won, {measured['lost']} lost,"
        f" {points(measured['change'])} ({points(measured['low'])} to {points(measured['high'])});"
        f" at most {100 * measured['lost_at_most']:.1f} points lost (95%)"
    )


def not_judged(nights: Iterable[dict[str, Any]]) -> list[str]:
    """The kinds of conduct that the base itself is too poor at, by night."""
    return [
        f"{kind}, {version_name(night['version'])}: not judged, {share(does)} by the base itself"
        for night in nights
        for kind, does in (night["beyond_the_base"] or {}).items()
    ]


def ways_head(measured: dict[str, Any]) -> tuple[str, str, str]:
    return f"{version_name(measured['version'])}, of {measured['n']}", "right", "95%"


def ways_rows(measured: dict[str, Any]) -> list[list[str]]:
    """The share right in each way of asking, with its interval."""
    return [
        [way, share(of["value"]), f"{share(of['low'])} to {share(of['high'])}"]
        for way, of in measured["ways"].items()
    ]


def ways_lines(measured: dict[str, Any]) -> list[str]:
    """What the shares come to."""
    lines = []
    if measured["normalised"] is not None:
        lines.append(
            f"normalised recall: {measured['normalised']:.2f} of the way from floor to ceiling"
        )
    if measured["without_passage"]:
        lines.append(f"no passage holds the answer to {measured['without_passage']} of them")
    return lines


def facts_line(counts: dict[str, int]) -> str:
    """How many facts are in each state."""
    asked = [f"{number:,} {STATE_WORDS[state]}" for state, number in counts.items() if number]
    return ", ".join(asked) or "no facts yet"


def points(value: float | None) -> str:
    """A difference between two shares, in points."""
    return "–" if value is None else f"{100 * value:+.1f} points"
