"""The report as one HTML file that needs no network.

In: the dict of `summarise`. Out: text. Numbers are formatted here and nothing is computed; everything is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEMPLATE = "report.html.j2"


def render_html(summary: Mapping[str, Any]) -> str:
    """Return the report as one HTML page with its styles and drawings in it.

    Parameters
    ----------
    summary : mapping
        From `summarise`.

    Returns
    -------
    str
        HTML for screen, dark screen and paper; no script, no outside resource.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points, "p": p_value, "number": number, "marked": marked}
    return environment.get_template(TEMPLATE).render(summary)


def marked(quote: str, phrase: str) -> Any:
    """Return an escaped quote in which the phrase that carried its code is marked."""
    from markupsafe import Markup, escape

    before, found, after = quote.partition(phrase) if phrase else (quote, "", "")
    return escape(before) + (Markup("<mark>%s</mark>") % found if found else "") + escape(after)


def percent(share: float | None) -> str:
    """Return a share (0..1) as a percentage; a dash where there is none."""
    return "–" if share is None else f"{round(100 * share)} %"


def points(value: int | None) -> str:
    """Return points with their sign; a dash where there are none."""
    if value is None:
        return "–"
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value)}"


def p_value(value: float | None) -> str:
    """Return a p-value with three decimals; a dash where there is none."""
    if value is None:
        return "–"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def number(value: int | None) -> str:
    """Return a count with thin spaces between thousands."""
    return "–" if value is None else f"{value:,}".replace(",", "\u202f")
