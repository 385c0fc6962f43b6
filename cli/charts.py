"""Small charts as inline SVG: shares with their intervals, bars, lines and a heat map.

Colours are CSS variables of the page, so that one drawing serves light, dark and paper. Every text is
escaped; a point that is None is not drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720
HEIGHT = 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 34
CELL = 44
# Labels under an axis, at most.
LABELS = 24


@dataclass(frozen=True)
class Point:
    """A value between the bounds of its interval."""

    low: float
    value: float
    high: float


@dataclass(frozen=True)
class Series:
    name: str
    style: str  # a class of the page's style sheet
    points: Sequence[Point | None]


@dataclass(frozen=True)
class Axis:
    """A vertical axis: its ends, and how its values are written."""

    low: float
    high: float
    written: Callable[[float], str]

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        height = HEIGHT - TOP - BOTTOM
        return TOP + height * (self.high - inside) / (self.high - self.low)


def intervals(title: str, labels: Sequence[str], axis: Axis, several: Sequence[Series]) -> str:
    """Points with whiskers, the series beside each other at every label."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    parts = [_grid(axis), _labels(labels, step)]
    for index, series in enumerate(several):
        aside = (index - (len(several) - 1) / 2) * min(14.0, step / 3)
        for place, point in enumerate(series.points):
            if point is None:
                continue
            x = LEFT + step * (place + 0.5) + aside
            said = (
                f"{series.name} {labels[place]}: {axis.written(point.value)}"
                f" ({axis.written(point.low)} to {axis.written(point.high)})"
            )
            parts.append(
                f'<g class="{series.style}"><title>{escape(said)}</title>'
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{axis.y(point.low):.1f}"'
                f' y2="{axis.y(point.high):.1f}"/>'
                f'<circle cx="{x:.1f}" cy="{axis.y(point.value):.1f}" r="4"/></g>'
            )
    return _drawing(title, "".join(parts), WIDTH, HEIGHT)


def bars(
    title: str,
    labels: Sequence[str],
    values: Sequence[float | None],
    axis: Axis,
    limit: float | None = None,
) -> str:
    """A bar for each label; `limit` is a line across."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    parts = [_grid(axis), _labels(labels, step)]
    for place, value in enumerate(values):
        if value is None:
            continue
        y = axis.y(value)
        parts.append(
            f'<rect class="bar" x="{LEFT + step * place + step * 0.2:.1f}" y="{y:.1f}"'
            f' width="{step * 0.6:.1f}" height="{axis.y(axis.low) - y:.1f}">'
            f"<title>{escape(f'{labels[place]}: {axis.written(value)}')}</title></rect>"
        )
    if limit is not None and limit <= axis.high:
        y = axis.y(limit)
        parts.append(
            f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    return _drawing(title, "".join(parts), WIDTH, HEIGHT)


def lines(title: str, labels: Sequence[str], curves: Sequence[Sequence[float]], axis: Axis) -> str:
    """Curves one after another, each over its own stretch of the width."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    parts = [_grid(axis), _labels(labels, step)]
    for place, curve in enumerate(curves):
        if not curve:
            continue
        start, width = LEFT + step * (place + 0.05), step * 0.9
        points = " ".join(
            f"{start + width * i / max(1, len(curve) - 1):.1f},{axis.y(value):.1f}"
            for i, value in enumerate(curve)
        )
        parts.append(f'<polyline class="curve" points="{points}"/>')
    return _drawing(title, "".join(parts), WIDTH, HEIGHT)


def heat_map(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[float | None]],
    counts: Sequence[Sequence[int]],
) -> str:
    """Shares as shades, with the figure in each cell; what was not measured is an empty cell."""
    left, top = 92, 26
    parts = [
        f'<text class="label" x="{left + CELL * (j + 0.5)}" y="18" text-anchor="middle">'
        f"{escape(column)}</text>"
        for j, column in enumerate(columns)
    ]
    for i, row in enumerate(rows):
        y = top + CELL * i
        parts.append(
            f'<text class="label" x="{left - 8}" y="{y + CELL / 2 + 4}" text-anchor="end">'
            f"{escape(row)}</text>"
        )
        for j, cell in enumerate(cells[i]):
            x = left + CELL * j
            shade = 0.0 if cell is None else cell
            said = (
                f"{columns[j]} {row}: not measured"
                if cell is None
                else f"{columns[j]} {row}: {cell:.0%} of {counts[i][j]}"
            )
            figure = "" if cell is None else f"{100 * cell:.0f}"
            style = "figure strong" if shade > 0.7 else "figure"
            parts.append(
                f"<g><title>{escape(said)}</title>"
                f'<rect class="{"none" if cell is None else "cell"}" x="{x}" y="{y}"'
                f' width="{CELL - 2}" height="{CELL - 2}" fill-opacity="{shade:.2f}"/>'
                f'<text class="{style}" x="{x + CELL / 2 - 1}" y="{y + CELL / 2 + 4}"'
                f' text-anchor="middle">{figure}</text></g>'
            )
    return _drawing(title, "".join(parts), left + CELL * len(columns) + 4, top + CELL * len(rows))


def _grid(axis: Axis) -> str:
    values = [axis.low + (axis.high - axis.low) * part / 4 for part in range(5)]
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{axis.y(v):.1f}" y2="{axis.y(v):.1f}"/>'
        f'<text class="label" x="{LEFT - 6}" y="{axis.y(v) + 4:.1f}" text-anchor="end">'
        f"{escape(axis.written(v))}</text>"
        for v in values
    )


def _labels(labels: Sequence[str], step: float) -> str:
    every = -(-len(labels) // LABELS)
    return "".join(
        f'<text class="label" x="{LEFT + step * (i + 0.5):.1f}" y="{HEIGHT - 12}"'
        f' text-anchor="middle">{escape(label)}</text>'
        for i, label in enumerate(labels)
        if i % every == 0
    )


def _drawing(title: str, body: str, width: float, height: float) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" width="{width}"'
        f' xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{body}</svg>'
    )
