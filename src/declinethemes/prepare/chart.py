"""Decline rates as one page: a drawing per segment, share declined with its interval.

In: `DeclineRates` whose small groups are blank already. Out: HTML with its drawings (SVG) in it; no script, no outside
resource. Nothing is computed here.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from declinethemes.prepare.rates import DeclineRates

_LEFT, _WIDTH, _ROW = 200, 400, 34
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Decline rates</title>
<style>
:root {{ --paper:#fdfcf9; --ink:#22252b; --soft:#5b616b; --line:#e3e0d8; --accent:#0f5f6b; }}
@media (prefers-color-scheme: dark) {{
:root {{ --paper:#15181c; --ink:#e8e6e1; --soft:#a5abb4; --line:#343a42; --accent:#7cc7d2; }} }}
body {{ margin:0 auto; max-width:56rem; padding:2rem; background:var(--paper); color:var(--ink);
 font:1rem/1.55 ui-sans-serif,system-ui,sans-serif; font-variant-numeric:tabular-nums; }}
h1 {{ font-weight:600; }} h2 {{ margin:2.5rem 0 .5rem; font-size:1.2rem; }}
p {{ max-width:44rem; }} .small {{ font-size:.9rem; color:var(--soft); }}
svg {{ display:block; width:100%; height:auto; }}
svg text {{ fill:var(--ink); font-size:13px; }} svg .soft {{ fill:var(--soft); }}
.grid {{ stroke:var(--line); }} .all {{ stroke:var(--soft); stroke-dasharray:3 4; }}
.bar {{ stroke:var(--accent); stroke-width:3; stroke-linecap:round; }} .dot {{ fill:var(--accent); }}
</style>
</head>
<body>
<h1>Decline rates</h1>
<p>The dot is the share of offers that were declined, the line its 95 % interval (Wilson), the dashed line the share of
all offers. Intervals that overlap do not mean that groups are alike. Differences are associations, not causes.</p>
{body}
{notes}
</body>
</html>
"""


def draw_rates(rates: DeclineRates) -> str:
    """Return the page.

    Parameters
    ----------
    rates : DeclineRates
        From `.protected()`.

    Returns
    -------
    str
        HTML for screen, dark screen and paper.
    """
    overall = rates.counts["declined"] / rates.counts["candidates"]
    parts = [
        f"<section>\n<h2>{escape(str(segment))}</h2>\n{_drawing(str(segment), rows, overall)}\n</section>"
        for segment, rows in rates.rates.groupby("segment", sort=False)
    ]
    notes = "\n".join(f'<p class="small">{escape(note)}</p>' for note in rates.notes)
    return _PAGE.format(body="\n".join(parts), notes=notes)


def _drawing(segment: str, rows: pd.DataFrame, overall: float) -> str:
    """Return one segment as SVG, a line per level."""
    height = _ROW * len(rows) + 30
    label = f"Share declined by {escape(segment)}"
    lines = [f'<svg viewBox="0 0 {_LEFT + _WIDTH + 200} {height}" role="img" aria-label="{label}">']
    for percent in (0, 25, 50, 75, 100):
        x = _place(percent / 100)
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{height - 24}"/>')
        lines.append(f'<text class="soft" x="{x}" y="{height - 6}" text-anchor="middle">{percent} %</text>')
    x = _place(overall)
    lines.append(f'<line class="all" x1="{x}" x2="{x}" y1="0" y2="{height - 24}"/>')
    for number, row in enumerate(rows.to_dict("records")):
        lines += _level({str(k): v for k, v in row.items()}, _ROW * number + _ROW // 2)
    return "\n".join([*lines, "</svg>"])


def _level(row: dict[str, Any], y: int) -> list[str]:
    """Return the marks of one level."""
    name = str(row["level"])
    shown = name if len(name) <= 28 else f"{name[:27]}…"
    label = f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end"><title>{escape(name)}</title>{escape(shown)}</text>'
    right = f'<text x="{_LEFT + _WIDTH + 14}" y="{y + 4}">'
    if pd.isna(row["rate"]):
        return [label, f"{right}protected</text>"]
    low, middle, high = (_place(float(row[part])) for part in ("rate_low", "rate", "rate_high"))
    counts = f"{round(100 * float(row['rate']))} %, {row['declined']} of {row['n']}"
    return [
        label,
        f'<line class="bar" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>',
        f'<circle class="dot" cx="{middle}" cy="{y}" r="5"/>',
        f"{right}{counts}</text>",
    ]


def _place(share: float) -> float:
    """Return where a share lies on the axis."""
    return round(_LEFT + _WIDTH * share, 1)
