"""The report in the terminal."""

from pathlib import Path
from typing import Any

from .durations import duration
from .output import n_bytes, say_dimly, share, show, show_table
from .report_words import (
    facts_line,
    matrix_line,
    newest,
    not_judged,
    suite_line,
    ways_head,
    ways_lines,
    ways_rows,
)
from .talking import version_name

BARS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 16


def show_report(report: dict[str, Any]) -> None:
    """Print what was measured: with and without passages, recall, the newest of the matrix, retention, facts, losses, divergence, cost."""
    nights, matrix = report["nights"], newest(report["matrix"])
    show(f"in service: {version_name(report['version'])}; facts: {facts_line(report['facts'])}")
    if ways := report["ways"]:
        show()
        show_table(ways_head(ways), ways_rows(ways), fold="")
        for line in ways_lines(ways):
            show(line)
    if not nights:
        return
    show()
    show_table(
        (
            "version",
            "level",
            "recall of new",
            "of old",
            "change of old, points",
            "divergence",
            "loss",
            "cost",
        ),
        [
            (
                night["version"],
                night["level"],
                _recall(night["new"]),
                _recall(night["old"]),
                _change(night["old"]["flips"]),
                _divergence(night),
                sparkline(night["losses"]),
                _cost(night),
            )
            for night in nights
        ],
        fold="cost",
    )
    show()
    show_table(
        ("right after", *(f"of {version}" for version in matrix["versions"])),
        [
            (name, *(share(cell) for cell in row))
            for name, row in zip(matrix["names"], matrix["shares"], strict=True)
        ],
        fold="right after",
    )
    show(matrix_line(report["matrix"]))
    for measured in report["suite"]:
        show(f"general suite, {suite_line(measured)}")
    for night in nights:
        for kind, of in (night["conduct"] or {}).items():
            told = f"{of['won']} won, {of['lost']} lost, of {of['n']:,}"
            show(f"{kind}, {version_name(night['version'])}: {told}")
    for line in not_judged(nights):
        show(line)
    if report["lost"]:
        show()
        show_table(
            ("lost", "answer", "learned in", "lost in", "source"),
            [
                (
                    lost["question"],
                    lost["gold"],
                    lost["learned"],
                    lost["lost"],
                    Path(lost["source"]).name,
                )
                for lost in report["lost"]
            ],
            fold="lost",
        )
    for one in report["refused"]:
        say_dimly(f"refused {one['created'][:16].replace('T', ' ')}: {one['reason']}")


def sparkline(values: list[float]) -> str:
    """A curve in one line of text, from 0 to its highest value."""
    if not values or max(values) <= 0:
        return "–"
    n = min(SPARK_WIDTH, len(values))
    picked = [values[i * len(values) // n] for i in range(n - 1)] + [values[-1]]
    top = max(picked)
    return "".join(BARS[min(len(BARS) - 1, int(len(BARS) * value / top))] for value in picked)


def _recall(measured: dict[str, Any]) -> str:
    after = measured["after"]
    if not after:
        return "–"
    before = measured["before"]
    return (
        f"{share(before and before['value'])} → {share(after['value'])} of {after['n']}"
        f" ({share(after['low'])}–{share(after['high'])})"
    )


def _divergence(night: dict[str, Any]) -> str:
    if night["divergence"] is None:
        return "–"
    low, high = night["divergence_interval"] or (None, None)
    between = "" if low is None else f" ({low:.2f}–{high:.2f})"
    new = night["divergence_on_new"]
    on_new = "" if new is None else f", {new:.2f} on what was new"
    return f"{night['divergence']:.2f}{between}{on_new}"


def _change(flips: dict[str, Any] | None) -> str:
    if not flips:
        return "–"
    change, low, high = (100 * flips[name] for name in ("change", "low", "high"))
    return f"{change:+.1f} ({low:+.1f} to {high:+.1f})"


def _cost(night: dict[str, Any]) -> str:
    parts = []
    if night["elapsed_s"] is not None:
        parts.append(duration(night["elapsed_s"]))
    if night["n_tokens"] is not None:
        parts.append(f"{night['n_tokens']:,} tokens")
    if night["tokens_per_s"]:
        parts.append(f"{night['tokens_per_s']:,.0f} tokens/s")
    if night["peak_bytes"]:
        parts.append(f"peak {n_bytes(night['peak_bytes'])}")
    return ", ".join(parts) or "–"
