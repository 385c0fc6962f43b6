"""The report as one HTML page: nothing is loaded with it, and nothing in it runs."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .charts import Axis, Point, Series, bars, heat_map, intervals, lines
from .durations import duration
from .output import n_bytes, plain, share
from .report_words import (
    SHOWN_NIGHTS,
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

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2329; --faint: #6b7680; --rule: #dfe4e8;
  --accent: #256a9b; --other: #8a949c; --warn: #b3402f; }
@media (prefers-color-scheme: dark) { :root { --paper: #15191d; --ink: #e4e8eb; --faint: #98a2aa;
  --rule: #2d343a; --accent: #74b6e6; --other: #7d878f; --warn: #ee8a78; } }
@media print { :root { --paper: #fff; --ink: #000; --faint: #444; --rule: #ccc; --accent: #256a9b;
  --other: #777; --warn: #b3402f; } section { break-inside: avoid; } }
* { box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 0 auto; padding: 2rem 1rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p { margin: .3rem 0; } .faint { color: var(--faint); } .scroll { overflow-x: auto; }
svg { max-width: 100%; height: auto; display: block; font: 11px system-ui, sans-serif; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; } th { font-weight: 600; } td.number { text-align: right; }
.grid { stroke: var(--rule); } .label { fill: var(--faint); } .limit { stroke: var(--warn);
  stroke-dasharray: 5 4; } .curve { fill: none; stroke: var(--accent); stroke-width: 1.5; }
.bar, .cell { fill: var(--accent); } .none { fill: none; stroke: var(--rule); }
.figure { fill: var(--ink); } .figure.strong { fill: var(--paper); }
.after line, .after circle { stroke: var(--accent); fill: var(--accent); }
.before line, .before circle { stroke: var(--other); fill: var(--paper); }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin: 0 .3rem 0 .8rem;
  border: 2px solid var(--accent); background: var(--accent); }
.key.before { border-color: var(--other); background: none; }
"""

Record = dict[str, Any]


def page(report: Record) -> str:
    """The whole document."""
    nights = report["nights"][-SHOWN_NIGHTS:]
    labels = [str(night["version"]) for night in nights]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">",
        f"<title>learnctl: what was learned</title><style>{STYLE}</style></head><body>",
        "<h1>What was learned</h1>",
        _text(f"{version_name(report['version'])} in service, {report['created']}", "faint"),
    ]
    if len(report["nights"]) > len(nights):
        parts.append(_text(f"The last {len(nights)} of {len(report['nights'])} nights.", "faint"))
    parts += [
        _recall(nights, labels),
        _matrix(report["matrix"]),
        _retention(nights, labels),
        _ways(report["ways"]),
        _suite(report["suite"]),
        _conduct(nights),
        _facts(report),
        _losses(nights, labels),
        _divergence(nights, labels),
        _cost(nights, report["refused"]),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _recall(nights: Sequence[Record], labels: Sequence[str]) -> str:
    series = [
        Series(stage, stage, [_point(night["new"][stage]) for night in nights])
        for stage in ("before", "after")
    ]
    return _section(
        "Recall per night",
        "The share of each night's new probes that is right from the weights alone, with its 95% interval."
        " A probe asks in words that were never trained on.",
        '<p><span class="key before"></span>before the night<span class="key"></span>after it</p>',
        intervals("Recall per night", labels, _axis_of_shares(), series),
    )


def _matrix(matrix: Record) -> str:
    drawn = newest(matrix)
    return _section(
        "Each night's probes after every night",
        "Across: the night that first learned them. Down: right after which version. In percent; what was"
        " not asked is empty.",
        _text(matrix_line(matrix)),
        heat_map(
            "The continual matrix",
            drawn["names"],
            list(map(str, drawn["versions"])),
            drawn["shares"],
            drawn["counts"],
        ),
    )


def _retention(nights: Sequence[Record], labels: Sequence[str]) -> str:
    if not any(night["old"]["flips"] for night in nights):
        return ""
    points = [
        Point(flips["low"], flips["change"], flips["high"]) if flips else None
        for flips in (night["old"]["flips"] for night in nights)
    ]
    most = max(abs(end) for p in points if p for end in (p.low, p.high))
    ends = min(1.0, max(0.05, most))
    axis = Axis(-ends, ends, lambda value: f"{100 * value:+.0f}")
    rows = [
        [
            night["version"],
            flips["n"],
            flips["won"],
            flips["lost"],
            f"{100 * flips['lost_at_most']:.1f}",
            f"{flips['p']:.2f}",
        ]
        for night in nights
        if (flips := night["old"]["flips"])
    ]
    return _section(
        "Retention",
        "What each night did to the probes of earlier nights, in points, with its 95% interval.",
        intervals("Retention", labels, axis, [Series("change", "after", points)]),
        _table(
            ("version", "probes", "won", "lost", "points lost at most (95%)", "p (McNemar)"), rows
        ),
    )


def _ways(measured: Record | None) -> str:
    if not measured:
        return ""
    return _section(
        "With and without passages",
        "Questions of your own: the base alone (floor), with the passage in view that answers (ceiling), with what search finds;"
        " the version alone, and with what search finds.",
        _table(ways_head(measured), ways_rows(measured)),
        *map(_text, ways_lines(measured)),
    )


def _suite(measured: Sequence[Record]) -> str:
    if not measured:
        return ""
    newest = measured[-1]
    rows = [
        [task, of["n"], share(of["base"]), share(of["right"])]
        for task, of in newest["tasks"].items()
    ]
    return _section(
        "General ability",
        "Multiple-choice questions about nobody's notes, asked of the base and of each version.",
        *(_text(suite_line(one)) for one in measured),
        _table(("task", "items", "base", version_name(newest["version"])), rows),
    )


def _conduct(nights: Sequence[Record]) -> str:
    rows = [
        [night["version"], kind, of["n"], of["won"], of["lost"], f"{100 * of['lost_at_most']:.1f}"]
        for night in nights
        for kind, of in (night["conduct"] or {}).items()
    ]
    beyond = not_judged(nights)
    if not rows and not beyond:
        return ""
    return _section(
        "Conduct",
        "Instructions kept, unsafe requests declined and safe ones answered, beside the base.",
        *map(_text, beyond),
        _table(("version", "kind", "prompts", "won", "lost", "points lost at most (95%)"), rows)
        if rows
        else "",
    )


def _facts(report: Record) -> str:
    rows = [
        [lost["question"], lost["gold"], lost["learned"], lost["lost"], Path(lost["source"]).name]
        for lost in report["lost"]
    ]
    table = _table(("lost", "answer", "learned in", "lost in", "source"), rows) if rows else ""
    return _section(
        "Fact by fact",
        "A fact counts as known when two wordings of it were answered right.",
        _text(facts_line(report["facts"])),
        table,
    )


def _losses(nights: Sequence[Record], labels: Sequence[str]) -> str:
    curves = [night["losses"] for night in nights]
    most = max((value for curve in curves for value in curve), default=0.0)
    if not most:
        return ""
    axis = Axis(0.0, most, lambda value: f"{value:.2f}")
    return _section(
        "Loss",
        "Over the steps of each night, in nats a token.",
        lines("Loss over the steps of each night", labels, curves, axis),
    )


def _divergence(nights: Sequence[Record], labels: Sequence[str]) -> str:
    values = [night["divergence"] for night in nights]
    if not any(value is not None for value in values):
        return ""
    limit = nights[-1]["max_divergence"]
    most = max([value for value in values if value is not None] + [limit or 0.0, 0.01])
    axis = Axis(0.0, 1.1 * most, lambda value: f"{value:.2f}")
    on_new = [
        [night["version"], f"{night['divergence']:.2f}", f"{night['divergence_on_new']:.2f}"]
        for night in nights
        if None not in (night["divergence"], night["divergence_on_new"])
    ]
    return _section(
        "Divergence",
        "How far each version moved from the base on general prompts, in nats a token; dashed: what the"
        " gate allows.",
        bars("Divergence from the base", labels, values, axis, limit),
        _table(("version", "on general prompts", "on what was new"), on_new) if on_new else "",
    )


def _cost(nights: Sequence[Record], refused: Sequence[Record]) -> str:
    rows = [
        [
            night["version"],
            night["created"][:16].replace("T", " "),
            night["level"],
            _written(night["elapsed_s"], duration),
            _written(night["n_tokens"], "{:,}".format),
            _written(night["tokens_per_s"], "{:,.0f}".format),
            _written(night["peak_bytes"], n_bytes),
        ]
        for night in nights
    ]
    head = ("version", "created", "level", "time", "tokens", "tokens/s", "peak memory")
    return _section(
        "Cost",
        "",
        _table(head, rows),
        *(
            _text(f"Refused on {one['created'][:16].replace('T', ' ')}: {one['reason']}", "faint")
            for one in refused[-SHOWN_NIGHTS:]
        ),
    )


def _point(measured: Record | None) -> Point | None:
    return Point(measured["low"], measured["value"], measured["high"]) if measured else None


def _axis_of_shares() -> Axis:
    return Axis(0.0, 1.0, lambda value: f"{100 * value:.0f}%")


def _written(value: Any, how: Callable[[Any], str]) -> str:
    return "–" if value is None else how(value)


def _section(title: str, meaning: str, *parts: str) -> str:
    body = "".join(f'<div class="scroll">{part}</div>' for part in parts if part)
    return f"<section><h2>{escape(title)}</h2>{_text(meaning, 'faint')}{body}</section>"


def _text(text: str, style: str = "") -> str:
    return f'<p class="{style}">{escape(plain(text))}</p>' if text else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    style = ' class="number"' if isinstance(value, int | float) else ""
    return f"<td{style}>{escape(plain(str(value)))}</td>"
