"""Two kinds of plots as SVG text: lines over a logarithmic axis, and rows of dots. No library draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

# Told apart without seeing red and green as different (Okabe and Ito); ours is the first.
COLOURS: Final = (
    *("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31", "#7b4173", "#637939"),
)
LEFT: Final = 70
WIDTH: Final = 760

Points = Sequence[tuple[float, float]]


def lines(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """Return a plot of lines; both axes are logarithmic, zeros stand at the left edge.

    Args:
        title: Above it.
        across: What the horizontal axis counts.
        up: What the vertical axis counts.
        series: By name, the points from left to right; all above 0 vertically.
    """
    bottom, top, right = 340, 50, WIDTH - 150
    places = sorted({x for points in series.values() for x, _ in points})
    values = [y for points in series.values() for _, y in points]
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    least = min(x for x in places if x > 0)

    def horizontal(x: float) -> float:
        # Zero has no logarithm: it stands half a decade before the least.
        first = math.log10(least) - (0.5 if places[0] == 0 else 0)
        span = math.log10(places[-1]) - first or 1
        return LEFT + ((math.log10(x) if x > 0 else first) - first) / span * (right - LEFT)

    def vertical(y: float) -> float:
        return bottom - (math.log10(y) - low) / (high - low) * (bottom - top)

    parts = [_text(WIDTH / 2, 24, title, 16, "middle"), _text(LEFT, top - 10, up, 12)]
    for exponent in range(low, high + 1):
        y = vertical(10**exponent)
        parts += [_line(LEFT, y, right, y), _text(LEFT - 8, y + 4, _short(10**exponent), 11, "end")]
    for x in places:
        parts.append(_text(horizontal(x), bottom + 18, _short(x), 11, "middle"))
    parts.append(_text((LEFT + right) / 2, bottom + 40, across, 12, "middle"))
    for index, (name, points) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{horizontal(x):.1f},{vertical(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [_dot(horizontal(x), vertical(y), colour, 3.5) for x, y in points]
        parts += [_dot(right + 20, top + 20 * index, colour, 5), _text(right + 32, top + 4 + 20 * index, name, 12)]
    return _svg(parts, bottom + 55)


def dots(title: str, across: str, rows: Mapping[str, Mapping[str, float]], names: Sequence[str]) -> str:
    """Return a plot with a row for each case and in it a dot for each name, the first name's the largest."""
    left, right, top, step = 210, WIDTH - 30, 92, 30
    bottom = top + step * len(rows)
    high = max(1.0, *(value for row in rows.values() for value in row.values()))
    high = math.ceil(high * 5) / 5

    def horizontal(x: float) -> float:
        return left + x / high * (right - left)

    parts = [_text(WIDTH / 2, 24, title, 16, "middle")]
    for index, name in enumerate(names):
        x, y = 40.0 + index % 5 * 145, 48.0 + index // 5 * 20
        parts += [_dot(x, y, COLOURS[index % len(COLOURS)], 5), _text(x + 12, y + 4, name, 12)]
    for tick in range(round(high * 5) + 1):
        x = horizontal(tick / 5)
        parts += [_line(x, top, x, bottom), _text(x, bottom + 18, f"{tick / 5:.1f}", 11, "middle")]
    parts.append(_line(horizontal(1), top, horizontal(1), bottom, "#555"))
    parts.append(_text((left + right) / 2, bottom + 40, across, 12, "middle"))
    for number, (case, row) in enumerate(rows.items()):
        y = top + step * (number + 0.5)
        parts.append(_text(left - 10, y + 4, case, 12, "end"))
        # The first name is drawn last, so that nothing hides it.
        for index in reversed(range(len(names))):
            if names[index] in row:
                size = 4.5 if index else 7
                parts.append(_dot(horizontal(row[names[index]]), y, COLOURS[index % len(COLOURS)], size))
    return _svg(parts, bottom + 55)


def _short(number: float) -> str:
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"


def _text(x: float, y: float, text: str, size: int, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str = "#ddd") -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'


def _dot(x: float, y: float, colour: str, size: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" fill="{colour}"/>'


def _svg(parts: Sequence[str], height: float) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"
