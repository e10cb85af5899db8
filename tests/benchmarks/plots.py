"""Plots as the text of SVG files that stand alone: no script, no font and no style from elsewhere."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pygal
from pygal.style import Style

# pygal adds a finder for its maps, of a kind that Python 3.11 warns of at every import and later ones never ask.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 900, 420
_STYLE = Style(
    background="white",
    plot_background="white",
    font_family="sans-serif",
    colors=("#1b6ca8", "#d1495b", "#3c8d53", "#edae49", "#7a5195", "#00798c", "#8d6a4f", "#5c5c5c", "#9ec5e8"),
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    title_font_size=16,
    value_font_size=12,
    opacity="1",
    guide_stroke_color="#d9d9d9",
    guide_stroke_dasharray="",
    major_guide_stroke_color="#d9d9d9",
    major_guide_stroke_dasharray="",
)


def lines(title: str, series: Mapping[str, Points], *, x: str, y: str, logarithmic: bool = False) -> str:
    """Curves through points; `x` and `y` name the axes with their units. A logarithmic y takes no zeros."""
    chart = _chart(pygal.XY, title, x, y, logarithmic=logarithmic, dots_size=2.5)
    for name, points in series.items():
        chart.add(name, list(points))
    return _rendered(chart)


def bars(
    title: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    y: str,
    stacked: bool = False,
    logarithmic: bool = False,
) -> str:
    """A group of bars for each label, or with `stacked` one that lies; every series has a value for every label."""
    kind = pygal.HorizontalStackedBar if stacked else pygal.Bar
    chart = _chart(kind, title, *((y, "") if stacked else ("", y)), logarithmic=logarithmic)
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(name, list(values))
    return _rendered(chart)


def _chart(kind: Any, title: str, x: str, y: str, *, logarithmic: bool, **options: Any) -> Any:
    return kind(
        title=title,
        x_title=x or None,
        y_title=y or None,
        width=WIDTH,
        height=HEIGHT,
        style=_STYLE,
        # Its default is a script from the library's own site.
        js=(),
        truncate_legend=-1,
        # An axis that does not begin at zero makes much of little.
        include_x_axis=not logarithmic,
        logarithmic=logarithmic,
        **options,
    )


def _rendered(chart: Any) -> str:
    return str(chart.render(is_unicode=True))
